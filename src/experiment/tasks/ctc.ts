// Unaligned labels (connectionist temporal classification): a sequence is heard or read, and its labels are told in their
// order, without their places.
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

const SEPARATORS = ['\t', ';', ','];
/** What the column of labels is usually called. */
const TARGET_NAMES = /^(text|target|labels?|transcripts?|transcription|sentence|words?)$/i;

const schema = z
  .strictObject({
    task: z.literal('ctc'),
    path: path('A table, one sequence a row,'),
    ...sound,
    header,
    text: columnOrNumber
      .optional()
      .describe('The column that holds the text that is read, instead of sound.'),
    textUnits: units.describe('What a step of `text` is.'),
    values: z
      .array(columnOrNumber)
      .min(1)
      .optional()
      .describe('Columns of numbers, where a sequence is a series: one row is one step.'),
    id: seriesId,
    target: columnOrNumber.describe('The column that holds the labels, as a text.'),
    units: units.describe('What a label is.'),
    minCount: minCount('Labels', 'one unknown label'),
    maxLength: positiveInt.optional().describe('Sequences of more steps are left out; default: none.'),
    onError,
    shuffle,
    batching: batching('Sequences'),
    split: split.default([0.8, 0.1, 0.1]),
  })
  .describe(
    'Tell the labels of each sequence without their places: speech, Morse code (Graves et al. 2006).',
  );

/** Of every task whose labels have no places. */
export const UNALIGNED = {
  loss: { at: 'labels', of: 'alignments', unit: 'nats/label' },
  metrics: [
    { name: 'labelErrorRate', label: 'Label error rate', unit: '%', better: 'lower' },
    { name: 'sequenceAccuracy', label: 'Sequence accuracy', unit: '%', better: 'higher' },
  ],
} as const;

export const ctc: TaskKind<typeof schema> = {
  schema,
  title: 'Unaligned labels (CTC)',
  ...UNALIGNED,
  ...WHOLE_SEQUENCES,
  reads: 'table',
  outputsFrom: 'the labels and the blank',
  tries: triesSequence,
  check({ audio, text, values, id, features: asked, target, header }) {
    const inputs = { audio, text, values };
    const [first, second] = Object.entries(inputs).flatMap(([name, own]) =>
      own === undefined ? [] : [name],
    );
    if (!first) return [error([], 'Name what is read: `audio`, `text`, or `values` and `id`.')];
    if (second)
      return [error([second], `A sequence has one input: name \`${first}\` or \`${second}\`, not both.`)];
    if (values && id === undefined)
      return [error(['values'], '`id` is missing: the column that tells which rows belong to one series.')];
    if (asked && audio === undefined)
      return [error(['features'], '`features` are of sound: name the column of WAV files with `audio`.')];
    if (target === (audio ?? text))
      return [error(['target'], `Input and target are the same column, "${target}"; name two.`)];
    return namedWithoutHeader(header, { audio, text, values, id, target });
  },
  suits({ path, columns, isHeadless }) {
    const place = ({ name }: { name: string }) => (isHeadless ? Number(name) : name);
    const sound = columns.find(({ names }) => names === 'sounds');
    const texts = columns.filter(({ kind, names, isLabel }) => kind === 'text' && !names && !isLabel);
    // what is said may be digits alone
    const digits = columns.filter(({ kind, names, isLabel }) => kind === 'number' && !names && !isLabel);
    const target = [...texts, ...digits].find(({ name }) => TARGET_NAMES.test(name)) ?? texts[0];
    if (!sound || !target) return null;
    return {
      data: { task: 'ctc', path, audio: place(sound), target: place(target) },
      why: `"${target.name}" from sounds of "${sound.name}"`,
      vectors: true,
    };
  },
  starter: {
    description: 'tell the labels of each sound without their places',
    found: head => {
      const [names = [], cells = []] = head
        .split(/\r\n|\r|\n/, 2)
        .map(line => line.split(SEPARATORS.find(sign => head.split('\n', 1)[0]!.includes(sign)) ?? ','));
      const audio = names[cells.findIndex(cell => /\.wav"?$/i.test(cell))];
      const others = names.filter(name => name !== audio);
      const target = others.find(name => TARGET_NAMES.test(name)) ?? others[0];
      return audio && target ? { audio, target } : null;
    },
    data: ({ path }) => ({ task: 'ctc', path, audio: 'file', target: 'text' }),
    embedding: 0,
    training: { learningRate: 0.003, steps: 1500 },
  },
};
