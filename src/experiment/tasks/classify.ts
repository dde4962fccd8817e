// Classification: one label for each text or sound, or for each series of a table in long form.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { plural } from '../words.ts';
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
import type { ColumnFacts, FileFacts, Suggestion, TaskKind } from './kind.ts';

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

const CLASS_NAME = /^(class|label|target|kind|category|species|y)$/i;
/** columns that count rows, and tell nothing of what is measured */
const PLACE_NAME = /^(id|index|row|no|t|time|step|frame|unnamed.*)?$/i;

/** The likeliest class first. */
function classColumns(columns: readonly ColumnFacts[]): ColumnFacts[] {
  const rank = ({ name, kind }: ColumnFacts) => 2 * Number(CLASS_NAME.test(name)) + Number(kind === 'text');
  return columns
    .filter(({ isLabel, kind, names }) => isLabel && !names && (kind === 'text' || kind === 'number'))
    .sort((a, b) => rank(b) - rank(a) || a.different - b.different);
}

/** Series of numbers: in long form where a column names them, else a row each if all but the class are numbers. */
function seriesIn(
  path: string,
  columns: readonly ColumnFacts[],
  learner: FileFacts['learner'],
): Suggestion<z.input<typeof schema>> | null {
  const labels = classColumns(columns);
  for (const label of labels) {
    // rows of a series follow one another, and have one class
    const id = columns.find(
      ({ kind, different, stretches, filled }) =>
        kind !== 'array' &&
        different > label.different &&
        different === stretches &&
        stretches >= label.stretches &&
        stretches * 2 <= filled,
    );
    const named = columns.filter(({ name }) => learner?.columns?.includes(name));
    const all = columns.filter(
      each => each !== label && each !== id && each.varies && !PLACE_NAME.test(each.name),
    );
    const values = (named.length > 0 ? named : all)
      .filter(({ kind }) => kind === 'number')
      .map(({ name }) => name);
    if (!id || values.length === 0) continue;
    return {
      data: { task: 'classify', path, label: label.name, id: id.name, values },
      why: `series of ${values.map(name => `"${name}"`).join(', ')}, one of each "${id.name}", classes in "${label.name}"`,
      vectors: true,
      features: values.length,
    };
  }
  const [label] = labels;
  const cells = columns.filter(each => each !== label);
  if (
    !label ||
    cells.length < 2 ||
    cells.some(({ kind, name }) => kind !== 'number' || PLACE_NAME.test(name))
  )
    return null;
  const { inputs } = learner ?? {};
  const width = inputs && cells.length % inputs === 0 ? inputs : 1;
  return {
    data: { task: 'classify', path, label: label.name, image: { width } },
    why: `a series of ${plural(cells.length / width, 'step')} in each row, classes in "${label.name}"`,
    vectors: true,
    features: width,
  };
}

/** Without names a class stands last or first, as in most files of that sort; all else is a series of numbers a row. */
function rowsIn(
  path: string,
  columns: readonly ColumnFacts[],
  learner: FileFacts['learner'],
): Suggestion<z.input<typeof schema>> | null {
  const label = [columns.at(-1), columns[0]].find(each => each?.isLabel && !each.names);
  const cells = columns.filter(each => each !== label);
  if (!label || cells.length < 2 || cells.some(({ kind }) => kind !== 'number')) return null;
  const { inputs } = learner ?? {};
  const width = inputs && cells.length % inputs === 0 ? inputs : 1;
  return {
    data: { task: 'classify', path, label: Number(label.name), image: { width, header: false } },
    why: `a series of ${plural(cells.length / width, 'step')} in each row, ${label.different} classes in column ${label.name}, the ${label === columns[0] ? 'first' : 'last'}`,
    vectors: true,
    features: width,
  };
}

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
  suits({ path, columns, isHeadless, learner }) {
    const [label] = classColumns(columns);
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
    const series = (isHeadless ? rowsIn : seriesIn)(path, columns, learner);
    if (series) return series;
    const texts = columns.filter(
      each => each.kind === 'text' && each !== label && !each.names && each.median > 1,
    );
    // beside measurements a text of few values is a class of its own
    const isMeasured = columns.some(({ kind, varies }) => kind === 'number' && varies);
    const text = texts.findLast(each => !each.isLabel) ?? (isMeasured ? undefined : texts.at(-1));
    return text ? { data: { ...common, text: place(text) }, why: `texts in "${text.name}", ${of}` } : null;
  },
  starter: {
    description: 'tell the class of each sequence',
    data: ({ path, column: text }) => ({ task: 'classify', path, text, label: '' }),
    embedding: 32,
    training: { learningRate: 0.003, steps: 1000 },
  },
};
