// Gated DeltaNet (Yang et al. 2024): DeltaNet whose whole memory also decays.
import * as z from 'zod';
import { checkHeads, convSize, heads, headsOf, linearRecurrence, units } from './linear-recurrence.ts';
import { convolutions, headSize, memoryKept, memorySize, memoryWork, projections } from './memory.ts';

const schema = z
  .strictObject({ type: z.literal('gated-deltanet'), units, heads, convSize })
  .describe('Gated DeltaNet: DeltaNet with a decay of the whole memory (Yang et al. 2024).');

export const gatedDeltanet = linearRecurrence({
  schema,
  title: 'Gated DeltaNet',
  family: 'memory',
  weights: (layer, I) => [
    ...projections(layer, I),
    [layer.units, I],
    [2, headsOf(layer, layer.units), I],
    [2, headsOf(layer, layer.units)],
    ...convolutions(layer, 3),
    [headSize(layer)],
  ],
  perStep: layer => memoryWork(layer, 2) + 3 * (layer.convSize - 1) * layer.units,
  kept: layer => 16 * layer.units + memoryKept(layer),
  state: layer => memorySize(layer) + 3 * (layer.convSize - 1) * layer.units,
  check: layer => checkHeads(layer, layer.units),
  about: () =>
    [
      'q, k, v = silu(conv(W x)); q, k of length 1; β = σ(W_β x)',
      'α = exp(−exp(A) softplus(W_α x + b_α))',
      'S_t = α S_{t−1} (I − β k kᵀ) + β v kᵀ',
      'y = W_o (norm(S_t q / √K) ⊙ silu(W_g x))          arXiv 2412.06464',
    ].join('\n'),
});
