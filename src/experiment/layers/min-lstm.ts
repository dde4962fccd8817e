// minLSTM (Feng et al. 2024): an LSTM whose gates read the input alone, normalised so that they sum to 1.
import * as z from 'zod';
import { linearRecurrence, units } from './linear-recurrence.ts';
import { candidateField } from './min-gru.ts';

const schema = z
  .strictObject({ type: z.literal('min-lstm'), units, candidate: candidateField })
  .describe('minLSTM: an LSTM whose gates do not read the previous state (Feng et al. 2024).');

export const minLstm = linearRecurrence({
  schema,
  title: 'minLSTM',
  family: 'scan',
  weights: (layer, I) => [
    [3, layer.units, I],
    [3, layer.units],
  ],
  perStep: layer => 2 * layer.units,
  kept: layer => 7 * layer.units,
  state: layer => layer.units,
  about: () =>
    [
      "f, i = σ(W_f x + b_f), σ(W_i x + b_i); f' = f / (f + i), i' = i / (f + i)",
      "h_t = f' ⊙ h_{t−1} + i' ⊙ (W_h x + b_h)          arXiv 2410.01201",
    ].join('\n'),
});
