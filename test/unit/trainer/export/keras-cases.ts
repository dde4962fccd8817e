// Models that Keras has a form of; `test/golden/keras_archive.py` loads their exports in Keras.
import { type Exported, KERAS_AND_TFJS, NUMBERS } from './models.ts';

export const kerasCases: Record<string, Exported> = {
  ...KERAS_AND_TFJS,
  'a GRU that resets after, on symbols without an embedding': {
    layers: [{ type: 'gru', units: 6 }, { type: 'dense' }],
  },
  'a GRU that resets before': { layers: [{ type: 'gru', units: 6 }, { type: 'dense' }], convention: 'tfjs' },
  'an LSTM with one bias': { layers: [{ type: 'lstm', units: 4 }, { type: 'dense' }], convention: 'keras' },
  'both directions, whose last states are read': {
    layers: [{ type: 'gru', units: 4, layers: 2, bidirectional: true }, { type: 'dense' }],
    data: NUMBERS,
  },
  'norms, dropout, convolutions and pooling': {
    layers: [
      { type: 'dense', units: 6 },
      { type: 'conv1d', units: 6, kernelSize: 3, dilation: 2, groups: 2, activation: 'gelu' },
      { type: 'layer-norm' },
      { type: 'conv1d', units: 6, kernelSize: 4, padding: 'same' },
      { type: 'rms-norm' },
      { type: 'conv1d', units: 4, kernelSize: 2, padding: 'valid', stride: 2 },
      { type: 'dropout', rate: 0.5 },
      { type: 'batch-norm' },
      { type: 'pool', mode: 'mean', kernelSize: 2 },
      { type: 'dense' },
    ],
    data: NUMBERS,
  },
  'pooling of all steps': {
    layers: [{ type: 'conv1d', units: 6 }, { type: 'pool', global: true }, { type: 'dense' }],
    data: NUMBERS,
  },
};
