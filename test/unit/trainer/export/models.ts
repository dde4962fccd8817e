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
