// Sequence to sequence: a source is read whole by an encoder, and a target is written symbol by symbol by a decoder.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import {
  batching,
  columnOrNumber,
  header,
  minCount,
  namedWithoutHeader,
  onError,
  path,
  shuffle,
  split,
} from './file-task.ts';
import { PAIRS, triesSource } from './generated-pairs.ts';
import type { TaskKind } from './kind.ts';

const units = z.enum(['characters', 'words', 'spaced', 'bytes']);

const schema = z
  .strictObject({
    task: z.literal('seq2seq'),
    path: path('A CSV or TSV file, one pair a row,'),
    source: columnOrNumber.default(0).describe('The column that is read: its name, or its number from 0.'),
    target: columnOrNumber
      .default(1)
      .describe('The column that is to be written: its name, or its number from 0.'),
    header,
    units: units
      .default('characters')
      .describe('What a step is; spaced: what stands between spaces, such as a phoneme.'),
    targetUnits: units.optional().describe('What a step of the target is, where it differs.'),
    minCount: minCount('Units', 'one unknown symbol'),
    maxLength: positiveInt
      .optional()
      .describe('Pairs with a source or a target of more steps are left out; default: none.'),
    onError,
    shuffle,
    batching: batching('Pairs'),
    split: split.default([0.8, 0.1, 0.1]),
  })
  .describe('Write a target sequence for each source sequence: translation, spelling, dates.');

export const seq2seq: TaskKind<typeof schema> = {
  schema,
  title: 'Sequence to sequence',
  ...PAIRS,
  reads: 'table',
  stepsField: 'maxLength',
  steps: ({ maxLength }) => (maxLength === undefined ? Number.NaN : maxLength + 1),
  sizes: () => null,
  tries: () => triesSource('pair'),
  check(data) {
    const { header, source, target } = data;
    if (source === target) return [error(['target'], 'Source and target are the same column; name two.')];
    return namedWithoutHeader(header, { source, target });
  },
  suits({ path, columns, isHeadless }) {
    // without names a table of a number and a text is one of numbers and their words
    const isPair = isHeadless && columns.length === 2 && columns.some(({ kind }) => kind === 'text');
    const free = columns.filter(
      ({ kind, isLabel, names }) =>
        !names &&
        (kind === 'list' ||
          (!isLabel &&
            (kind === 'text' || (isHeadless && kind === 'time') || (isPair && kind === 'number')))),
    );
    const [source, target] = free;
    if (!source || !target || free.length !== 2) return null;
    if (!isPair && columns.some(({ kind }) => kind === 'number')) return null;
    if (source.kind === 'list' && source.lengths === target.lengths) return null;
    const of = ({ name }: { name: string }) => (isHeadless ? Number(name) : name);
    return {
      data: { task: 'seq2seq', path, source: of(source), target: of(target) },
      why: `pairs of "${source.name}" and "${target.name}"`,
    };
  },
  starter: {
    description: 'write a target for each source',
    data: ({ path }) => ({ task: 'seq2seq', path, source: 0, target: 1 }),
    embedding: 32,
    training: { learningRate: 0.003, steps: 1000 },
  },
};
