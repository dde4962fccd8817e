// A folder with one text file for each example: the folder it stands in is its label, and its own path tells it.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { formatBytes } from '../../../experiment/words.ts';
import { whyOf } from '../../../runs/system-errors.ts';
import { DataError } from '../errors.ts';
import type { Reader, Row } from './reader.ts';

const MOST_FILES = 1_000_000;
/** A longer file is no example among many. */
const LONGEST = 16e6;

export const folder: Reader = {
  name: 'a folder of texts',
  reads: path => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  async open(path, name, { bad }) {
    const files = filesOf(path, name);
    if (files.length === 0) throw new DataError(`The folder ${name} holds no files.`);
    async function* rows(): AsyncGenerator<Row> {
      for (const [index, file] of files.entries()) {
        const parts = file.split(sep);
        const label = parts.length > 1 ? parts.at(-2)! : '';
        const text = textOf(join(path, file));
        if (text.fault) bad.report(`${name}/${parts.join('/')}: ${text.fault}.`);
        else yield { cells: [parts.join('/'), label, text.value], line: index + 1 };
      }
    }
    return { columns: ['file', 'label', 'text'], rows: rows(), unit: 'row' };
  },
};

/** Paths below the folder, sorted; hidden files and links that lead elsewhere are left out. */
export function filesOf(path: string, name: string): string[] {
  try {
    const found = readdirSync(path, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && !entry.name.startsWith('.'))
      .map(entry => relative(path, join(entry.parentPath, entry.name)))
      .filter(file => !file.split(sep).some(part => part.startsWith('.')));
    if (found.length > MOST_FILES)
      throw new DataError(`The folder ${name} holds more than ${MOST_FILES.toLocaleString('en-US')} files.`);
    return found.sort();
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`The folder ${name} cannot be read: ${whyOf(cause)}.`);
  }
}

function textOf(path: string): { value: string; fault: string | null } {
  try {
    const { size } = statSync(path);
    if (size > LONGEST)
      return { value: '', fault: `it has ${formatBytes(size)}; ${formatBytes(LONGEST)} are read` };
    const bytes = readFileSync(path);
    if (bytes.includes(0)) return { value: '', fault: 'it is not a text file' };
    return { value: new TextDecoder('utf-8', { fatal: true }).decode(bytes), fault: null };
  } catch (cause) {
    return {
      value: '',
      fault: cause instanceof TypeError ? 'it is not UTF-8 text' : `it cannot be read: ${whyOf(cause)}`,
    };
  }
}
