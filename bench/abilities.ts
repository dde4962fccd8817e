// Abilities at full lengths: which layer solves which task, beside what theory says. A claim holds when at least two of
// three seeds are on its side.
import { expandComparison } from '../src/experiment/compare.ts';
import { parseExperiment } from '../src/experiment/parse.ts';
import type { Experiment } from '../src/experiment/schema.ts';

export interface Claim {
  /** of the layer in the middle, between a dense layer and the last one */
  cell: { type: string; [field: string]: unknown };
  can: boolean;
}

export interface AbilityTask {
  title: string;
  data: object;
  /** figure of the test part, and what is solved */
  figure: string;
  solved: number;
  steps: number;
  learningRate?: number;
  claims: Claim[];
}

const transformer = { type: 'transformer', layers: 2 };

export const ABILITIES: Record<string, AbilityTask> = {
  'adding-200': {
    title: 'The adding problem, T = 200',
    data: { task: 'adding', length: 200 },
    figure: 'accuracy',
    solved: 0.9,
    steps: 3000,
    claims: [
      { cell: { type: 'gru' }, can: true },
      { cell: { type: 'lstm' }, can: true },
    ],
  },
  'adding-400': {
    title: 'The adding problem, T = 400',
    data: { task: 'adding', length: 400 },
    figure: 'accuracy',
    solved: 0.9,
    steps: 3000,
    claims: [
      { cell: { type: 'gru' }, can: true },
      { cell: { type: 'min-gru' }, can: true },
    ],
  },
  'copy-memory-100': {
    title: 'Copy memory, T = 100',
    data: { task: 'copy-memory', length: 100 },
    figure: 'accuracy',
    solved: 0.9,
    steps: 3000,
    learningRate: 0.003,
    claims: [
      { cell: { type: 'lru' }, can: true },
      { cell: { type: 'tcn', layers: 6 }, can: true },
      { cell: transformer, can: true },
      { cell: { type: 'rnn' }, can: false },
    ],
  },
  'temporal-order-100': {
    title: 'Temporal order, T = 100',
    data: { task: 'temporal-order', length: 100 },
    figure: 'accuracy',
    solved: 0.95,
    steps: 2000,
    learningRate: 0.003,
    claims: [
      { cell: { type: 'lstm' }, can: true },
      { cell: { type: 'gru' }, can: true },
    ],
  },
  'selective-copy-64': {
    title: 'Selective copying of 8 symbols among 64 steps',
    data: { task: 'selective-copy' },
    figure: 'accuracy',
    solved: 0.9,
    steps: 4000,
    learningRate: 0.003,
    claims: [
      { cell: { type: 'mamba' }, can: true },
      { cell: { type: 's4d' }, can: false },
    ],
  },
  'associative-recall-32': {
    title: 'Associative recall of 16 pairs',
    data: { task: 'associative-recall', length: 32 },
    figure: 'accuracy',
    solved: 0.9,
    steps: 4000,
    learningRate: 0.003,
    claims: [
      { cell: { type: 'deltanet' }, can: true },
      { cell: transformer, can: true },
    ],
  },
  'parity-64': {
    title: 'Parity of 64 bits after 16 in training',
    data: { task: 'parity', length: 16, testLength: 64 },
    figure: 'sequenceAccuracy',
    solved: 0.95,
    steps: 1000,
    claims: [
      { cell: { type: 'rnn' }, can: true },
      { cell: { type: 's-lstm' }, can: true },
      { cell: { type: 'min-gru' }, can: false },
      { cell: { type: 'mamba' }, can: false },
      { cell: { type: 'linear-attention' }, can: false },
    ],
  },
};

/** 64 units behind a dense layer of 64, so that each layer reads vectors of one width. */
export function experimentsOf(task: AbilityTask, { cell }: Claim, seeds: number): Experiment[] {
  const { experiment, problems } = parseExperiment(
    JSON.stringify({
      data: task.data,
      model: { layers: [{ type: 'dense', units: 64 }, { type: 'gru', units: 64 }, { type: 'dense' }] },
      training: {
        optimizer: { type: 'adam', learningRate: task.learningRate ?? 0.005 },
        schedule: { type: 'cosine', warmup: 50 },
        batchSize: 32,
        steps: task.steps,
        validation: { every: Math.ceil(task.steps / 10) },
      },
      compare: { cell: [cell], seeds },
    }),
  );
  if (!experiment) throw new Error(problems.map(({ message }) => message).join(' '));
  return expandComparison(experiment).map(member => member.experiment);
}
