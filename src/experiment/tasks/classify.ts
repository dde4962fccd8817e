// Classification: one label for each text or sound, or for each series of a table in long form.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { sound } from './features.ts';
import {
  batching,
  columnOrNumber,
  header,
  minCount,
  namedWithoutHeader,
  onError,
  path,
  seriesId,
  shuffle,
  split,
  triesSequence,
  units,
  WHOLE_SEQUENCES,
} from './file-task.ts';
import type { TaskKind } from './kind.ts';

const schema = z
  .strictObject({
    task: z.literal('classify'),
    path: path('A table, or a folder with a folder of texts for each class;'),
    label: columnOrNumber.describe('The column that holds the class: its name, or its number from 0.'),
    text: columnOrNumber.optional().describe('The column that holds the text; one row is one sequence.'),
    header,
    ...sound,
    units: units.describe('What a step of a text is.'),
    minCount: minCount('Units', 'one unknown symbol'),
    lowercase: z
      .boolean()
      .default(false)
      .describe('Read texts without case: small data then have fewer words, each seen more often.'),
    values: z
      .array(columnOrNumber)
      .min(1)
      .optional()
      .describe(
        'Columns of numbers, where a sequence is a series: one row is one step. Without `id`, columns of arrays: one row is one series.',
      ),
    id: seriesId,
    image: z
      .strictObject({
        width: positiveInt.describe('Pixels of a row of the image.'),
        by: z
          .enum(['rows', 'pixels'])
          .default('rows')
          .describe('A step is a row of the image, or one pixel.'),
        header: z.boolean().default(true).describe('Whether the first line of the file names its columns.'),
      })
      .optional()
      .describe('Each row is an image: all columns but the label are its pixels, row after row.'),
    classWeights: z
      .union([z.enum(['none', 'balanced']), z.record(z.string(), z.number().gt(0))])
      .default('none')
      .describe('Weights of the classes in the loss; balanced: each class counts as much as any other.'),
    maxLength: positiveInt.optional().describe('Longer sequences lose their end; default: the longest one.'),
    shuffle: shuffle.describe(
      'Draw the parts by the seed, each class in each; false: in the order of the file.',
    ),
    batching: batching('Sequences'),
    onError,
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
  ...WHOLE_SEQUENCES,
  reads: 'table',
  outputsFrom: 'the number of classes',
  tries: triesSequence,
  check({ text, values, id, image, label, audio, features: asked, lowercase, units: unit, header }) {
    if (lowercase && (text === undefined || unit === 'bytes'))
      return [error(['lowercase'], 'Case is of `text` in characters or words; leave `lowercase` out.')];
    if (audio !== undefined && (text ?? values ?? image) !== undefined)
      return [error(['audio'], 'A sequence has one input: name `audio`, or `text`, or `values` and `id`.')];
    if (asked && audio === undefined)
      return [error(['features'], '`features` are of sound: name the column of WAV files with `audio`.')];
    if (image && (text !== undefined || values !== undefined))
      return [error(['image'], 'All columns but the label are pixels; leave `text` and `values` out.')];
    const unnamed = namedWithoutHeader(header, { label, text, audio, values, id });
    if (unnamed.length > 0) return unnamed;
    if (label === text || label === audio)
      return [error(['label'], 'The label and what is read are the same column; name two.')];
    if (image || audio !== undefined) return [];
    if (text !== undefined && values !== undefined)
      return [
        error(['values'], 'A sequence is a text or a series: name `text`, or `values` and `id`, not both.'),
      ];
    if (text === undefined && values === undefined)
      return [error([], 'Name what is to be classified: `text`, `audio`, `image`, or `values` with `id`.')];
    if (text !== undefined && id !== undefined)
      return [error(['id'], '`id` tells which rows belong to one series of `values`; leave it out.')];
    return [];
  },
  suits({ path, columns, isHeadless }) {
    const [label] = columns
      .filter(({ isLabel, kind, names }) => isLabel && !names && (kind === 'text' || kind === 'number'))
      .sort((a, b) => Number(b.kind === 'text') - Number(a.kind === 'text') || a.different - b.different);
    if (!label) return null;
    const place = ({ name }: { name: string }) => (isHeadless ? Number(name) : name);
    const common = { task: 'classify', path, label: place(label) } as const;
    const of = `classes in "${label.name}"`;
    const arrays = columns.filter(({ kind }) => kind === 'array').map(({ name }) => name);
    if (arrays.length > 0)
      return { data: { ...common, values: arrays }, why: `series in "${arrays[0]}", ${of}`, vectors: true };
    const sound = columns.find(({ names }) => names === 'sounds');
    if (sound)
      return {
        data: { ...common, audio: place(sound) },
        why: `sounds of "${sound.name}", ${of}`,
        vectors: true,
      };
    const texts = columns.filter(
      each => each.kind === 'text' && each !== label && !each.names && each.median > 1,
    );
    const text = texts.findLast(each => !each.isLabel) ?? texts.at(-1);
    return text ? { data: { ...common, text: place(text) }, why: `texts in "${text.name}", ${of}` } : null;
  },
  starter: {
    description: 'tell the class of each sequence',
    data: ({ path, column: text }) => ({ task: 'classify', path, text, label: '' }),
    embedding: 32,
    training: { learningRate: 0.003, steps: 1000 },
  },
};
