// Cells of the formats that hold typed values, Parquet and Arrow: numbers, texts, times, and lists of numbers as arrays.
import { exactly } from './npy-format.ts';
import { arrayOf, type Cell } from './reader.ts';

export function timeOf(date: Date): string {
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

export interface Found {
  cell: Cell;
  fault: string | null;
}

/** A value with a fault is one only to a task that wants its column. */
export function usable({ cell, fault }: Found): Cell {
  return fault ? { fault: `holds ${fault}` } : cell;
}

export function cellOf(value: unknown): Found {
  const ok = (cell: Cell): Found => ({ cell, fault: null });
  if (value === null || value === undefined) return ok(null);
  if (typeof value === 'bigint') {
    const { value: cell, fault } = exactly(value);
    return { cell, fault };
  }
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return ok(value);
  if (value instanceof Date) return ok(timeOf(value));
  if (ArrayBuffer.isView(value) && value instanceof Uint8Array)
    return { cell: null, fault: 'bytes, which are no text and no number' };
  if (!Array.isArray(value)) return { cell: null, fault: 'a map, and numbers, texts and lists are read' };
  if (value.length > 0 && value.every(each => typeof each === 'string')) return ok(value);
  let fault: string | null = null;
  const plain = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.map(plain);
    if (typeof each === 'boolean') return Number(each);
    if (typeof each !== 'bigint') return each ?? null;
    const exact = exactly(each);
    fault ??= exact.fault;
    return exact.value;
  };
  const array = arrayOf(plain(value));
  return array
    ? { cell: array, fault }
    : { cell: null, fault: 'a list that is not one of numbers, or lists of unlike lengths' };
}
