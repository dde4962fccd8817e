// mLSTM (Beck et al. 2024): the LSTM of xLSTM whose cell is a matrix, with exponential gates.
import * as z from 'zod';
import { checkHeads, heads, headsOf, linearRecurrence, units } from './linear-recurrence.ts';
import { headSize, memoryKept, memoryWork } from './memory.ts';

const schema = z
  .strictObject({ type: z.literal('m-lstm'), units, heads })
  .describe('mLSTM: the LSTM of xLSTM whose cell is a matrix, with exponential gates (Beck et al. 2024).');

export const mLstm = linearRecurrence({
  schema,
  title: 'mLSTM',
  family: 'memory',
  weights: (layer, I) => {
    const [U, H] = [layer.units, headsOf(layer, layer.units)];
    return [
      [4, U, I],
      [4, U],
      [2, H, I],
      [2, H],
    ];
  },
  perStep: layer => memoryWork(layer, 1),
  kept: layer => 10 * layer.units + memoryKept(layer),
  state: layer => layer.units * (headSize(layer) + 1) + headsOf(layer, layer.units),
  check: layer => checkHeads(layer, layer.units),
  about: () =>
    [
      'i = exp(W_i x + b_i), f = σ(W_f x + b_f), of each head; o = σ(W_o x + b_o)',
      'C_t = f C_{t−1} + i v kᵀ; n_t = f n_{t−1} + i k',
      'y = o ⊙ C_t q / max(|n_t · q|, 1)          q / √K; arXiv 2405.04517',
    ].join('\n'),
});
