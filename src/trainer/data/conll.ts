// Sentences of tokens in columns: CoNLL-U (https://universaldependencies.org/format.html), whose ten columns have names, and
// the older forms of CoNLL-2003, whose columns stand apart by white space. A blank line ends a sentence.
import { readFileSync, statSync } from 'node:fs';
import { count, nearest, plural } from '../../experiment/words.ts';
import { whyOf } from '../../runs/system-errors.ts';
import { BadRows } from './bad-rows.ts';
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

export interface ReadSentences {
  sentences: Sentence[];
  notes: string[];
}

/** @throws DataError with file and line of a row that is not of the format, or the columns there are */
export function readConll(path: string, data: ConllColumns, bad?: BadRows): ReadSentences {
  return parseConll(textOf(path, data.path), data, bad);
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

/** Rows cut into sentences. One with a bad row is left out whole where `bad` goes on. @throws DataError */
export function parseConll(text: string, data: ConllColumns, bad = new BadRows()): ReadSentences {
  const sentences: Sentence[] = [];
  let format: Format | null = null;
  let [own, expected, isBad]: [Sentence | null, number, boolean] = [null, 1, false];
  let [ranges, empty] = [0, 0];
  for (const [index, raw] of text.split(/\r\n|\r|\n/).entries()) {
    const line = index + 1;
    if (raw.trim() === '') {
      [own, expected, isBad] = [null, 1, false];
      continue;
    }
    if (isBad || raw.startsWith('-DOCSTART-')) continue;
    const cells = raw.includes('\t') ? raw.split('\t') : raw.trim().split(/\s+/);
    // without comments of its own, an older form has "#" as a token, beside the columns of the others
    if (raw.startsWith('#') && (!format || format.isConllU || cells.length !== format.columns)) continue;
    const fail = (why: string) => new DataError(`${data.path}, line ${line}: ${why}.`);
    format ??= formatOf(cells, data, fail);
    const kind = format.isConllU && cells.length === format.columns ? rowKind(cells[0]!) : 'token';
    if (kind === 'range') ranges++;
    if (kind === 'empty') empty++;
    if (kind !== 'token') continue;
    const fault = faultOf(cells, format, expected);
    if (fault) {
      bad.report(fail(fault).message);
      isBad = true;
      if (own) sentences.pop();
      continue;
    }
    expected++;
    if (!own) {
      own = { words: [], tags: [], line };
      sentences.push(own);
    }
    own.words.push(cells[format.words]!);
    if (format.tags !== null) own.tags.push(cells[format.tags]!);
  }
  const notes: string[] = [];
  if (ranges > 0)
    notes.push(`${plural(ranges, 'range')} of tokens written as one word: the tokens are read.`);
  if (empty > 0)
    notes.push(
      `${plural(empty, 'empty node')} without a place in the text ${empty === 1 ? 'is' : 'are'} left out.`,
    );
  return { sentences, notes: [...notes, ...bad.notes()] };
}

/** What a row of CoNLL-U is by its number: a token, tokens written as one word, or a node without a place in the text. */
export function rowKind(id: string): 'token' | 'range' | 'empty' {
  if (/^\d+-\d+$/.test(id)) return 'range';
  return /^\d+\.\d+$/.test(id) ? 'empty' : 'token';
}

/** Why the row is no token; null: it is one. */
function faultOf(cells: readonly string[], format: Format, expected: number): string | null {
  if (cells.length !== format.columns)
    return format.isConllU
      ? `${plural(cells.length, 'column')}, but CoNLL-U has 10, with tabs between them`
      : `${plural(cells.length, 'column')}, but the first row has ${format.columns}`;
  if (format.isConllU) {
    const [id] = cells as [string];
    if (!/^\d+$/.test(id))
      return `"${id.slice(0, 40)}" is no token's number; it is 1, 2 …, a range such as 1-2, or 1.1`;
    if (Number(id) !== expected)
      return `token ${id} stands where token ${expected} of its sentence is expected`;
  }
  const [word, tag] = [cells[format.words]!, format.tags === null ? '' : cells[format.tags]!];
  if (word === '') return 'the word is empty';
  return format.tags !== null && tag === '' ? `the tag of "${word}" is empty` : null;
}

/** By a file's first row. */
export function namesOf(cells: readonly string[]): { isConllU: boolean; names: readonly string[] } {
  const isConllU = cells.length === CONLL_U.length && /^\d+([-.]\d+)?$/.test(cells[0]!);
  return { isConllU, names: isConllU ? CONLL_U : (OLDER[cells.length] ?? []) };
}

export function isComment(line: string): boolean {
  return line.startsWith('#') || line.startsWith('-DOCSTART-');
}

function formatOf(cells: readonly string[], data: ConllColumns, fail: (why: string) => DataError): Format {
  const { isConllU, names } = namesOf(cells);
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
