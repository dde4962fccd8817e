// LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000): gates i f g o and a cell state.
import * as z from 'zod';
import { error } from '../remark.ts';
import { biasesOf, chrono, recurrentFields, recurrentKind } from './recurrent.ts';

const schema = z
  .strictObject({
    type: z.literal('lstm'),
    ...recurrentFields,
    forgetBias: z
      .number()
      .optional()
      .describe('Initial bias of the forget gate; default: what the convention uses (PyTorch ~0, Keras 1).'),
    chrono,
  })
  .describe('Long short-term memory (Hochreiter & Schmidhuber 1997): gates i f g o and a cell state.');

const kind = recurrentKind({
  schema,
  title: 'LSTM',
  rival: 'gru',
  classic: true,
  gates: ['i', 'f', 'g', 'o'],
  keeps: 'f',
  keptPerUnit: 5,
  statePerUnit: 2,
  biases: (_, convention) => biasesOf(convention),
  about: () =>
    [
      'i_t, f_t, o_t = σ(W x_t + U h_{t-1} + b)',
      'g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)',
      'c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t',
      'h_t = o_t ⊙ tanh(c_t)',
    ].join('\n'),
});

export const lstm: typeof kind = {
  ...kind,
  check(layer, at) {
    const found = kind.check?.(layer, at) ?? [];
    if (layer.chrono === undefined || layer.forgetBias === undefined) return found;
    const both = '`forgetBias` and `chrono` both set the bias of the forget gate; leave one of them out.';
    return [...found, error(['forgetBias'], both)];
  },
};
