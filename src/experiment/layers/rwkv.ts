// RWKV-7 (Peng et al. 2025): a memory that decays by channel and rewrites what stands under a key.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { checkHeads, heads, linearRecurrence, units } from './linear-recurrence.ts';
import { memorySize, memoryWork } from './memory.ts';

const schema = z
  .strictObject({
    type: z.literal('rwkv'),
    units,
    heads,
    rank: positiveInt.default(16).describe('Width between the two matrices of decay, rate and gate.'),
  })
  .describe(
    'RWKV-7 time mixing: a memory that decays by channel and rewrites under a key (Peng et al. 2025).',
  );

export const rwkv = linearRecurrence({
  schema,
  title: 'RWKV-7',
  family: 'memory',
  weights: (layer, I) => {
    const [U, R] = [layer.units, layer.rank];
    return [
      [6, I],
      [3, U, I],
      [3, R, I],
      [3, U, R],
      [7, U],
      [U, U],
    ];
  },
  perStep: (layer, I) => memoryWork(layer, 2) + 6 * I,
  kept: (layer, I) => 28 * layer.units + 13 * I + 3 * layer.rank,
  state: (layer, I) => memorySize(layer) + I,
  check: layer => checkHeads(layer, layer.units),
  about: () =>
    [
      'x_r = x_t + μ_r ⊙ (x_{t−1} − x_t), and so for w, k, v, a, g',
      'w = exp(−e^(−1/2) σ(…)), a = σ(…), κ = (k ⊙ ξ) / ‖k ⊙ ξ‖',
      'S_t = S_{t−1} (diag(w) − κ (a ⊙ κ)ᵀ) + v (k ⊙ (1 + (a − 1) ⊙ α))ᵀ',
      'y = W_o ((norm(S_t r) + (Σ r k ρ) v) ⊙ g)          arXiv 2503.14456',
    ].join('\n'),
});
