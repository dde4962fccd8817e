// The names of recurrent cells, and what their backward passes tell. Legend of shapes and rules: provider.ts.
import type { Slice } from './slices.ts';

/**
 * The cells, in PyTorch's gate order and bias layout:
 * - `rnn-tanh`, `rnn-relu`, `rnn-sigmoid`, `rnn-leaky-relu` (slope 0.01 below 0), `rnn-linear`: no gates
 * - `lstm`: i f g o
 * - `gru-reset-after`:  r z n, n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)) (PyTorch, Keras's default)
 * - `gru-reset-before`: r z n, n = tanh(W_in x + b_in + W_hn (r ⊙ h) + b_hn) (Cho et al. 2014, tfjs)
 */
export type RecurrentCell =
  | 'rnn-tanh'
  | 'rnn-relu'
  | 'lstm'
  | 'gru-reset-after'
  | 'gru-reset-before'
  | 'rnn-sigmoid'
  | 'rnn-leaky-relu'
  | 'rnn-linear';

/**
 * By-products of the backward pass, in columns of time. Without lengths column t is place t in the input, also when
 * `reverse` is set. With lengths all sequences share the column of the step that they read last: T-1, or 0 when
 * `reverse` is set. Means are over the sequences that have the column; 0 where none has.
 */
export interface RecurrentReportOut {
  /** (T) mean of ‖∂L/∂h_t‖₂, the total derivative: through y and through all later steps */
  readonly hiddenGradNorm: Slice;
  /** (T) the same of c_t; LSTM only */
  readonly cellGradNorm: Slice | null;
  /** (gates, T) mean activation over batch and units; null for cells without gates or when not wanted */
  readonly gateMean: Slice | null;
  /** (gates, T) share of activations within 0.1 of an end of their range: (0, 1), or (-1, 1) for g and n */
  readonly gateSaturation: Slice | null;
}
