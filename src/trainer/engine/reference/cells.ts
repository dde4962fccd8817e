// The cells this provider computes. A new cell is its file and a line here.
import type { RecurrentCell } from '../provider.ts';
import type { ReferenceCell } from './cell.ts';
import { gruResetAfter } from './gru-reset-after.ts';
import { gruResetBefore } from './gru-reset-before.ts';
import { lstm } from './lstm.ts';
import { rnnLeakyRelu, rnnLinear, rnnRelu, rnnSigmoid, rnnTanh } from './rnn.ts';

export const referenceCells: Readonly<Record<RecurrentCell, ReferenceCell>> = {
  'rnn-tanh': rnnTanh,
  'rnn-relu': rnnRelu,
  lstm,
  'gru-reset-after': gruResetAfter,
  'gru-reset-before': gruResetBefore,
  'rnn-sigmoid': rnnSigmoid,
  'rnn-leaky-relu': rnnLeakyRelu,
  'rnn-linear': rnnLinear,
};
