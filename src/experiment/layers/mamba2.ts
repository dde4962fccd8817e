// Mamba-2 (Dao & Gu 2024): a selective state space model with one decay of each head, a memory of values.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { checkHeads, convSize, heads, headsOf, linearRecurrence, units } from './linear-recurrence.ts';

const schema = z
  .strictObject({
    type: z.literal('mamba2'),
    units,
    heads,
    convSize,
    stateSize: positiveInt.default(16).describe('Numbers of a key, B and C.'),
    expand: positiveInt.default(2).describe('Inner width as a multiple of the units, which the heads share.'),
  })
  .describe('Mamba-2: a selective state space model with one decay of each head (Dao & Gu 2024).');

/** What the short convolution reads: x, B and C. */
function channelsOf(layer: { units: number; expand: number; stateSize: number }): number {
  return layer.expand * layer.units + 2 * layer.stateSize;
}

export const mamba2 = linearRecurrence({
  schema,
  title: 'Mamba-2',
  family: 'memory',
  weights: (layer, I) => {
    const [U, E, N] = [layer.units, layer.expand * layer.units, layer.stateSize];
    const H = headsOf(layer, E);
    const conv = layer.convSize > 1 ? [[E + 2 * N, layer.convSize + 1]] : [];
    return [[2, E, I], [2, N, I], [H, I], [3, H], ...conv, [E], [U, E]];
  },
  perStep: layer =>
    3 * layer.expand * layer.units * layer.stateSize + (layer.convSize - 1) * channelsOf(layer),
  kept: layer => 12 * channelsOf(layer),
  state: layer => layer.expand * layer.units * layer.stateSize + (layer.convSize - 1) * channelsOf(layer),
  check: layer => checkHeads(layer, layer.expand * layer.units),
  about: () =>
    [
      'x, B, C = silu(conv(W x)); Δ = softplus(W_Δ x + b); α = exp(−exp(a) Δ)',
      'S_t = α S_{t−1} + Δ x Bᵀ',
      'y = W_o norm((S_t C + D x) ⊙ silu(W_z x))          arXiv 2405.21060',
    ].join('\n'),
});
