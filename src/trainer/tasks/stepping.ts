// A trained model read one step at a time: what a step's input is in the units of the data, and what the outputs say.
import { plural } from '../../experiment/words.ts';
import { DataError } from '../data/errors.ts';
import type { Stepper } from '../layers/stepper.ts';
import type { Codec } from './language.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Of one sequence: it may remember what earlier steps were. */
export interface StepReader {
  /** Steps of one sequence; none where the input alone asks for no answer yet. @throws DataError, and nothing is kept */
  read(input: unknown): (Int32Array | Float32Array)[];
  /** what the outputs of the newest step say; a fork of `stepper`, which stands behind it, may go on */
  answer(outputs: Float32Array, stepper: Stepper): Readonly<Record<string, Json>>;
}

export interface Stepping {
  /** the form of an input, as the end of a sentence */
  reads: string;
  begin(): StepReader;
}

/** Steps that one input may hold. */
const MOST_STEPS = 1000;
/** Classes and symbols that an answer lists. */
const MOST_LIKELY = 10;

/** @throws DataError for what is no text, or one of too many units */
export function textInput(input: unknown, unitsOf: (text: string) => number): string {
  if (typeof input !== 'string' || input === '')
    throw new DataError(`"input" must be a text, found ${shown(input)}.`);
  const steps = unitsOf(input);
  if (steps > MOST_STEPS)
    throw new DataError(`"input" has ${plural(steps, 'step')}; up to ${MOST_STEPS} are read at once.`);
  return input;
}

/**
 * Numbers of one step, from an object by column, an array in the order of the columns, or one number where there is one
 * column. NaN where the value is null. @throws DataError
 */
export function numbersInput(input: unknown, columns: readonly string[], mayMiss = false): number[] {
  const asked = `${mayMiss ? 'numbers or null' : 'numbers'} for ${columns.slice(0, 8).join(', ')}${columns.length > 8 ? ', …' : ''}`;
  const fail = (why: string): never => {
    throw new DataError(`"input" must have ${asked}: ${why}.`);
  };
  const numberOf = (value: unknown, column: string): number => {
    if (value === null && mayMiss) return Number.NaN;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    return fail(`"${column}" is ${shown(value)}`);
  };
  if (Array.isArray(input)) {
    if (input.length !== columns.length)
      fail(`an array of ${columns.length} is expected, found ${input.length}`);
    return columns.map((column, at) => numberOf(input[at], column));
  }
  if (typeof input === 'object' && input !== null) {
    const stranger = Object.keys(input).find(key => !columns.includes(key));
    if (stranger !== undefined) fail(`there is no column ${shown(stranger)}`);
    return columns.map(column =>
      Object.hasOwn(input, column)
        ? numberOf((input as Record<string, unknown>)[column], column)
        : fail(`"${column}" is not there`),
    );
  }
  if (columns.length === 1) return [numberOf(input, columns[0]!)];
  return fail(`found ${shown(input)}`);
}

/** An array of `count` numbers for a column. @throws DataError */
export function listInput(input: unknown, count: number, column: string, what: string): number[] {
  const fail = (why: string): never => {
    throw new DataError(
      `"input" must have an array of ${plural(count, 'number')} for "${column}", ${what}: ${why}.`,
    );
  };
  if (!Array.isArray(input)) return fail(`found ${shown(input)}`);
  if (input.length !== count) return fail(`found ${input.length}`);
  return input.map((value, at) =>
    typeof value === 'number' && Number.isFinite(value) ? value : fail(`number ${at + 1} is ${shown(value)}`),
  );
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)} …` : text;
}

/** Probabilities of the likeliest, falling; ids in `without` have none. */
export function likeliest(
  logits: Float32Array,
  without: readonly number[] = [],
): { id: number; probability: number }[] {
  const ids = Array.from(logits.keys()).filter(id => !without.includes(id));
  const most = ids.reduce((max, id) => Math.max(max, logits[id]!), Number.NEGATIVE_INFINITY);
  const total = ids.reduce((sum, id) => sum + Math.exp(logits[id]! - most), 0);
  return ids
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .slice(0, MOST_LIKELY)
    .map(id => ({ id, probability: Math.exp(logits[id]! - most) / total }));
}

/** Of a language model: each symbol of a text is a step, and the answer is what may follow. */
export function languageSteps(codec: Codec): Stepping {
  const textOf = (id: number) => {
    const writer = codec.writer();
    return writer.add(id) + writer.end();
  };
  return {
    reads: `a text; each ${codec.unit} of it is a step`,
    begin: () => ({
      read(input) {
        const { ids, strangers } = codec.encode(textInput(input, text => codec.encode(text).ids.length));
        if (strangers.length > 0)
          throw new DataError(
            `"input" holds ${shown(strangers[0])}, which is not among the ${plural(codec.symbols, codec.unit)} of this run's text.`,
          );
        if (ids.length === 0) throw new DataError(`"input" holds no ${codec.unit}.`);
        return ids.map(id => Int32Array.of(id));
      },
      answer: outputs => ({
        next: likeliest(outputs, codec.unwritten).map(({ id, probability }) => ({
          id,
          symbol: textOf(id),
          probability,
        })),
      }),
    }),
  };
}
