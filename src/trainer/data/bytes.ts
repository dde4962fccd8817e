// The bytes of a file as symbols, and how many characters they are where they are UTF-8.
import { createReadStream, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { whyOf } from '../../runs/system-errors.ts';
import { DataError } from './errors.ts';
import { fileIds, IN_MEMORY_BYTES, type SymbolIds } from './symbol-ids.ts';

export interface FileBytes {
  ids: SymbolIds;
  /** null: the file is no UTF-8 text */
  characters: number | null;
}

const BLOCK = 8192;

/** @throws DataError */
export async function readFileBytes(
  path: string,
  name: string,
  { bytes, inMemory = IN_MEMORY_BYTES }: { bytes?: number | undefined; inMemory?: number | undefined },
): Promise<FileBytes> {
  try {
    const length = Math.min(statSync(path).size, bytes ?? Number.POSITIVE_INFINITY);
    const characters = await charactersIn(path, length);
    if (length <= inMemory) return { ids: (await readFile(path)).subarray(0, length), characters };
    const starts = Array.from({ length: Math.ceil(length / BLOCK) }, (_, block) => block * BLOCK);
    const places = [...starts, length];
    return { ids: fileIds(path, name, { bytes: places, symbols: places }, block => block), characters };
  } catch (cause) {
    throw new DataError(`The data file ${name} cannot be read: ${whyOf(cause)}.`);
  }
}

async function charactersIn(path: string, length: number): Promise<number | null> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let count = 0;
  for await (const chunk of createReadStream(path, { end: length - 1, highWaterMark: 1 << 20 })) {
    try {
      decoder.decode(chunk as Buffer, { stream: true });
    } catch {
      return null;
    }
    for (const byte of chunk as Buffer) if ((byte & 0xc0) !== 0x80) count++;
  }
  return count;
}
