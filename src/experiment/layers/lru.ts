// LRU (Orvieto et al. 2023): a linear recurrence with a complex diagonal, stable by how it is parametrised.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { linearRecurrence, units } from './linear-recurrence.ts';

export const glu = z
  .boolean()
  .default(true)
  .describe(
    'Pass the output through GELU and a gated linear unit, as the papers do between layers; false: the linear recurrence alone.',
  );

/** Weights of the gated linear unit behind a linear recurrence. */
export function gluWeights(layer: { glu: boolean; units: number }): number[][] {
  return layer.glu
    ? [
        [2, layer.units, layer.units],
        [2, layer.units],
      ]
    : [];
}

/** Numbers of a step that the gated linear unit keeps: its input, GELU, value, gate and σ. */
export function gluKept(layer: { glu: boolean; units: number }): number {
  return layer.glu ? 5 * layer.units : 0;
}

export const gluLine = 'y = (W_1 gelu(y) + b_1) ⊙ σ(W_2 gelu(y) + b_2)';

const schema = z
  .strictObject({
    type: z.literal('lru'),
    units,
    stateSize: positiveInt.optional().describe('Complex numbers in the state; default: units.'),
    rMin: z.number().min(0).lt(1).default(0).describe('Least |λ| at first.'),
    rMax: z.number().gt(0).max(1).default(1).describe('Largest |λ| at first.'),
    maxPhase: z
      .number()
      .gt(0)
      .max(2 * Math.PI)
      .default(2 * Math.PI)
      .describe('Largest phase of λ at first, in radians.'),
    glu,
  })
  .describe('Linear recurrent unit: a complex diagonal recurrence (Orvieto et al. 2023).');

export function stateSizeOf(layer: { stateSize?: number | undefined; units: number }): number {
  return layer.stateSize ?? layer.units;
}

export const lru = linearRecurrence({
  schema,
  title: 'LRU',
  family: 'scan',
  weights: (layer, I) => {
    const [H, N] = [layer.units, stateSizeOf(layer)];
    return [[3, N], [2, N, I], [2, H, N], [H, I], ...gluWeights(layer)];
  },
  perStep: layer => 4 * stateSizeOf(layer),
  kept: layer => 7 * stateSizeOf(layer) + 3 * layer.units + gluKept(layer),
  state: layer => 2 * stateSizeOf(layer),
  check: ({ rMin, rMax }) =>
    rMin < rMax ? [] : [error(['rMin'], `\`rMin\` is ${rMin}, which is not below \`rMax\`, ${rMax}.`)],
  about: layer =>
    [
      'λ = exp(−exp(ν) + i exp(θ))',
      'h_t = λ ⊙ h_{t−1} + exp(γ) ⊙ (B x_t)',
      'y = Re(C h_t) + D x_t          arXiv 2303.06349',
      ...(layer.glu ? [gluLine] : []),
    ].join('\n'),
});
