// Gated linear attention (Yang et al. 2023): a decay of each key channel that the input decides.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { checkHeads, heads, linearRecurrence, units } from './linear-recurrence.ts';
import { headSize, memoryKept, memorySize, memoryWork, projections } from './memory.ts';

const schema = z
  .strictObject({
    type: z.literal('gla'),
    units,
    heads,
    rank: positiveInt.default(16).describe('Width between the two matrices of the decay.'),
  })
  .describe('Gated linear attention: a matrix memory that forgets by channel (Yang et al. 2023).');

export const gla = linearRecurrence({
  schema,
  title: 'GLA',
  family: 'memory',
  weights: (layer, I) => [
    ...projections(layer, I),
    [layer.units, I],
    [layer.rank, I],
    [layer.units, layer.rank],
    [layer.units],
    [headSize(layer)],
  ],
  perStep: layer => memoryWork(layer, 1),
  kept: layer => 14 * layer.units + layer.rank + memoryKept(layer),
  state: layer => memorySize(layer),
  check: layer => checkHeads(layer, layer.units),
  about: () =>
    [
      'α = σ(W_2 W_1 x + b)^(1/16)',
      'S_t = S_{t−1} diag(α) + v kᵀ',
      'y = W_o (norm(S_t q / √K) ⊙ silu(W_g x))          arXiv 2312.06635',
    ].join('\n'),
});
