// DeltaNet (Schlag et al. 2021, Yang et al. 2024): a memory that overwrites what stands under a key.
import * as z from 'zod';
import { checkHeads, convSize, heads, headsOf, linearRecurrence, units } from './linear-recurrence.ts';
import { convolutions, headSize, memoryKept, memorySize, memoryWork, projections } from './memory.ts';

const schema = z
  .strictObject({ type: z.literal('deltanet'), units, heads, convSize })
  .describe(
    'DeltaNet: a matrix memory that replaces what it holds under a key (Schlag et al. 2021, Yang et al. 2024).',
  );

export const deltanet = linearRecurrence({
  schema,
  title: 'DeltaNet',
  family: 'memory',
  weights: (layer, I) => [
    ...projections(layer, I),
    [headsOf(layer, layer.units), I],
    ...convolutions(layer, 3),
    [headSize(layer)],
  ],
  perStep: layer => memoryWork(layer, 1) + 3 * (layer.convSize - 1) * layer.units,
  kept: layer => 14 * layer.units + memoryKept(layer),
  state: layer => memorySize(layer) + 3 * (layer.convSize - 1) * layer.units,
  check: layer => checkHeads(layer, layer.units),
  about: () =>
    [
      'q, k, v = silu(conv(W x)); q, k of length 1; β = σ(W_β x)',
      'S_t = S_{t−1} (I − β k kᵀ) + β v kᵀ',
      'y = W_o norm(S_t q / √K)          arXiv 2102.11174, 2406.06484',
    ].join('\n'),
});
