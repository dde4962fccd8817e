// Ids of a text's symbols: in memory, or decoded from the file a block at a time where they would not fit.
import { closeSync, openSync, readSync } from 'node:fs';
import { whyOf } from '../../runs/system-errors.ts';
import { DataError } from './errors.ts';

/** Any typed array is one. */
export interface SymbolIds {
  readonly length: number;
  /** ids from `from` to before `to`, both within the length */
  slice(from: number, to: number): ArrayLike<number>;
}

/** Ids up to this many bytes stand in memory. */
export const IN_MEMORY_BYTES = 128e6;

/** Where each block of a file begins, as bytes and as symbols; the last entry is the end. */
export interface Blocks {
  bytes: readonly number[];
  symbols: readonly number[];
}

/** Blocks that are kept decoded: each row of a batch reads one after the other. */
const KEPT_BLOCKS = 512;

/** Reads and decodes the block that holds what is asked for; `decode` gives its ids. */
export function fileIds(
  path: string,
  name: string,
  { bytes, symbols }: Blocks,
  decode: (bytes: Buffer) => ArrayLike<number>,
): SymbolIds {
  const kept = new Map<number, ArrayLike<number>>();
  const blockAt = (index: number): ArrayLike<number> => {
    const known = kept.get(index);
    if (known) {
      kept.delete(index);
      kept.set(index, known);
      return known;
    }
    const ids = decode(readBytes(path, name, bytes[index]!, bytes[index + 1]!));
    if (ids.length !== symbols[index + 1]! - symbols[index]!)
      throw new DataError(`The data file ${name} changed while it was read.`);
    kept.set(index, ids);
    if (kept.size > KEPT_BLOCKS) kept.delete(kept.keys().next().value!);
    return ids;
  };
  return {
    length: symbols.at(-1)!,
    slice(from, to) {
      const made = new Int32Array(to - from);
      let index = blockOf(symbols, from);
      for (let at = from; at < to; index++) {
        const block = blockAt(index);
        const end = Math.min(to, symbols[index + 1]!);
        for (const first = symbols[index]!; at < end; at++) made[at - from] = block[at - first]!;
      }
      return made;
    },
  };
}

/** The last block that begins at or before this symbol. */
function blockOf(symbols: readonly number[], at: number): number {
  let [low, high] = [0, symbols.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (symbols[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

function readBytes(path: string, name: string, from: number, to: number): Buffer {
  const buffer = Buffer.allocUnsafe(to - from);
  try {
    const file = openSync(path, 'r');
    try {
      let read = 0;
      while (read < buffer.length) {
        const more = readSync(file, buffer, read, buffer.length - read, from + read);
        if (more === 0) throw new DataError(`The data file ${name} became shorter while it was read.`);
        read += more;
      }
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`The data file ${name} cannot be read: ${whyOf(cause)}.`);
  }
  return buffer;
}

/** A stretch of ids, without a copy. */
export function stretchOfIds(ids: SymbolIds, from: number, to: number): SymbolIds {
  return { length: to - from, slice: (start, end) => ids.slice(from + start, from + end) };
}

/** Training, validation and test, one after the other. */
export function splitIds(
  ids: SymbolIds,
  split: readonly [number, number, number],
): [SymbolIds, SymbolIds, SymbolIds] {
  const first = Math.floor(ids.length * split[0]);
  const second = Math.floor(ids.length * (split[0] + split[1]));
  return [
    stretchOfIds(ids, 0, first),
    stretchOfIds(ids, first, second),
    stretchOfIds(ids, second, ids.length),
  ];
}

const COUNTED_AT_ONCE = 1 << 16;

/** Occurrences by id. */
export function countIds(ids: SymbolIds, symbols: number): Float64Array {
  const counts = new Float64Array(symbols);
  for (let from = 0; from < ids.length; from += COUNTED_AT_ONCE) {
    const part = ids.slice(from, Math.min(ids.length, from + COUNTED_AT_ONCE));
    for (let at = 0; at < part.length; at++) counts[part[at]!]!++;
  }
  return counts;
}
