// Linear attention (Katharopoulos et al. 2020): softmax attention with 1 + elu in place of exp, as a recurrence.
import * as z from 'zod';
import { checkHeads, heads, linearRecurrence, units } from './linear-recurrence.ts';
import { headSize, memoryKept, memoryWork, projections } from './memory.ts';

const schema = z
  .strictObject({ type: z.literal('linear-attention'), units, heads })
  .describe('Linear attention: a sum of values under positive keys, normalised (Katharopoulos et al. 2020).');

export const linearAttention = linearRecurrence({
  schema,
  title: 'Linear attention',
  family: 'memory',
  weights: (layer, I) => projections(layer, I),
  perStep: layer => memoryWork(layer),
  kept: layer => 8 * layer.units + memoryKept(layer),
  state: layer => layer.units * (headSize(layer) + 1),
  check: layer => checkHeads(layer, layer.units),
  about: () =>
    [
      'q, k = 1 + elu(W x); v = W_v x',
      'S_t = S_{t−1} + v kᵀ; n_t = n_{t−1} + k',
      'y = W_o (S_t q / n_t · q)          arXiv 2006.16236',
    ].join('\n'),
});
