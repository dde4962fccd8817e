// A person's own arrays: named numbers go in, named numbers or classes come out, at each step or once a sequence.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import {
  batching,
  column,
  onError,
  path,
  shuffle,
  split,
  triesNumbers,
  WHOLE_SEQUENCES,
} from './file-task.ts';
import type { TaskKind } from './kind.ts';

const names = z.array(column).min(1);

const schema = z
  .strictObject({
    task: z.literal('table'),
    path: path('A JSON lines, NPZ, Parquet, Arrow, .ts or ARFF file: one sequence a row;'),
    inputs: names.describe(
      'Columns the model reads: lists of numbers (steps), of lists (steps, features), or one number for all steps.',
    ),
    targets: names.describe('Columns to predict.'),
    predict: z
      .enum(['values', 'classes'])
      .default('values')
      .describe('Numbers, or one class of the values that the column has.'),
    at: z
      .enum(['sequence', 'step'])
      .default('sequence')
      .describe('One answer for each sequence, or one for each of its steps.'),
    maxLength: positiveInt.optional().describe('Longer sequences lose their end; default: the longest one.'),
    shuffle,
    batching: batching('Sequences'),
    onError,
    split: split.default([0.8, 0.1, 0.1]),
  })
  .describe('Predict named numbers or classes from named arrays of numbers.');

export const table: TaskKind<typeof schema> = {
  schema,
  title: 'Own arrays',
  loss: { at: 'sequence', of: 'values', unit: 'mse' },
  lossOf: ({ predict, at }) => ({
    at: at === 'step' ? 'every-step' : 'sequence',
    of: predict,
    unit: predict === 'classes' ? 'nats' : 'mse',
  }),
  metrics: [
    { name: 'rmse', label: 'RMSE', unit: '', better: 'lower' },
    { name: 'accuracy', label: 'Accuracy', unit: '%', better: 'higher' },
    { name: 'balancedAccuracy', label: 'Balanced accuracy', unit: '%', better: 'higher' },
  ],
  metricsOf: ({ predict }) => (predict === 'classes' ? table.metrics.slice(1) : table.metrics.slice(0, 1)),
  ...WHOLE_SEQUENCES,
  reads: 'arrays',
  outputsFrom: 'the targets',
  tries: triesNumbers,
  check({ predict, targets, inputs }) {
    if (predict === 'classes' && targets.length > 1)
      return [error(['targets'], `Classes are those of one column, found ${targets.length}; name one.`)];
    const both = targets.find(name => inputs.includes(name));
    if (both !== undefined)
      return [
        error(['targets'], `"${both}" is among the inputs too: the model would read what it is to predict.`),
      ];
    return [];
  },
  suits({ path, columns }) {
    const arrays = columns.filter(({ kind }) => kind === 'array');
    const numbers = columns.filter(({ kind }) => kind === 'number');
    const target = arrays.length > 1 ? arrays.at(-1) : arrays.length > 0 ? numbers.at(-1) : undefined;
    if (!target) return null;
    const inputs = [...arrays, ...numbers].filter(each => each !== target).map(({ name }) => name);
    const at = target.kind === 'array' ? ({ at: 'step' } as const) : {};
    return {
      data: { task: 'table', path, inputs, targets: [target.name], ...at },
      why: `numbers of "${target.name}" from ${inputs.map(name => `"${name}"`).join(', ')}`,
    };
  },
  starter: {
    description: 'predict arrays',
    data: ({ path, column }) => ({ task: 'table', path, inputs: [column || 'x'], targets: ['y'] }),
    embedding: 0,
    training: { learningRate: 0.003, steps: 1000 },
  },
};
