// The interface of a task that can be tried on one input.
import { plural } from '../../../experiment/words.ts';
import type { Tried } from '../../../runs/tried.ts';
import type { Model } from '../../layers/model.ts';
import type { Drawing } from '../../tasks/generate.ts';
import { InputError } from '../../training/prepare.ts';
import type { FinishedRun } from '../finished-run.ts';

/** One input: typed, a row of the run's data, or a sound file; and how symbols are written. */
export interface Given {
  text?: string | undefined;
  /** from 1 */
  row?: number | undefined;
  /** a WAV file */
  sound?: string | undefined;
  length?: number | undefined;
  beams?: number | undefined;
  temperature?: number | undefined;
  topK?: number | undefined;
  topP?: number | undefined;
  seed?: number | undefined;
}

export interface TryContext {
  run: FinishedRun;
  /** of the run's own data, where it stands now. @throws DataError */
  dataFile(): string;
  /** Writes a file that lives until the answer is made. @returns its path */
  write(name: string, text: string): string;
}

export type Said = Omit<Tried, 'step' | 'best'>;

/** The model is the caller's. @throws DataError, InputError */
export type Tryer<A> = (model: Model, artifact: A, given: Given, context: TryContext) => Promise<Said> | Said;

export const NOTHING: Said = {
  input: '',
  answer: '',
  truth: null,
  of: '',
  likely: [],
  table: null,
  attention: null,
  states: [],
  row: null,
  rows: null,
  notes: [],
};

/** What draws symbols; undefined: the most likely one is taken. */
export function drawingOf({
  temperature,
  topK,
  topP,
  seed = 1,
}: Given): (Drawing & { seed: number }) | undefined {
  if (temperature === undefined && topK === undefined && topP === undefined) return undefined;
  return { temperature: temperature ?? 1, topK, topP, seed };
}

/** @throws InputError for a row that the data do not have */
export function rowOf<T>(
  all: { readonly length: number; at(place: number): T | undefined },
  row: number | undefined,
  what: string,
): T {
  const place = (row ?? 1) - 1;
  if (place >= 0 && place < all.length) return all.at(place)!;
  throw new InputError(
    all.length === 0
      ? `The data hold no ${what}.`
      : `There is no ${what} ${row}: the data hold ${plural(all.length, what)}.`,
  );
}

/** The typed text. @throws InputError where nothing, or another kind of input, is given */
export function typed({ text, sound }: Given, what: string): string {
  if (sound !== undefined) throw new InputError(`This run reads ${what}, not sound files.`);
  if (text === undefined || text.trim() === '') throw new InputError(`Type ${what}.`);
  return text;
}

/** Numbers of a sequence, a step a line: (steps, columns). @throws InputError with the line */
export function typedNumbers(given: Given, columns: readonly string[]): Float64Array {
  const names = columns.slice(0, 8).join(', ') + (columns.length > 8 ? ', …' : '');
  const text = typed(given, `numbers, a line for each step with ${names}`);
  const lines = text
    .split(/\r\n|\r|\n/)
    .map((line, index) => ({ cells: line.split(/[\s,;]+/).filter(Boolean), line: index + 1 }))
    .filter(({ cells }) => cells.length > 0);
  const isOneLine = lines.length === 1 && lines[0]!.cells.length % columns.length === 0;
  return Float64Array.from(
    lines.flatMap(({ cells, line }) => {
      if (cells.length !== columns.length && !isOneLine)
        throw new InputError(
          `Line ${line} holds ${plural(cells.length, 'number')}; a step has ${columns.length}: ${names}.`,
        );
      return cells.map(cell => {
        const value = Number(cell);
        if (Number.isFinite(value)) return value;
        throw new InputError(`Line ${line}: ${JSON.stringify(cell.slice(0, 40))} is not a number.`);
      });
    }),
  );
}

export function percent(probability: number): string {
  return `${(100 * probability).toFixed(1)} %`;
}

export function numbersText(values: ArrayLike<number>, most = 6): string {
  const shown = Array.from({ length: Math.min(values.length, most) }, (_, at) => values[at]!.toPrecision(4));
  return shown.join(', ') + (values.length > most ? ', …' : '');
}

/** Of one symbol among softmax(logits), and how many are likelier, counted from 1; those in `without` have none. */
export function standingOf(
  logits: Float32Array,
  id: number,
  without: ReadonlySet<number> = new Set(),
): { probability: number; rank: number } {
  let [most, total, rank] = [Number.NEGATIVE_INFINITY, 0, 1];
  for (const [other, logit] of logits.entries())
    if (!without.has(other)) {
      most = Math.max(most, logit);
      if (logit > logits[id]!) rank++;
    }
  for (const [other, logit] of logits.entries()) if (!without.has(other)) total += Math.exp(logit - most);
  return { probability: Math.exp(logits[id]! - most) / total, rank };
}
