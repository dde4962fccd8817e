// Data files for what their text says of a model's sizes: the first lines of a table, or the whole of a text that is not
// large.
import { open } from 'node:fs/promises';

export const DATA_BYTES = { begin: 65_536, whole: 2_097_152 } as const;

/** null: there is none, or it is too large */
export async function readDataFile(file: string, part: keyof typeof DATA_BYTES): Promise<string | null> {
  try {
    const handle = await open(file, 'r');
    try {
      const stats = await handle.stat();
      const most = DATA_BYTES[part];
      if (!stats.isFile() || (part === 'whole' && stats.size > most)) return null;
      const bytes = Buffer.alloc(Math.min(stats.size, most));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
      return dataText(bytes.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch {
    return null;
  }
}

/** Python keeps a byte order mark that UTF-8 begins with, and tables drop it. */
export function dataText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}
