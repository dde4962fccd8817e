// Abilities at full lengths: which layer solves which task, beside what theory says. A claim holds when at least two of
// three seeds are on its side.
import { expandComparison } from '../src/experiment/compare.ts';
import { parseExperiment } from '../src/experiment/parse.ts';
import type { Experiment } from '../src/experiment/schema.ts';

export interface Claim {
  /** of the layer in the middle, between a dense layer and the last one */
  cell: { type: string; [field: string]: unknown };
  can: boolean;
  /** how many of the layer stand on each other; default 1 */
  depth?: number;
  /** default: those of the task */
  steps?: number;
  learningRate?: number;
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
    steps: 600,
    claims: [
      { cell: { type: 'gru', chrono: 200 }, can: true },
      { cell: { type: 'lstm', forgetBias: 3 }, can: true, steps: 1800 },
    ],
  },
  'adding-400': {
    title: 'The adding problem, T = 400',
    data: { task: 'adding', length: 400 },
    figure: 'accuracy',
    solved: 0.9,
    steps: 800,
    claims: [
      { cell: { type: 'gru', chrono: 400 }, can: true },
      { cell: { type: 'min-gru' }, can: true, steps: 2000 },
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
      { cell: { type: 'lru', rMin: 0.99, rMax: 0.999 }, can: true, steps: 1500 },
      { cell: { type: 'tcn', layers: 6 }, can: true, steps: 600 },
      { cell: transformer, can: true, steps: 1500, learningRate: 0.001 },
      { cell: { type: 'rnn' }, can: false },
    ],
  },
  'temporal-order-100': {
    title: 'Temporal order, T = 100',
    data: { task: 'temporal-order', length: 100 },
    figure: 'accuracy',
    solved: 0.95,
    steps: 500,
    learningRate: 0.003,
    claims: [
      { cell: { type: 'lstm', chrono: 100 }, can: true },
      { cell: { type: 'gru', chrono: 100 }, can: true },
    ],
  },
  'selective-copy-64': {
    title: 'Selective copying of 8 symbols among 64 steps',
    data: { task: 'selective-copy' },
    figure: 'accuracy',
    solved: 0.9,
    steps: 1500,
    learningRate: 0.003,
    claims: [
      { cell: { type: 'mamba', residual: true }, depth: 2, can: true },
      { cell: { type: 's4d', residual: true }, depth: 2, can: false },
    ],
  },
  'associative-recall-32': {
    title: 'Associative recall of 16 pairs',
    data: { task: 'associative-recall', length: 32, queries: 16 },
    figure: 'accuracy',
    solved: 0.9,
    steps: 1000,
    learningRate: 0.003,
    claims: [
      { cell: { type: 'deltanet' }, can: true },
      { cell: { ...transformer, positions: 'rotary' }, can: true, learningRate: 0.001 },
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

export const DEFAULT_RATE = 0.005;

/** What a claim sets of its layer, in words. */
export function settingOf({ cell: { type: _, ...fields }, depth = 1 }: Claim): string {
  const words = Object.entries(fields).map(([field, value]) =>
    value === true ? field : `${field} ${String(value)}`,
  );
  return [...(depth > 1 ? [`${depth} of it`] : []), ...words].join(', ');
}

/** 64 units behind a dense layer of 64, so that each layer reads vectors of one width. */
export function experimentsOf(task: AbilityTask, claim: Claim, seeds: number): Experiment[] {
  const { cell, depth = 1, steps = task.steps } = claim;
  const { learningRate = task.learningRate ?? DEFAULT_RATE } = claim;
  const places = Array.from({ length: depth }, () => ({ type: 'gru', units: 64 }));
  const { experiment, problems } = parseExperiment(
    JSON.stringify({
      data: task.data,
      model: { layers: [{ type: 'dense', units: 64 }, ...places, { type: 'dense' }] },
      training: {
        optimizer: { type: 'adam', learningRate },
        schedule: { type: 'cosine', warmup: 50 },
        batchSize: 32,
        steps,
        validation: { every: Math.ceil(steps / 10) },
      },
      compare: { cell: [cell], seeds },
    }),
  );
  if (!experiment) throw new Error(problems.map(({ message }) => message).join(' '));
  return expandComparison(experiment).map(member => member.experiment);
}
