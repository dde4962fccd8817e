// Small models that exports to other frameworks are checked with.
import type { ExperimentInput } from '../../../../src/experiment/schema.ts';

export type Layers = ExperimentInput['model']['layers'];

export interface Exported {
  layers: Layers;
  data?: ExperimentInput['data'];
  convention?: 'keras' | 'tfjs';
}

export const TEXT: ExperimentInput['data'] = { task: 'char-lm', path: 'text.txt', split: [0.8, 0.1, 0.1] };
export const NUMBERS: ExperimentInput['data'] = { task: 'adding', length: 12 };

export function experimentOf({ layers, data = TEXT, convention }: Exported): ExperimentInput {
  return {
    name: 'exported',
    data,
    model: { layers, ...(convention ? { convention } : {}) },
    training: {
      batchSize: 4,
      ...(data.task === 'char-lm' ? { seqLen: 8 } : {}),
      steps: 6,
      optimizer: { type: 'adam', learningRate: 0.05 },
      validation: { every: 6, maxBatches: 1 },
      sample: { every: 100 },
    },
  } as ExperimentInput;
}

/** Models that Keras and TensorFlow.js have the same form of. */
export const KERAS_AND_TFJS: Record<string, Exported> = {
  'an LSTM of two levels on symbols': {
    layers: [
      { type: 'embedding', dim: 4 },
      { type: 'lstm', units: 5, layers: 2, dropout: 0.2 },
      { type: 'dense', activation: 'tanh', units: 7 },
      { type: 'dense' },
    ],
  },
  'a GRU that resets before, with two biases': {
    layers: [{ type: 'gru', units: 6, resetAfter: false }, { type: 'dense' }],
  },
  'both directions at every step': {
    layers: [{ type: 'rnn', units: 3, bidirectional: true }, { type: 'lstm', units: 4 }, { type: 'dense' }],
    data: NUMBERS,
  },
  'RNNs with activations of their own, and a residual': {
    layers: [
      { type: 'rnn', units: 5, activation: 'relu' },
      { type: 'rnn', units: 5, activation: 'linear' },
      { type: 'rnn', units: 5, activation: 'sigmoid' },
      { type: 'dense', units: 5, activation: 'relu', residual: true },
      { type: 'dense' },
    ],
    data: NUMBERS,
  },
};
