// Mamba (Gu & Dao 2023): a state space model whose steps and readings the input decides.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { convSize, linearRecurrence, units } from './linear-recurrence.ts';

const schema = z
  .strictObject({
    type: z.literal('mamba'),
    units,
    convSize,
    stateSize: positiveInt.default(16).describe('Numbers in the state of a channel.'),
    expand: positiveInt.default(2).describe('Inner width as a multiple of the units.'),
    rank: positiveInt
      .optional()
      .describe('Width between the two matrices of Δ; default: a sixteenth of the units.'),
  })
  .describe('Mamba: a selective state space model (Gu & Dao 2023).');

export function rankOf(layer: { rank?: number | undefined; units: number }): number {
  return layer.rank ?? Math.ceil(layer.units / 16);
}

export const mamba = linearRecurrence({
  schema,
  title: 'Mamba',
  family: 'scan',
  weights: (layer, I) => {
    const [U, E, N, R] = [layer.units, layer.expand * layer.units, layer.stateSize, rankOf(layer)];
    const conv = layer.convSize > 1 ? [[E, layer.convSize + 1]] : [];
    return [[2, E, I], ...conv, [R, E], [E, R], [E], [2, N, E], [E, N], [E], [U, E]];
  },
  perStep: layer => layer.expand * layer.units * (3 * layer.stateSize + layer.convSize - 1),
  kept: layer =>
    layer.expand * layer.units * (layer.convSize > 1 ? 12 : 11) + 2 * layer.stateSize + rankOf(layer),
  state: layer => layer.expand * layer.units * (layer.stateSize + layer.convSize - 1),
  about: () =>
    [
      'x, z = W x, W_z x; x = silu(conv(x)); Δ = softplus(W_2 W_1 x + b); B, C = W_B x, W_C x',
      'h_t = exp(Δ A) ⊙ h_{t−1} + Δ x B          A = −exp(a)',
      'y = W_o ((h_t C + D ⊙ x) ⊙ silu(z))          arXiv 2312.00752',
    ].join('\n'),
});
