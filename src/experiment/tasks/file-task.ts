// What tasks that read a file share: their fields, and parts of their kinds.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error, type Remark } from '../remark.ts';
import type { Training } from '../training.ts';
import type { TryForm } from './kind.ts';

export const split = z
  .tuple([z.number().min(0).max(1), z.number().min(0).max(1), z.number().min(0).max(1)])
  .refine(parts => Math.abs(parts[0] + parts[1] + parts[2] - 1) < 1e-6, {
    error: 'the three parts must add up to 1',
  })
  .default([0.9, 0.05, 0.05])
  .describe('Shares of training, validation and test data, in this order along the file.');

export const onError = z
  .enum(['stop', 'skip'])
  .default('stop')
  .describe('A row that cannot be used is an error with its line, or is left out and counted.');

/** `what` ends in the sign before "relative". */
export function path(what: string) {
  return z.string().min(1).describe(`${what} relative to this experiment file.`);
}

export const column = z.string().min(1);
export const columnOrNumber = z.union([column, z.int().min(0)]);
export const header = z
  .boolean()
  .optional()
  .describe('Whether the first row names the columns; default: where a column is named here.');
export const units = z.enum(['characters', 'words', 'bytes']).default('characters');
export const seriesId = columnOrNumber
  .optional()
  .describe('The column that tells which rows belong to one series, with `values`.');

type Named = string | number | readonly (string | number)[] | undefined;

/** Whether the first row names the columns. */
export function hasHeader(header: boolean | undefined, columns: readonly Named[]): boolean {
  return header ?? columns.flat().some(column => typeof column === 'string');
}

/** `columns` by their field: none has a name where no row names them. */
export function namedWithoutHeader(header: boolean | undefined, columns: Record<string, Named>): Remark[] {
  if (header !== false) return [];
  for (const [field, named] of Object.entries(columns)) {
    const name = [named].flat().find(column => typeof column === 'string');
    if (name !== undefined)
      return [
        error([field], `Without a header no column has the name "${name}"; give its number, counted from 0.`),
      ];
  }
  return [];
}

export function minCount(what: string, become: string, least = 1) {
  return positiveInt
    .default(least)
    .describe(`${what} seen fewer times than this in the training part become ${become}.`);
}

export const shuffle = z
  .boolean()
  .default(true)
  .describe('Draw the parts by the seed; false: in the order of the file.');

export function batching(what: string) {
  return z
    .enum(['buckets', 'mixed'])
    .default('buckets')
    .describe(`${what} of like lengths together, or as they are drawn.`);
}

/** Of a task that reads each sequence of its file from the beginning to the end. */
export const WHOLE_SEQUENCES = {
  predictsNext: false,
  stream: false,
  needs: 'layers',
  stepsField: 'maxLength',
  steps: ({ maxLength }: { maxLength?: number | undefined }) => maxLength ?? Number.NaN,
  sizes: () => null,
} as const;

/** Of a task that reads texts, sounds or numbers by sequence. */
export function triesSequence({
  text,
  audio,
}: {
  text?: string | number | undefined;
  audio?: string | number | undefined;
}): TryForm {
  const typed = text === undefined ? NUMBERS : 'Text';
  return {
    typed: audio === undefined ? typed : null,
    row: 'sequence',
    sound: audio !== undefined,
    writes: null,
  };
}

const NUMBERS = 'Numbers, a line for each step';

/** Of a task whose sequences are numbers. */
export function triesNumbers(): TryForm {
  return triesSequence({});
}

/** Of a task that predicts what follows in one long text. */
export const TEXT_STREAM = {
  predictsNext: true,
  stream: true,
  needs: 'layers',
  reads: 'text',
  stepsField: 'seqLen',
  steps: (_: unknown, { seqLen }: Training) => seqLen,
  tries: (): TryForm => ({ typed: 'Text to go on with', row: null, sound: false, writes: 'text' }),
} as const;
