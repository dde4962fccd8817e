// Small models that exports to other frameworks are checked with.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExperimentInput } from '../../../../src/experiment/schema.ts';
import { workspaceFolder } from '../training/runs.ts';

export type Layers = ExperimentInput['model']['layers'];

export interface Exported {
  layers: Layers;
  data?: ExperimentInput['data'];
  convention?: 'keras' | 'tfjs';
}

export const TEXT: ExperimentInput['data'] = { task: 'char-lm', path: 'text.txt', split: [0.8, 0.1, 0.1] };
export const NUMBERS: ExperimentInput['data'] = { task: 'adding', length: 12 };

/** Of each word its beginning, end and shape too: several symbols a step. */
export const TAGS: ExperimentInput['data'] = { task: 'tag', path: 'tags.txt', tags: 1 };

function tagged(): string {
  const words = ['John N', 'runs V', 'Anna N', 'sits V', 'home A'];
  return Array.from({ length: 30 }, (_, at) =>
    words.map((_, place) => `${words[(at + place * place) % words.length]}\n`).join(''),
  ).join('\n');
}

export function experimentOf({ layers, data = TEXT, convention }: Exported): ExperimentInput {
  if (data === TAGS) writeFileSync(join(workspaceFolder(), 'tags.txt'), tagged());
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
  'several symbols a step, whose vectors are averaged': {
    layers: [
      { type: 'embedding', dim: 4 },
      { type: 'lstm', units: 3, bidirectional: true },
      { type: 'dense' },
    ],
    data: TAGS,
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
