// A folder with one file for each example, a text or a sound: the folder it stands in is its label.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { formatBytes, plural } from '../../../experiment/words.ts';
import { whyOf } from '../../../runs/system-errors.ts';
import { DataError } from '../errors.ts';
import type { Reader, Row, Unusable } from './reader.ts';

const MOST_FILES = 1_000_000;
/** A longer file is no example among many. */
const LONGEST = 16e6;

export const folder: Reader = {
  name: 'a folder of files',
  reads: path => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  async open(path, name, { bad, part }) {
    const files = filesOf(path, name).filter(file => part?.files?.has(file) ?? true);
    if (files.length === 0) throw new DataError(`The folder ${name} holds no files.`);
    async function* rows(): AsyncGenerator<Row> {
      for (const [index, file] of files.entries()) {
        const parts = file.split(sep);
        const label = parts.length > 1 ? parts.at(-2)! : '';
        const text = isSound(file) ? { value: SOUND, fault: null } : textOf(join(path, file));
        if (text.fault) bad.report(`${name}/${parts.join('/')}: ${text.fault}.`);
        else yield { cells: [parts.join('/'), label, text.value], line: index + 1 };
      }
    }
    return { columns: ['file', 'label', 'text'], rows: rows(), unit: 'row', notes: partsNote(files, name) };
  },
};

/** Folders of data sets often hold their parts, which are no classes. */
function partsNote(files: readonly string[], name: string): string[] {
  const counts = new Map<string, number>();
  for (const file of files) {
    const parts = file.split(sep);
    const [part] = parts;
    if (parts.length > 2 && PART.test(part!)) counts.set(part!, (counts.get(part!) ?? 0) + 1);
  }
  if (counts.size < 2) return [];
  const each = [...counts].map(([part, own]) => `"${part}" (${plural(own, 'file')})`);
  return [
    `The parts of ${name}, ${each.join(' and ')}, are read as one, which \`split\` cuts anew. To keep them apart train on one, and score the other with \`unroll evaluate RUN --data\`.`,
  ];
}

const PART = /^(train(ing)?|test(ing)?|val(id(ation)?)?|dev)$/i;

export function isSound(file: string): boolean {
  return /\.wav$/i.test(file);
}

const SOUND: Unusable = { fault: 'is a sound; name the column of files, "file", with `audio`' };

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
