// Classification: one label for each text or sound, or for each series of a table in long form.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { features } from './features.ts';
import type { TaskKind } from './kind.ts';
import { split } from './split.ts';

const column = z.string().min(1);

const schema = z
  .strictObject({
    task: z.literal('classify'),
    path: z.string().min(1).describe('A CSV or TSV file with a header, relative to this experiment file.'),
    label: column.describe('The column that holds the class.'),
    text: column.optional().describe('The column that holds the text; one row is one sequence.'),
    audio: column.optional().describe('The column that names a WAV file, relative to the table.'),
    features: features.optional(),
    units: z
      .enum(['characters', 'words', 'bytes'])
      .default('characters')
      .describe('What a step of a text is.'),
    minCount: positiveInt
      .default(1)
      .describe('Units seen fewer times than this in the training part become one unknown symbol.'),
    values: z
      .array(column)
      .min(1)
      .optional()
      .describe('Columns of numbers, where a sequence is a series: one row is one step.'),
    id: column.optional().describe('The column that tells which rows belong to one series, with `values`.'),
    maxLength: positiveInt.optional().describe('Longer sequences lose their end; default: the longest one.'),
    shuffle: z
      .boolean()
      .default(true)
      .describe('Draw the parts by the seed, each class in each; false: in the order of the file.'),
    batching: z
      .enum(['buckets', 'mixed'])
      .default('buckets')
      .describe('Sequences of like lengths together, or as they are drawn.'),
    split: split.default([0.8, 0.1, 0.1]),
  })
  .describe('Tell the class of each text, sound or series.');

export const classify: TaskKind<typeof schema> = {
  schema,
  title: 'Classify',
  loss: { at: 'sequence', of: 'classes', unit: 'nats' },
  metrics: [
    { name: 'accuracy', label: 'Accuracy', unit: '%', better: 'higher' },
    { name: 'balancedAccuracy', label: 'Balanced accuracy', unit: '%', better: 'higher' },
  ],
  predictsNext: false,
  stream: false,
  needs: 'layers',
  reads: 'table',
  stepsField: 'maxLength',
  outputsFrom: 'the number of classes',
  steps: ({ maxLength }) => maxLength ?? Number.NaN,
  sizes: () => null,
  check({ text, values, id, audio, features: asked }) {
    if (audio !== undefined && (text ?? values) !== undefined)
      return [error(['audio'], 'A sequence has one input: name `audio`, or `text`, or `values` and `id`.')];
    if (asked && audio === undefined)
      return [error(['features'], '`features` are of sound: name the column of WAV files with `audio`.')];
    if (audio !== undefined) return [];
    if (text !== undefined && values !== undefined)
      return [
        error(['values'], 'A sequence is a text or a series: name `text`, or `values` and `id`, not both.'),
      ];
    if (text === undefined && values === undefined)
      return [error([], 'Name what is to be classified: `text`, `audio`, or `values` and `id`.')];
    if (values && id === undefined)
      return [error(['values'], '`id` is missing: the column that tells which rows belong to one series.')];
    return [];
  },
  starter: {
    description: 'tell the class of each text',
    data: ({ path, column: text }) => ({ task: 'classify', path, text, label: '' }),
    embedding: 32,
    training: { learningRate: 0.003, steps: 1000 },
  },
};
