// Sentences of tokens in columns: CoNLL-U (https://universaldependencies.org/format.html), whose ten columns have names, and
// the older forms of CoNLL-2003, whose columns stand apart by white space. A blank line ends a sentence.
import { readFileSync, statSync } from 'node:fs';
import { count, nearest, plural } from '../../experiment/words.ts';
import { whyOf } from '../../runs/system-errors.ts';
import { DataError } from './errors.ts';

export interface ConllColumns {
  /** the file's name, for messages */
  path: string;
  /** names, or numbers from 0; `words` undefined: where the format has them */
  words?: string | number | undefined;
  /** null: the tags are not known */
  tags: string | number | null;
}

export interface Sentence {
  words: string[];
  /** empty where they are not known */
  tags: string[];
  /** of its first token */
  line: number;
}

const CONLL_U = ['id', 'form', 'lemma', 'upos', 'xpos', 'feats', 'head', 'deprel', 'deps', 'misc'];
/** By the number of columns. */
const OLDER: Readonly<Record<number, readonly string[]>> = {
  2: ['word', 'tag'],
  3: ['word', 'pos', 'chunk'],
  4: ['word', 'pos', 'chunk', 'ner'],
};
const MOST_BYTES = 1e9;

/** @throws DataError with file and line of a row that is not of the format, or the columns there are */
export function readConll(path: string, data: ConllColumns): { sentences: Sentence[]; notes: string[] } {
  return parseConll(textOf(path, data.path), data);
}

function textOf(path: string, name: string): string {
  let bytes: Buffer;
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES)
      throw new DataError(`${name} has ${count(size)} bytes; files of up to ${count(MOST_BYTES)} are read.`);
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`The data file ${name} cannot be read: ${whyOf(cause)}.`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DataError(`${name} is not UTF-8 text.`);
  }
}

interface Format {
  isConllU: boolean;
  names: readonly string[];
  columns: number;
  words: number;
  tags: number | null;
}

/** @throws DataError */
export function parseConll(text: string, data: ConllColumns): { sentences: Sentence[]; notes: string[] } {
  const sentences: Sentence[] = [];
  let format: Format | null = null;
  let [own, expected, ranges, empty]: [Sentence | null, number, number, number] = [null, 1, 0, 0];
  for (const [index, raw] of text.split(/\r\n|\r|\n/).entries()) {
    const line = index + 1;
    if (raw.trim() === '') {
      own = null;
      expected = 1;
      continue;
    }
    if (raw.startsWith('-DOCSTART-')) continue;
    const cells = raw.includes('\t') ? raw.split('\t') : raw.trim().split(/\s+/);
    // without comments of its own, an older form has "#" as a token, beside the columns of the others
    if (raw.startsWith('#') && (!format || format.isConllU || cells.length !== format.columns)) continue;
    const fail = (why: string) => new DataError(`${data.path}, line ${line}: ${why}.`);
    format ??= formatOf(cells, data, fail);
    if (cells.length !== format.columns)
      throw fail(
        format.isConllU
          ? `${plural(cells.length, 'column')}, but CoNLL-U has 10, with tabs between them`
          : `${plural(cells.length, 'column')}, but the first row has ${format.columns}`,
      );
    if (format.isConllU) {
      const [id] = cells as [string];
      if (/^\d+-\d+$/.test(id)) {
        ranges++;
        continue;
      }
      if (/^\d+\.\d+$/.test(id)) {
        empty++;
        continue;
      }
      if (!/^\d+$/.test(id))
        throw fail(`"${id.slice(0, 40)}" is no token's number; it is 1, 2 …, a range such as 1-2, or 1.1`);
      if (Number(id) !== expected)
        throw fail(`token ${id} stands where token ${expected} of its sentence is expected`);
      expected++;
    }
    const [word, tag] = [cells[format.words]!, format.tags === null ? '' : cells[format.tags]!];
    if (word === '') throw fail('the word is empty');
    if (format.tags !== null && tag === '') throw fail(`the tag of "${word}" is empty`);
    if (!own) {
      own = { words: [], tags: [], line };
      sentences.push(own);
    }
    own.words.push(word);
    if (format.tags !== null) own.tags.push(tag);
  }
  const notes: string[] = [];
  if (ranges > 0)
    notes.push(`${plural(ranges, 'range')} of tokens written as one word: the tokens are read.`);
  if (empty > 0)
    notes.push(
      `${plural(empty, 'empty node')} without a place in the text ${empty === 1 ? 'is' : 'are'} left out.`,
    );
  return { sentences, notes };
}

function formatOf(cells: readonly string[], data: ConllColumns, fail: (why: string) => DataError): Format {
  const isConllU = cells.length === CONLL_U.length && /^\d+([-.]\d+)?$/.test(cells[0]!);
  const names = isConllU ? CONLL_U : (OLDER[cells.length] ?? []);
  const place = (column: string | number) => {
    if (typeof column === 'number') {
      if (column < cells.length) return column;
      throw fail(
        `there is no column ${column} (counted from 0); the row has ${plural(cells.length, 'column')}`,
      );
    }
    const at = names.indexOf(column.toLowerCase());
    if (at >= 0) return at;
    const meant = nearest(column, names);
    throw fail(
      names.length === 0
        ? `columns of this file have no names; give the number of "${column}", counted from 0, of ${cells.length}`
        : `there is no column "${column}"; ${meant ? `did you mean "${meant}"` : `there are ${names.join(', ')}`}`,
    );
  };
  return {
    isConllU,
    names,
    columns: cells.length,
    words: data.words === undefined ? (isConllU ? 1 : 0) : place(data.words),
    tags: data.tags === null ? null : place(data.tags),
  };
}
