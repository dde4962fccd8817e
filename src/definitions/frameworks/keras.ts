// Keras, alone or in TensorFlow: recurrent layers, cells and wrappers, and what stands around them.
import type { CellKind } from '../definition.ts';
import type { Constructor, FrameworkRules, Role } from './framework.ts';

const LSTM_PLACES = ['units', 'activation', 'recurrent_activation', 'use_bias'];
const DEFAULTS = {
  activation: 'tanh',
  recurrent_activation: 'sigmoid',
  use_bias: true,
  dropout: 0,
  recurrent_dropout: 0,
  return_sequences: false,
  return_state: false,
  stateful: false,
  go_backwards: false,
};

type Signature = Pick<Constructor, 'positional' | 'defaults'>;
const LSTM: Signature = { positional: LSTM_PLACES, defaults: { ...DEFAULTS, unit_forget_bias: true } };
const GRU: Signature = { positional: LSTM_PLACES, defaults: { ...DEFAULTS, reset_after: true } };
const SIMPLE: Signature = { positional: ['units', 'activation', 'use_bias'], defaults: DEFAULTS };

const RECURRENTS: Readonly<Record<string, [CellKind | null, boolean, Signature]>> = {
  LSTM: ['LSTM', false, LSTM],
  GRU: ['GRU', false, GRU],
  SimpleRNN: ['RNN', false, SIMPLE],
  CuDNNLSTM: ['LSTM', false, LSTM],
  CuDNNGRU: ['GRU', false, GRU],
  LSTMCell: ['LSTM', true, LSTM],
  GRUCell: ['GRU', true, GRU],
  SimpleRNNCell: ['RNN', true, SIMPLE],
  /** getattr(layers, kind) */
  '*': [null, false, LSTM],
};

const POOL = ['pool_size', 'strides', 'padding'];
const OTHERS: Readonly<Record<string, [Role, readonly string[], Signature['defaults']]>> = {
  Embedding: ['embedding', ['input_dim', 'output_dim'], {}],
  Dense: ['dense', ['units', 'activation', 'use_bias'], { use_bias: true }],
  Dropout: ['dropout', ['rate'], {}],
  SpatialDropout1D: ['dropout', ['rate'], {}],
  Input: ['input', ['shape'], {}],
  InputLayer: ['input', ['input_shape'], {}],
  InputSpec: ['other', [], {}],
  Bidirectional: ['wrapper', ['layer', 'merge_mode'], { merge_mode: 'concat' }],
  TimeDistributed: ['wrapper', ['layer'], {}],
  RNN: ['wrapper', ['cell', 'return_sequences'], {}],
  Sequential: ['model', ['layers'], {}],
  Model: ['model', ['inputs', 'outputs'], {}],
  Activation: ['keeps', ['activation'], {}],
  Masking: ['keeps', ['mask_value'], {}],
  BatchNormalization: ['keeps', [], {}],
  LayerNormalization: ['keeps', [], {}],
  RepeatVector: ['repeat', ['n'], {}],
  LeakyReLU: ['keeps', [], {}],
  ReLU: ['keeps', [], {}],
  Normalization: ['keeps', [], {}],
  Flatten: ['other', [], {}],
  Reshape: ['other', ['target_shape'], {}],
  Permute: ['other', ['dims'], {}],
  Conv1D: ['other', ['filters', 'kernel_size', 'strides', 'padding'], {}],
  Convolution1D: ['other', ['filters', 'kernel_size'], {}],
  Conv2D: ['other', ['filters', 'kernel_size', 'strides', 'padding'], {}],
  SeparableConv1D: ['other', ['filters', 'kernel_size', 'strides', 'padding'], {}],
  SeparableConv2D: ['other', ['filters', 'kernel_size', 'strides', 'padding'], {}],
  Conv3D: ['other', ['filters', 'kernel_size', 'strides', 'padding'], {}],
  MaxPooling1D: ['other', POOL, {}],
  MaxPool1D: ['other', POOL, {}],
  AveragePooling1D: ['other', POOL, {}],
  MaxPooling2D: ['other', POOL, {}],
  MaxPool2D: ['other', POOL, {}],
  AveragePooling2D: ['other', POOL, {}],
  MaxPooling3D: ['other', POOL, {}],
  Concatenate: ['other', ['axis'], {}],
  ConvLSTM1D: ['sequence', ['filters', 'kernel_size', 'strides', 'padding'], {}],
  ConvLSTM2D: ['sequence', ['filters', 'kernel_size', 'strides', 'padding'], {}],
  ConvLSTM3D: ['sequence', ['filters', 'kernel_size', 'strides', 'padding'], {}],
};

/** keras.layers.LSTM, tensorflow.keras.layers.LSTM, tf.keras.layers.LSTM, keras.src.layers.rnn.lstm.LSTM … */
const MODULE =
  /^(?:(?:tensorflow|tensorflow_core|tf)(?:\.python|\.compat\.v[12]|\.contrib)?\.)?(?:tf_keras|keras)(?:\.\w+)*?\.([A-Za-z]\w*|\*)$/;
const LAYERS = /^layers\.([A-Za-z]\w*)$/;

export const keras: FrameworkRules = {
  framework: 'keras',
  convention: 'keras',
  names: {
    units: ['units', 'output_dim'],
    inputSize: [],
    layers: null,
    bidirectional: null,
    returnSequences: 'return_sequences',
    batchFirst: null,
  },
  recognise(qualified, isAt) {
    const bare =
      isAt && /^[A-Za-z]\w*$/.test(qualified) && (RECURRENTS[qualified] || OTHERS[qualified])
        ? qualified
        : null;
    const name = MODULE.exec(qualified)?.[1] ?? LAYERS.exec(qualified)?.[1] ?? bare;
    if (!name) return null;
    const recurrent = RECURRENTS[name];
    if (recurrent) {
      const [cell, isCell, signature] = recurrent;
      return { framework: 'keras', name, role: 'recurrent', cell, isCell, ...signature };
    }
    const other = OTHERS[name];
    // optimizers, callbacks and losses are no layers
    if (!other && !/(?:^|\.)layers\./.test(qualified)) return null;
    const [role, positional, defaults] = other ?? ['other', [], {}];
    return { framework: 'keras', name, role, cell: null, isCell: false, positional, defaults };
  },
};
