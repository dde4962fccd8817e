// Retention (Sun et al. 2023): linear attention whose memory decays at a fixed rate of each head.
import * as z from 'zod';
import { checkHeads, heads, linearRecurrence, units } from './linear-recurrence.ts';
import { headSize, memoryKept, memorySize, memoryWork, projections } from './memory.ts';

const schema = z
  .strictObject({ type: z.literal('retnet'), units, heads })
  .describe('Retention: a matrix memory with a fixed decay of each head (RetNet, Sun et al. 2023).');

export const retnet = linearRecurrence({
  schema,
  title: 'RetNet',
  family: 'memory',
  weights: (layer, I) => [...projections(layer, I), [layer.units, I], [headSize(layer)]],
  perStep: layer => memoryWork(layer, 1),
  kept: layer => 11 * layer.units + memoryKept(layer),
  state: layer => memorySize(layer),
  check: layer => checkHeads(layer, layer.units),
  about: () =>
    [
      'S_t = γ S_{t−1} + v kᵀ / √K          γ = 1 − 2^(−5−head)',
      'y = W_o (norm(S_t q) ⊙ silu(W_g x))          arXiv 2307.08621, without its rotation of q and k',
    ].join('\n'),
});
