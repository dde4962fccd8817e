// Bytes of a file by their place: opened for each reading, so that nothing stays open when a reader is left early.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { count } from '../../../experiment/words.ts';
import { whyOf } from '../../../runs/system-errors.ts';
import { DataError } from '../errors.ts';

/** Bytes from a place of a file, or of an array within it. */
export type Source = (from: number, length: number) => Buffer;

export interface OpenFile {
  size: number;
  read: Source;
}

/** @throws DataError, also from `read`, where less is there than is needed */
export function openFile(path: string, name: string): OpenFile {
  const once = <T>(use: (file: number) => T): T => {
    try {
      const file = openSync(path, constants.O_RDONLY);
      try {
        return use(file);
      } finally {
        closeSync(file);
      }
    } catch (cause) {
      if (cause instanceof DataError) throw cause;
      throw new DataError(`${name} cannot be read: ${whyOf(cause)}.`);
    }
  };
  const size = once(file => fstatSync(file).size);
  return {
    size,
    read: (from, length) =>
      once(file => {
        const bytes = Buffer.allocUnsafe(length);
        let read = 0;
        while (read < length) {
          const more = readSync(file, bytes, read, length - read, from + read);
          if (more === 0)
            throw new DataError(
              `${name} is cut off: it has ${count(size)} bytes, and ${count(from + length)} are needed.`,
            );
          read += more;
        }
        return bytes;
      }),
  };
}
