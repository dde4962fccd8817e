// The interface of a format that names its columns by itself: each row is an example, each cell a number, a text or an
// array of numbers.

import type { BadRows } from '../bad-rows.ts';
import { DataError } from '../errors.ts';

/** Numbers in C order. */
export interface NumberArray {
  shape: number[];
  data: Float64Array;
}

/** A value of a kind that no task reads: it is a fault only of a task that wants its column. */
export interface Unusable {
  /** what it is or does, after the column's name */
  fault: string;
}

/** Texts that the format holds apart, such as the tokens of a sentence. */
export type TextList = readonly string[];

export type Cell = string | number | boolean | null | NumberArray | TextList | Unusable;

export interface Row {
  cells: Cell[];
  /** in the file, from 1: of a line where it has lines, else of the row */
  line: number;
}

export interface Rows {
  columns: string[];
  rows: AsyncIterable<Row>;
  /** what `line` counts */
  unit: 'line' | 'row';
  /** how the file is read, where that is not plain */
  notes?: readonly string[];
}

/** The part of a data file that a run knows, where rows, bytes or files were added since. */
export interface FilePart {
  /** of a file of text: read only so many */
  bytes?: number | undefined;
  /** of a format that is written anew as a whole: up to this row */
  rows?: number | undefined;
  /** of a folder: only these, by their paths below it */
  files?: ReadonlySet<string> | undefined;
  /** hears of the rows of a format that is written anew */
  watch?: RowWatch | undefined;
}

export interface RowWatch {
  /** the same rows */
  over(rows: Rows): Rows;
}

export interface ReadOptions {
  bad: BadRows;
  /** read only this part of the file */
  part?: FilePart | undefined;
}

export interface Reader {
  /** as people call it */
  name: string;
  /** a file that gets more rows is written anew */
  isWhole?: boolean;
  /** whether this file is of the format, by its name */
  reads(path: string): boolean;
  /** @throws DataError with the place of what cannot be read, also while rows are taken */
  open(path: string, name: string, options: ReadOptions): Promise<Rows>;
}

export function isArray(cell: Cell | undefined): cell is NumberArray {
  return typeof cell === 'object' && cell !== null && 'data' in cell;
}

export function isUnusable(cell: Cell | undefined): cell is Unusable {
  return typeof cell === 'object' && cell !== null && 'fault' in cell;
}

export function isTexts(cell: Cell | undefined): cell is TextList {
  return Array.isArray(cell);
}

/** The items of a list of texts or of numbers; null: the cell is none. */
export function itemsOf(cell: Cell | undefined): string[] | null {
  if (isTexts(cell)) return [...cell];
  return isArray(cell) && cell.shape.length === 1 ? Array.from(cell.data, String) : null;
}

/** Beyond it whole numbers are no longer told apart. */
export function isExact(value: number): boolean {
  return !Number.isInteger(value) || Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

export const INEXACT =
  'is beyond 2^53, where whole numbers are no longer exact; store it as a text or a float';

/** Begins what stands for an array among texts; no text holds it. */
const ARRAY = '\u0000';

/** Begins what stands for an unusable value. */
const UNUSABLE = `${ARRAY}!`;

/** As a table of texts has it. */
export function textOf(cell: Cell): string {
  if (cell === null) return '';
  if (isUnusable(cell)) return `${UNUSABLE}${cell.fault}`;
  if (isTexts(cell)) return cell.join(' ');
  return isArray(cell) ? `${ARRAY}${cell.shape.join(' × ')}` : String(cell);
}

/** @throws DataError where an array stands for a text, or a value that no task reads */
export function refuseArray(text: string, column: string, place: string): void {
  if (text.startsWith(UNUSABLE)) throw new DataError(`${place}: "${column}" ${text.slice(UNUSABLE.length)}.`);
  if (text.startsWith(ARRAY))
    throw new DataError(
      `${place}: "${column}" holds an array of ${text.slice(1)} numbers, where one value is needed.`,
    );
}

/** The sentence of `refuseArray`; null: it is a text. */
export function faultOfText(text: string, column: string, place: string): string | null {
  try {
    refuseArray(text, column, place);
    return null;
  } catch (cause) {
    return (cause as DataError).message;
  }
}

/** Nested lists of numbers as one array; null for what is no such thing. */
export function arrayOf(value: unknown): NumberArray | null {
  const shape: number[] = [];
  for (let level = value; Array.isArray(level); level = level[0]) shape.push(level.length);
  if (shape.length === 0 || shape.length > 3) return null;
  const data = new Float64Array(shape.reduce((product, size) => product * size, 1));
  let at = 0;
  const fill = (level: unknown, depth: number): boolean => {
    if (depth === shape.length) {
      const number = level === null ? Number.NaN : level;
      if (typeof number !== 'number') return false;
      data[at++] = number;
      return true;
    }
    return (
      Array.isArray(level) && level.length === shape[depth] && level.every(each => fill(each, depth + 1))
    );
  };
  return fill(value, 0) ? { shape, data } : null;
}
