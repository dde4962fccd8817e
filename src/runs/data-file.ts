// What run.json holds of each data file: enough to know the file again, wherever it stands.
import * as z from 'zod';

const text = z.string().max(10_000);
const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER);

export const dataFileSchema = z.object({
  /** as the experiment names it, and from the run folder, which may be moved together with it */
  path: text,
  fromRun: text,
  bytes: count,
  /** ISO time of its last change */
  modified: text,
  /** the first half of SHA-1 of each chunk in order, in hex */
  chunkBytes: z.int().min(1),
  hashes: z.array(z.string().max(64)).max(100_000),
  /** of a format that is written anew as a whole: its rows, and a hash of their values */
  rows: z.object({ count, hash: z.string().max(64) }).optional(),
  /** what was read of it: rows, columns, characters, symbols */
  read: z.record(text, count),
});

export type DataFile = z.output<typeof dataFileSchema>;
