// RG-LRU (De et al. 2024): the real gated linear recurrence of Griffin.
import * as z from 'zod';
import { linearRecurrence, units } from './linear-recurrence.ts';

const schema = z
  .strictObject({ type: z.literal('rg-lru'), units })
  .describe('RG-LRU: the gated linear recurrence of Griffin (De et al. 2024).');

export const rgLru = linearRecurrence({
  schema,
  title: 'RG-LRU',
  family: 'scan',
  weights: (layer, I) => [
    [layer.units, I],
    [2, layer.units, layer.units],
    [4, layer.units],
  ],
  perStep: layer => 2 * layer.units,
  kept: layer => 8 * layer.units,
  state: layer => layer.units,
  about: () =>
    [
      'u = W x + b; r, i = σ(W_r u + b_r), σ(W_i u + b_i)',
      'a = exp(−8 softplus(Λ) r)',
      'h_t = a ⊙ h_{t−1} + √(1 − a²) ⊙ (i ⊙ u)          arXiv 2402.19427',
    ].join('\n'),
});
