// What the beginning of a data file tells: which sort it is, its columns of numbers, and why it cannot be learned from.
import { type ColumnFacts, couldBeClass, type FileFacts } from '../experiment/tasks/kind.ts';
import type { Told } from './experiments/told.ts';
import { plural } from './text.ts';

export interface FoundFile {
  /** relative to the folder it belongs to, with forward slashes */
  path: string;
  bytes: number;
  /** its beginning, as text */
  head: string;
  sample?: boolean;
  /** of a format that names its columns, where it was read in time */
  told?: Told | undefined;
}

/** Texts of fewer characters hold nothing to learn. */
const LEAST_CHARACTERS = 1000;
/** Rows of a table: a window of the default 24, split in three. */
const LEAST_ROWS = 50;
/** Formats that name their columns; the trainer reads them. */
const TYPED = /\.(jsonl|ndjson|npy|npz|parquet|arrow|feather|arff|ts)$/i;
const FOREIGN = /\.(h5|hdf5|pkl|pickle|xlsx?|mat)$/i;
/** Endings that are looked for. */
export const DATA_ENDINGS =
  'txt,csv,tsv,conllu,conll,jsonl,ndjson,parquet,arff,feather,npy,npz,h5,hdf5,pkl,xlsx,xls,mat,arrow';

/** What is looked for: a `.ts` file is TypeScript nearly everywhere, so that of those only names of the archive count. */
export const DATA_GLOBS = [`**/*.{${DATA_ENDINGS}}`, '**/*_{TRAIN,TEST}.ts'];

const SERIES_HEADER =
  /^(?:\s*(?:[#%][^\n]*)?\n)*\s*@(?:problemname|timestamps|missing|univariate|dimensions?|equallength|serieslength|classlabel|targetlabel|data)\b/i;

/** A `.ts` file holds time series only under a header of the UEA archive. */
export function isData({ path, head }: Pick<FoundFile, 'path' | 'head'>): boolean {
  return !/\.ts$/i.test(path) || SERIES_HEADER.test(head.replace(/^\uFEFF/, ''));
}

export function readsOf(path: string): 'text' | 'table' | 'arrays' | null {
  if (TYPED.test(path)) return 'arrays';
  if (FOREIGN.test(path)) return null;
  return /\.(csv|tsv)$/i.test(path) ? 'table' : 'text';
}

/** One short reason, without a full stop; null where it can be used. */
export function faultOfFile({
  path,
  bytes,
  head,
}: Pick<FoundFile, 'path' | 'bytes' | 'head'>): string | null {
  const reads = readsOf(path);
  if (!reads) return `Unroll reads text, CSV and TSV, not ${path.split('.').at(-1)!.toLowerCase()}`;
  if (bytes === 0) return 'it is empty';
  if (reads === 'arrays') return null;
  if (head.includes('\0')) return 'it holds bytes that are no text';
  if (reads === 'text')
    return bytes < LEAST_CHARACTERS
      ? `too short: ${plural(head.length, 'character')}, and less than ${LEAST_CHARACTERS} hold nothing to learn`
      : null;
  if (numericColumns(head).length === 0) return 'no column of numbers under a header line';
  if (hasNoNames(head)) return 'its first line holds only numbers: write the names of the columns above it';
  return tooFewRows({ bytes, head });
}

/** As the trainer tells a table without a header from one with. */
function hasNoNames(head: string): boolean {
  const { header } = cellsIn(head, 1);
  return header.every(cell => cell === '' || Number.isFinite(Number(cell)));
}

/** Of a table; null where there are enough. */
export function tooFewRows({ bytes, head }: Pick<FoundFile, 'bytes' | 'head'>): string | null {
  // a file that goes on beyond its head has more
  const rows = head.split(/\r\n|\r|\n/).filter(line => line.trim() !== '').length - 1;
  return rows < LEAST_ROWS && head.length >= bytes - 3
    ? `too few rows: ${rows}, where ${LEAST_ROWS} make a training`
    : null;
}

/** Rows of a table or characters of a text, estimated from its beginning. */
export function extentOf(file: Pick<FoundFile, 'path' | 'bytes' | 'head'>): number {
  if (readsOf(file.path) === 'table') return rowsOf(file) ?? 0;
  return Math.round(file.head.length * shareOf(file));
}

/** Lines that hold a row each, estimated from the beginning; null: rows of this format are none of its lines. */
export function rowsOf(file: Pick<FoundFile, 'path' | 'bytes' | 'head'>): number | null {
  if (!/\.(txt|csv|tsv|jsonl|ndjson)$/i.test(file.path)) return null;
  const lines = file.head.split(/\r\n|\r|\n/).filter(line => line.trim() !== '').length;
  return Math.max(0, Math.round(lines * shareOf(file)) - (readsOf(file.path) === 'table' ? 1 : 0));
}

function shareOf({ bytes, head }: Pick<FoundFile, 'bytes' | 'head'>): number {
  const seen = Buffer.byteLength(head);
  return seen > 0 ? Math.max(1, bytes / seen) : 1;
}

/** The numeric columns of a table, by its first lines; a column of dates or words is left out. */
export function numericColumns(head: string): string[] {
  return columnsIn(head)
    .filter(({ isNumeric }) => isNumeric)
    .map(({ name }) => name);
}

/** What the first rows of a table tell its tasks. */
export function tableFacts(path: string, head: string): FileFacts {
  const { header, rows } = cellsIn(head, 2000);
  const isHeadless = header.some(cell => DATE.test(cell) || (cell !== '' && Number.isFinite(Number(cell))));
  const table = isHeadless ? [header, ...rows] : rows;
  const columns = header
    .map((name, column) =>
      factsOf(
        isHeadless ? String(column) : name,
        table.map(row => row[column] ?? ''),
      ),
    )
    // behind the last separator
    .filter(({ kind }, column) => kind !== 'empty' || header[column] !== '');
  return { path, isHeadless, columns, text: null };
}

const DATE = /^\d{1,4}([-/.])\d{1,2}\1\d{1,4}\b|^[A-Z][a-z]{2,8}\.? \d{1,2}, \d{4}$/;

function factsOf(name: string, cells: readonly string[]): ColumnFacts {
  const values = cells.filter(value => value !== '');
  const numbers = values.filter(value => Number.isFinite(Number(value)));
  const texts = values.length - numbers.length;
  const different = new Set(values).size;
  const isWhole = numbers.every(value => Number.isInteger(Number(value)));
  const isTime = texts > 0 && texts === values.filter(value => DATE.test(value)).length;
  const lengths = values.map(value => [...value].length).sort((a, b) => a - b);
  return {
    name,
    kind: values.length === 0 ? 'empty' : isTime ? 'time' : texts > 0.2 * values.length ? 'text' : 'number',
    different,
    filled: values.length,
    stretches: values.filter((value, row) => value !== values[row - 1]).length,
    varies: different > 1,
    isLabel: couldBeClass({ numbers: numbers.length, texts, different, isWhole }),
    lengths: 0,
    names: null,
    median: texts > 0 ? (lengths[lengths.length >> 1] ?? 0) : 0,
  };
}

/** The named columns under a header line. */
export function columnsIn(head: string): { name: string; isNumeric: boolean }[] {
  const { header, rows } = cellsIn(head, 50);
  return header.flatMap((name, column) => {
    if (name === '') return [];
    const values = rows.map(row => row[column] ?? '').filter(value => value !== '');
    const numbers = values.filter(value => Number.isFinite(Number(value)));
    return { name, isNumeric: values.length > 0 && numbers.length >= values.length * 0.8 };
  });
}

/** Of the first lines, at most so many. */
function cellsIn(head: string, most: number): { header: string[]; rows: string[][] } {
  const lines = head
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .filter(line => line.trim() !== '');
  const [header, ...rows] = lines.slice(0, most);
  if (!header) return { header: [], rows: [] };
  const separator = header.includes('\t') ? '\t' : header.includes(';') && !header.includes(',') ? ';' : ',';
  const cells = (line: string) =>
    [...line.matchAll(new RegExp(`("(?:[^"]|"")*"|[^${separator}]*)(?:${separator}|$)`, 'g'))].map(match =>
      match[1]!.replace(/^"|"$/g, '').replaceAll('""', '"').trim(),
    );
  return { header: cells(header), rows: rows.map(cells) };
}
