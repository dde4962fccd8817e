// The beginning of a data file, as text.
import { open } from 'node:fs/promises';
import type { FoundFile } from './data-files.ts';

const HEAD_BYTES = 65_536;

/** null: it is not there, or cannot be read. */
export async function readFound(file: string, path: string): Promise<FoundFile | null> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return { path, bytes: size, head: buffer.subarray(0, bytesRead).toString('utf8') };
    } finally {
      await handle.close();
    }
  } catch {
    return null;
  }
}
