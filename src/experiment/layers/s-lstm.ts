// sLSTM (Beck et al. 2024): the LSTM of xLSTM with exponential gates and a normaliser, whose gates read h.
import * as z from 'zod';
import { linearRecurrence, units } from './linear-recurrence.ts';

const schema = z
  .strictObject({ type: z.literal('s-lstm'), units })
  .describe('sLSTM: an LSTM with exponential input gates and a normaliser (xLSTM, Beck et al. 2024).');

export const sLstm = linearRecurrence({
  schema,
  title: 'sLSTM',
  family: 'recurrent',
  weights: (layer, I) => [
    [4, layer.units, I],
    [4, layer.units, layer.units],
    [4, layer.units],
  ],
  perStep: layer => 6 * layer.units,
  // gates 5, c n m, what the product reads, the projected inputs and their gradient; 19 were measured
  kept: layer => 19 * layer.units,
  state: layer => 4 * layer.units,
  about: () =>
    [
      'z = tanh(…), i = exp(…), f = σ(…), o = σ(…) of W x_t + R h_{t−1} + b',
      'c_t = f ⊙ c_{t−1} + i ⊙ z; n_t = f ⊙ n_{t−1} + i',
      'h_t = o ⊙ c_t / n_t          arXiv 2405.04517',
    ].join('\n'),
});
