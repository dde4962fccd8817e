// S4D (Gu et al. 2022): a complex diagonal state space model of each channel, which stands for S4.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { linearRecurrence, units } from './linear-recurrence.ts';
import { glu, gluKept, gluLine, gluWeights } from './lru.ts';

const schema = z
  .strictObject({
    type: z.literal('s4d'),
    units,
    stateSize: positiveInt.default(16).describe('Complex numbers in the state of a channel.'),
    glu,
  })
  .describe(
    'S4D: a diagonal state space model of each channel (Gu et al. 2022); it stands for S4, whose full form is not built.',
  );

export const s4d = linearRecurrence({
  schema,
  title: 'S4D',
  family: 'scan',
  weights: (layer, I) => [
    [layer.units, I],
    [3, layer.units],
    [4, layer.units, layer.stateSize],
    ...gluWeights(layer),
  ],
  perStep: layer => 6 * layer.units * layer.stateSize,
  // complex states stand once in 16 steps; the rest, gradients of the same pass included, as measured from 512 to 2,048 steps
  kept: layer => (2 * layer.units * layer.stateSize) / 16 + 5 * layer.units + gluKept(layer),
  state: layer => 2 * layer.units * layer.stateSize,
  about: () =>
    [
      'u = W x + b; of each channel: A = −exp(a) + i ω, Δ = exp(δ)',
      'h_t = exp(ΔA) h_{t−1} + (exp(ΔA) − 1) / A · u',
      'y = 2 Re(C h_t) + D u          arXiv 2206.11893; it stands for S4',
      gluLine,
    ].join('\n'),
});
