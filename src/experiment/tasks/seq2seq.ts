// Sequence to sequence: a source is read whole by an encoder, and a target is written symbol by symbol by a decoder.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { PAIR_METRICS } from './generated-pairs.ts';
import type { TaskKind } from './kind.ts';
import { split } from './split.ts';

const column = z.union([z.string().min(1), z.int().min(0)]);
const units = z.enum(['characters', 'words', 'spaced', 'bytes']);

const schema = z
  .strictObject({
    task: z.literal('seq2seq'),
    path: z.string().min(1).describe('A CSV or TSV file, one pair a row, relative to this experiment file.'),
    source: column.default(0).describe('The column that is read: its name, or its number from 0.'),
    target: column.default(1).describe('The column that is to be written: its name, or its number from 0.'),
    header: z
      .boolean()
      .optional()
      .describe('Whether the first row names the columns; default: where a column is named here.'),
    units: units
      .default('characters')
      .describe('What a step is; spaced: what stands between spaces, such as a phoneme.'),
    targetUnits: units.optional().describe('What a step of the target is, where it differs.'),
    minCount: positiveInt
      .default(1)
      .describe('Units seen fewer times than this in the training part become one unknown symbol.'),
    maxLength: positiveInt
      .optional()
      .describe('Pairs with a source or a target of more steps are left out; default: none.'),
    shuffle: z
      .boolean()
      .default(true)
      .describe('Draw the parts by the seed; false: in the order of the file.'),
    batching: z
      .enum(['buckets', 'mixed'])
      .default('buckets')
      .describe('Pairs of like lengths together, or as they are drawn.'),
    split: split.default([0.8, 0.1, 0.1]),
  })
  .describe('Write a target sequence for each source sequence: translation, spelling, dates.');

/** Whether the first row names the columns. */
export function hasHeader({
  header,
  source,
  target,
}: Pick<z.output<typeof schema>, 'header' | 'source' | 'target'>) {
  return header ?? (typeof source === 'string' || typeof target === 'string');
}

export const seq2seq: TaskKind<typeof schema> = {
  schema,
  title: 'Sequence to sequence',
  loss: { at: 'every-step', of: 'classes', unit: 'nats' },
  metrics: PAIR_METRICS,
  predictsNext: true,
  stream: false,
  needs: 'encoder',
  reads: 'table',
  stepsField: 'maxLength',
  outputsFrom: 'the symbols of the targets',
  steps: ({ maxLength }) => (maxLength === undefined ? Number.NaN : maxLength + 1),
  sizes: () => null,
  check(data) {
    const named = (['source', 'target'] as const).find(field => typeof data[field] === 'string');
    if (data.header === false && named)
      return [
        error(
          [named],
          `Without a header no column has the name "${data[named]}"; give its number, counted from 0.`,
        ),
      ];
    if (data.source === data.target)
      return [error(['target'], 'Source and target are the same column; name two.')];
    return [];
  },
  suits({ path, columns, isHeadless }) {
    const free = columns.filter(
      ({ kind, isLabel }) => !isLabel && (kind === 'text' || (isHeadless && kind === 'time')),
    );
    const [source, target] = free;
    if (!source || !target || free.length !== 2 || columns.some(({ kind }) => kind === 'number')) return null;
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
