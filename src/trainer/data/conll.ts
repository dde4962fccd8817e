// Sentences of tokens in columns: CoNLL-U (https://universaldependencies.org/format.html), whose ten columns have names, and
// the older forms of CoNLL-2003, whose columns stand apart by white space. A blank line ends a sentence.
import { count, nearest, plural } from '../../experiment/words.ts';
import { BadRows } from './bad-rows.ts';
import { DataError } from './errors.ts';
import type { FilePart } from './readers/reader.ts';
import { Column, type List, Records, Storage, Texts } from './storage.ts';
import { textChunks } from './text.ts';

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
/** Between the words of a sentence, where they stand together. */
const BETWEEN = '\n';

/** Words of lists may hold any sign. */
function escaped(word: string): string {
  if (!word.includes(BETWEEN) && !word.includes('\\')) return word;
  return word.replaceAll('\\', '\\\\').replaceAll(BETWEEN, '\\n');
}

function unescaped(word: string): string {
  if (!word.includes('\\')) return word;
  return word.replace(/\\([\\n])/g, (_, sign) => (sign === 'n' ? BETWEEN : sign));
}

/** Sentences that stand in a storage; made when they are read. */
export class SentenceList implements List<Sentence> {
  readonly storage: Storage;
  /** tokens of each */
  readonly tokens: Column<Int32ArrayConstructor>;
  /** tags by number, in the order in which they were first seen */
  readonly tagNames: string[] = [];
  private readonly idOf = new Map<string, number>();
  private readonly words: Texts;
  private readonly tags: Records<Int32ArrayConstructor>;
  private readonly lines: Column<Int32ArrayConstructor>;

  constructor(storage: Storage) {
    this.storage = storage;
    this.tokens = new Column(Int32Array, storage);
    this.words = new Texts(storage);
    this.tags = new Records(Int32Array, storage);
    this.lines = new Column(Int32Array, storage);
  }

  get length(): number {
    return this.lines.length;
  }

  add({ words, tags, line }: Sentence): void {
    this.words.add(words.map(escaped).join(BETWEEN));
    this.tags.add(tags.map(tag => this.numberOf(tag)));
    this.tokens.push(words.length);
    this.lines.push(line);
  }

  at(place: number): Sentence {
    return this.sentence(place, this.words.at(place), this.tags.at(place));
  }

  *[Symbol.iterator](): Generator<Sentence> {
    const tags = this.tags[Symbol.iterator]();
    let place = 0;
    for (const words of this.words) yield this.sentence(place++, words, tags.next().value!);
  }

  private sentence(place: number, words: string, tags: Int32Array): Sentence {
    return {
      words: words.split(BETWEEN).map(unescaped),
      tags: Array.from(tags, id => this.tagNames[id]!),
      line: this.lines.get(place),
    };
  }

  private numberOf(tag: string): number {
    const known = this.idOf.get(tag);
    if (known !== undefined) return known;
    this.idOf.set(tag, this.tagNames.length);
    return this.tagNames.push(tag) - 1;
  }
}

export interface ReadSentences {
  sentences: SentenceList;
  notes: string[];
}

export interface ReadOptions {
  bad?: BadRows | undefined;
  /** read only this part of the file */
  part?: FilePart | undefined;
  storage?: Storage | undefined;
}

/** @throws DataError with file and line of a row that is not of the format, or the columns there are */
export async function readConll(
  path: string,
  data: ConllColumns,
  { bad = new BadRows(), part, storage = new Storage() }: ReadOptions = {},
): Promise<ReadSentences> {
  const sentences = new SentenceList(storage);
  const rows = new Rows(data, bad, sentence => sentences.add(sentence));
  let rest = '';
  for await (const chunk of textChunks(path, data.path, { bytes: part?.bytes })) {
    // a carriage return at the end may be half of a line's end
    const lines = (rest + chunk).split(/\r\n|\r(?!$)|\n/);
    rest = lines.pop()!;
    if (rest.length > LONGEST_LINE)
      throw new DataError(
        `${data.path}, line ${count(rows.line + lines.length + 1)}: it is longer than ${LONGEST_LINE / 1e6} million characters.`,
      );
    for (const line of lines) rows.read(line);
  }
  for (const line of rest.split('\r')) rows.read(line);
  return { sentences, notes: rows.end() };
}

/** Rows of a text that is at hand. @throws DataError */
export function parseConll(
  text: string,
  data: ConllColumns,
  bad = new BadRows(),
): { sentences: Sentence[]; notes: string[] } {
  const sentences: Sentence[] = [];
  const rows = new Rows(data, bad, sentence => sentences.push(sentence));
  for (const line of text.split(/\r\n|\r|\n/)) rows.read(line);
  return { sentences, notes: rows.end() };
}

const LONGEST_LINE = 64e6;

interface Format {
  isConllU: boolean;
  names: readonly string[];
  columns: number;
  words: number;
  tags: number | null;
}

/** Rows cut into sentences. One with a bad row is left out whole where `bad` goes on. */
class Rows {
  line = 0;
  private readonly data: ConllColumns;
  private readonly bad: BadRows;
  private readonly done: (sentence: Sentence) => void;
  private format: Format | null = null;
  private own: Sentence | null = null;
  private expected = 1;
  private isBad = false;
  private ranges = 0;
  private empty = 0;

  constructor(data: ConllColumns, bad: BadRows, done: (sentence: Sentence) => void) {
    this.data = data;
    this.bad = bad;
    this.done = done;
  }

  /** @throws DataError */
  read(raw: string): void {
    this.line++;
    if (raw.trim() === '') {
      this.close();
      return;
    }
    if (this.isBad || raw.startsWith('-DOCSTART-')) return;
    const cells = raw.includes('\t') ? raw.split('\t') : raw.trim().split(/\s+/);
    // without comments of its own, an older form has "#" as a token, beside the columns of the others
    if (raw.startsWith('#') && (!this.format || this.format.isConllU || cells.length !== this.format.columns))
      return;
    const fail = (why: string) => new DataError(`${this.data.path}, line ${this.line}: ${why}.`);
    this.format ??= formatOf(cells, this.data, fail);
    const { format } = this;
    const kind = format.isConllU && cells.length === format.columns ? rowKind(cells[0]!) : 'token';
    if (kind === 'range') this.ranges++;
    if (kind === 'empty') this.empty++;
    if (kind !== 'token') return;
    const fault = faultOf(cells, format, this.expected);
    if (fault) {
      this.bad.report(fail(fault).message);
      this.isBad = true;
      this.own = null;
      return;
    }
    this.expected++;
    this.own ??= { words: [], tags: [], line: this.line };
    this.own.words.push(cells[format.words]!);
    if (format.tags !== null) this.own.tags.push(cells[format.tags]!);
  }

  /** What should be known of the rows. */
  end(): string[] {
    this.close();
    const notes: string[] = [];
    if (this.ranges > 0)
      notes.push(`${plural(this.ranges, 'range')} of tokens written as one word: the tokens are read.`);
    if (this.empty > 0)
      notes.push(
        `${plural(this.empty, 'empty node')} without a place in the text ${this.empty === 1 ? 'is' : 'are'} left out.`,
      );
    return [...notes, ...this.bad.notes()];
  }

  private close(): void {
    if (this.own) this.done(this.own);
    this.own = null;
    this.expected = 1;
    this.isBad = false;
  }
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
