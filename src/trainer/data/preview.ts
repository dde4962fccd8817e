// What a data file holds, told before anything is trained: rows, columns, lengths, symbols, shares of classes, and the
// tasks that fit it.
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { TASK_NAMES, type TaskName, taskOf } from '../../experiment/tasks/index.ts';
import { type ColumnFacts, couldBeClass, type FileFacts } from '../../experiment/tasks/kind.ts';
import { formatBytes, plural } from '../../experiment/words.ts';
import { BadRows } from './bad-rows.ts';
import { csvRows } from './csv.ts';
import { readDate } from './dates.ts';
import { DataError } from './errors.ts';
import { isMissing } from './number-format.ts';
import { sentenceRows } from './preview-sentences.ts';
import { MOST_SOUNDS, type SoundsPreview, soundsLine, soundsPreview } from './preview-sounds.ts';
import { isSound } from './readers/folder.ts';
import { openReader, READERS, readerOf } from './readers/index.ts';
import { type Cell, isArray, isTexts, isUnusable } from './readers/reader.ts';
import { readText } from './text.ts';

export interface ColumnPreview {
  name: string;
  kind: 'number' | 'text' | 'time' | 'array' | 'list' | 'other' | 'empty';
  missing: number;
  /** of numbers, over all rows */
  least?: number;
  most?: number;
  mean?: number;
  /** different values, of lists different items, at most as many as are counted */
  different: number;
  /** the most frequent values with their share, where there are few */
  shares?: { value: string; share: number }[];
  /** different characters, of texts that are no classes */
  symbols?: number;
  /** of texts in characters, of arrays in steps, of lists in items */
  lengths?: { least: number; median: number; most: number };
  /** of arrays: the axes behind the steps */
  inner?: number[];
}

export interface Preview {
  format: string;
  bytes: number;
  rows: number | null;
  columns: ColumnPreview[];
  /** of plain texts */
  text: { characters: number; symbols: number; words: number; mostFrequent: string[] } | null;
  /** of a sound, or of the first ones that a table or folder names */
  sounds: SoundsPreview | null;
  /** rows that could not be read */
  skipped: number;
  /** experiments' data that fit, the best first */
  suggested: { task: TaskName; data: Record<string, unknown>; why: string; vectors?: boolean }[];
  /** there is more in the file: the figures are those of its beginning */
  isBeginning: boolean;
  notes: string[];
}

const READ_FORMATS = `Files that are read: text, CSV, TSV, CoNLL, WAV, folders, ${[...new Set(READERS.map(({ name }) => name))].filter(name => !name.includes('folder')).join(', ')}.`;

/** Different values that are counted; more have no shares. */
const COUNTED = 1000;
/** Different items of lists that are counted, which are short. */
const COUNTED_ITEMS = 200_000;
const SHOWN_SHARES = 12;

/** What stands in for a whole file where an answer is needed at once. */
export const BEGINNING = { bytes: 16 << 20, rows: 20_000 };

/** `limits`: no more of the file is read. @throws DataError */
export async function previewOf(
  path: string,
  name: string,
  limits: Partial<typeof BEGINNING> = {},
): Promise<Preview> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new DataError(`There is no file ${name}.`);
  if (stat.isFile() && stat.size === 0) throw new DataError(`The data file ${name} is empty.`);
  const reader = readerOf(path);
  const { bytes, rows: most = Number.POSITIVE_INFINITY } = limits;
  let isBeginning = bytes !== undefined && stat.isFile() && stat.size > bytes;
  const common = { bytes: stat.isFile() ? stat.size : 0, text: null, sounds: null, notes: [] as string[] };
  const base = stat.isFile() ? dirname(path) : path;
  if (reader) {
    const bad = new BadRows('skip');
    const {
      columns,
      rows,
      notes: told = [],
    } = await openReader(reader, path, name, { bad, part: { bytes } });
    const seen = columns.map(column => new ColumnWatch(column));
    const { count, good, isMore } = await watchRows(rows, seen, most, bad);
    isBeginning ||= isMore;
    // the last row of a beginning is cut
    const skipped = isBeginning && bad.count > good ? bad.count - 1 : bad.count;
    const notes = [...told, ...(skipped > 0 ? bad.notes() : [])];
    const facts = { ...common, format: reader.name, rows: count, skipped, isBeginning, notes };
    return table(facts, seen, name, { base });
  }
  if (isSound(path)) return soundPreview(path, name, common);
  if (isOfSentences(path)) {
    const bad = new BadRows('skip');
    const found = await sentenceRows(path, name, { bad, bytes });
    if (!found) throw new DataError(`${name} holds no sentence.`);
    const seen = found.columns.map(column => new ColumnWatch(column));
    const { count, isMore } = await watchRows(found.rows, seen, most, bad);
    isBeginning ||= isMore;
    const facts = { ...common, format: found.format, rows: count, skipped: bad.count, isBeginning };
    return table({ ...facts, notes: bad.notes() }, seen, name, { base, isHeadless: found.isHeadless });
  }
  if (!/\.(csv|tsv|tab)$/i.test(path))
    return textPreview(path, name, stat.size, isBeginning ? bytes : undefined);
  const bad = new BadRows('skip');
  const { rows, delimiter } = await csvRows(path, name, { bad, part: { bytes } });
  let seen: ColumnWatch[] | null = null;
  let first: string[] = [];
  let [count, skipped, isHeadless, isCut] = [0, 0, false, false];
  for await (const { record } of rows) {
    if (count === most) {
      isBeginning = true;
      break;
    }
    if (!seen) {
      first = record;
      isHeadless = record.some(isNoName);
      seen = record.map((column, at) => new ColumnWatch(isHeadless ? String(at) : column));
      if (!isHeadless) continue;
    }
    isCut = record.length !== seen.length;
    if (isCut) {
      skipped++;
      continue;
    }
    for (const [at, cell] of record.entries()) seen[at]!.add(cellOf(cell));
    count++;
  }
  // what stands again in its own column is a value, such as a class
  if (!isHeadless && seen?.some((column, at) => column.has(first[at]!))) {
    isHeadless = true;
    seen.forEach((column, at) => {
      column.name = String(at);
      column.add(cellOf(first[at]!));
    });
    count++;
  }
  return table(
    {
      ...common,
      format: delimiter === '\t' ? 'TSV' : 'CSV',
      rows: count,
      skipped: isBeginning && isCut ? skipped - 1 : skipped,
      isBeginning,
      notes: isHeadless ? [`${name} has no header: its columns are numbered from 0.`] : [],
    },
    seen ?? [],
    name,
    { base, isHeadless },
  );
}

/** Shows at most so many rows to their columns. `good`: how many bad rows stood before the last of them. */
async function watchRows(
  rows: AsyncIterable<{ cells: readonly Cell[] }>,
  seen: readonly ColumnWatch[],
  most: number,
  bad: BadRows,
): Promise<{ count: number; good: number; isMore: boolean }> {
  let [count, good] = [0, 0];
  for await (const { cells } of rows) {
    if (count === most) return { count, good, isMore: true };
    cells.forEach((cell, at) => {
      seen[at]!.add(cell);
    });
    count++;
    good = bad.count;
  }
  return { count, good, isMore: false };
}

/** A number, a date or a sentence names no column: the first line is a row. */
function isNoName(cell: string): boolean {
  if (typeof cellOf(cell) === 'number' || readDate(cell) !== null) return true;
  return (
    cell.length > 60 || /[\p{L}\p{N}][.?!]$/u.test(cell) || cell.split(/\s+/).length > MOST_WORDS_OF_NAME
  );
}

const MOST_WORDS_OF_NAME = 4;

/** By its name, or by its first rows where they can be nothing else. */
function isOfSentences(path: string): boolean {
  if (/\.(conllu?|conll\d+|bio|iob2?)$/i.test(path)) return true;
  if (/\.(csv|tsv|tab)$/i.test(path)) return false;
  const head = headOf(path);
  return TASK_NAMES.some(task => {
    const { tags, starter } = taskOf({ task });
    return tags && head !== null && Boolean(starter.found?.(head));
  });
}

const HEAD_BYTES = 65_536;

/** null: it is no text. */
function headOf(path: string): string | null {
  const buffer = Buffer.alloc(HEAD_BYTES);
  const file = openSync(path, 'r');
  try {
    const head = buffer.subarray(0, readSync(file, buffer, 0, HEAD_BYTES, 0));
    return head.includes(0) ? null : head.toString('utf8');
  } finally {
    closeSync(file);
  }
}

function soundPreview(path: string, name: string, common: { bytes: number; text: null }): Preview {
  const { sounds, faults } = soundsPreview([{ path, name }]);
  if (!sounds) throw new DataError(faults[0]!);
  return {
    ...common,
    format: 'WAV',
    rows: null,
    columns: [],
    sounds,
    skipped: 0,
    isBeginning: false,
    suggested: [],
    notes: ['One sound is no data set: name a table with a column of sounds, or a folder of them.'],
  };
}

async function textPreview(
  path: string,
  name: string,
  bytes: number,
  first: number | undefined,
): Promise<Preview> {
  const { vocabulary, ids } = await readText(path, name, { minCount: 1, share: 1, bytes: first }).catch(
    (cause: unknown) => {
      throw cause instanceof DataError ? new DataError(`${cause.message} ${READ_FORMATS}`) : cause;
    },
  );
  const { symbols, counts } = vocabulary;
  const order = [...symbols.keys()].sort((a, b) => counts[b]! - counts[a]!);
  const spaces = [' ', '\n'].reduce((sum, each) => sum + (counts[symbols.indexOf(each)] ?? 0), 0);
  return {
    format: 'text',
    bytes,
    rows: null,
    columns: [],
    text: {
      characters: ids.length,
      symbols: symbols.length,
      words: spaces,
      mostFrequent: order.slice(0, 20).map(id => symbols[id]!),
    },
    sounds: null,
    skipped: 0,
    isBeginning: first !== undefined,
    suggested: suggestions({
      path: name,
      isHeadless: false,
      columns: [],
      text: { characters: ids.length, words: spaces, symbols: symbols.length },
    }),
    notes: [],
  };
}

/** A plain number, a text, or nothing: the dialect of a column is found when it is learned from. */
function cellOf(text: string): Cell {
  if (isMissing(text)) return null;
  const number = Number(text.replace(',', '.'));
  return Number.isFinite(number) ? number : text;
}

/** One column as its cells go by. */
class ColumnWatch {
  name: string;
  private numbers = 0;
  private texts = 0;
  private arrays = 0;
  private missing = 0;
  private others = 0;
  private sum = 0;
  private least = Number.POSITIVE_INFINITY;
  private most = Number.NEGATIVE_INFINITY;
  private readonly counts = new Map<string, number>();
  private isMany = false;
  private stretches = 0;
  private before = '';
  private isWhole = true;
  private dates = 0;
  /** how often each length stands there */
  private readonly lengths = new Map<number, number>();
  private inner: number[] | null = null;
  private lists = 0;
  private items = 0;
  private lengthsKey = 0;
  private named: 'sounds' | 'files' | null = null;
  private readonly symbols = new Set<string>();
  /** the first files that it names */
  readonly files: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  add(cell: Cell): void {
    if (cell === null || cell === '') {
      this.missing++;
      return;
    }
    if (isUnusable(cell)) {
      this.others++;
      return;
    }
    if (isTexts(cell)) {
      this.lists++;
      this.measure(cell.length);
      for (const item of cell) this.countItem(item);
      return;
    }
    if (isArray(cell)) {
      this.arrays++;
      this.measure(cell.shape[0] ?? 1);
      if (cell.shape.length === 1 && this.counts.size <= COUNTED)
        for (const value of cell.data) if (Number.isInteger(value)) this.countItem(String(value));
      this.inner ??= cell.shape.slice(1);
      return;
    }
    if (typeof cell === 'number') {
      this.numbers++;
      this.isWhole &&= Number.isInteger(cell);
      this.sum += cell;
      this.least = Math.min(this.least, cell);
      this.most = Math.max(this.most, cell);
    } else {
      this.texts++;
      if (this.dates === this.texts - 1 && readDate(String(cell)) !== null) this.dates++;
      const text = String(cell);
      const characters = [...text];
      this.countLength(characters.length);
      if (this.symbols.size < COUNTED_ITEMS) for (const each of characters) this.symbols.add(each);
      this.seeName(text);
    }
    const key = String(cell);
    if (key !== this.before) this.stretches++;
    this.before = key;
    if (!this.isMany) this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    if (this.counts.size > COUNTED) {
      this.isMany = true;
      this.counts.clear();
    }
  }

  has(value: string): boolean {
    return this.numbers === 0 && this.counts.has(value);
  }

  private measure(length: number): void {
    this.countLength(length);
    this.lengthsKey = (Math.imul(this.lengthsKey, 31) + length) | 0;
  }

  private countLength(length: number): void {
    this.lengths.set(length, (this.lengths.get(length) ?? 0) + 1);
  }

  private countItem(item: string): void {
    this.items++;
    if (this.counts.size < COUNTED_ITEMS) this.counts.set(item, (this.counts.get(item) ?? 0) + 1);
  }

  /** Whether all texts so far are names of files. */
  private seeName(text: string): void {
    const own = /\s/.test(text)
      ? null
      : isSound(text)
        ? 'sounds'
        : /^\S+\.[A-Za-z]\w{1,4}$/.test(text)
          ? 'files'
          : null;
    if (this.texts === 1) this.named = own;
    else if (own !== this.named) this.named = own && this.named ? 'files' : null;
    if (this.named && this.files.length < MOST_SOUNDS) this.files.push(text);
  }

  facts(): ColumnFacts {
    const { name, kind, different, least, most, shares, lengths } = this.preview();
    return {
      name,
      kind,
      different,
      varies: kind !== 'number' || least !== most,
      isLabel: shares !== undefined,
      median: lengths?.median ?? 0,
      filled: this.filled,
      stretches: this.stretches,
      lengths: this.lengthsKey,
      names: kind === 'text' ? this.named : null,
    };
  }

  /** whether the cells could be classes: few of them, each more than once */
  get isLabel(): boolean {
    if (this.lists + this.arrays > 0)
      return this.counts.size >= 2 && this.counts.size <= Math.min(100, this.items / 5);
    const { numbers, texts, isWhole } = this;
    return !this.isMany && couldBeClass({ numbers, texts, isWhole, different: this.counts.size });
  }

  private get filled(): number {
    return this.numbers + this.texts + this.arrays + this.lists;
  }

  preview(): ColumnPreview {
    const { filled } = this;
    const kind =
      this.arrays > 0
        ? 'array'
        : this.lists > 0
          ? 'list'
          : filled === 0
            ? this.others > 0
              ? 'other'
              : 'empty'
            : this.texts > 0 && this.dates === this.texts
              ? 'time'
              : this.texts > 0.2 * filled
                ? 'text'
                : 'number';
    const lengths = lengthsOf(this.lengths);
    const top = [...this.counts].sort((a, b) => b[1] - a[1]);
    return {
      name: this.name,
      kind,
      missing: this.missing,
      ...(kind === 'number' ? { least: this.least, most: this.most, mean: this.sum / this.numbers } : {}),
      different: this.isMany ? COUNTED : this.counts.size,
      ...(this.isLabel
        ? {
            shares: top
              .slice(0, SHOWN_SHARES)
              .map(([value, own]) => ({ value, share: own / (this.numbers + this.texts || this.items) })),
          }
        : {}),
      ...(kind === 'text' && !this.isLabel ? { symbols: this.symbols.size } : {}),
      ...((kind === 'text' || kind === 'array' || kind === 'list') && lengths ? { lengths } : {}),
      ...(this.inner ? { inner: this.inner } : {}),
    };
  }
}

/** null: there are none */
function lengthsOf(counts: ReadonlyMap<number, number>): NonNullable<ColumnPreview['lengths']> | null {
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (!first || !last) return null;
  let left = sorted.reduce((sum, [, times]) => sum + times, 0) >> 1;
  const median = sorted.find(([, times]) => (left -= times) < 0)!;
  return { least: first[0], median: median[0], most: last[0] };
}

function table(
  facts: Omit<Preview, 'columns' | 'suggested'>,
  seen: readonly ColumnWatch[],
  name: string,
  { base, isHeadless = false }: { base: string; isHeadless?: boolean },
): Preview {
  const columns = seen.map(each => each.preview());
  const told = seen.map(each => each.facts());
  const suggested = suggestions({ path: name, isHeadless, text: null, columns: told });
  const place = told.findIndex(({ names }) => names === 'sounds');
  if (place < 0) return { ...facts, columns, suggested };
  const files = seen[place]!.files.map(file => ({ path: resolve(base, file), name: file }));
  const { sounds, faults } = soundsPreview(files);
  const [first] = faults;
  const note =
    first === undefined
      ? []
      : [
          `${plural(faults.length, 'sound')} of the first ${files.length} cannot be read. The first: ${first}`,
        ];
  return { ...facts, columns, suggested, sounds, notes: [...facts.notes, ...note] };
}

/** Experiments' data that fit, those that a person most likely means first. */
function suggestions(facts: FileFacts): Preview['suggested'] {
  const all = TASK_NAMES.flatMap(task => {
    const own = taskOf({ task }).suits?.(facts);
    return own
      ? [
          {
            task,
            data: own.data as Record<string, unknown>,
            why: own.why,
            ...(own.vectors ? { vectors: true } : {}),
          },
        ]
      : [];
  });
  // a column of classes is there to be told; numbers are in every table
  return all.sort(
    (a, b) => Number(taskOf(b).loss.of === 'classes') - Number(taskOf(a).loss.of === 'classes'),
  );
}

/** Lines for people, also of a hover. */
export function previewLines(preview: Preview): string[] {
  const { format, bytes, rows, columns, text, sounds, skipped, suggested, isBeginning } = preview;
  const count = (value: number) =>
    Math.abs(value) < 1e15
      ? value.toLocaleString('en-US', { maximumSignificantDigits: 5 })
      : String(Number(value.toPrecision(5)));
  const lines = [
    [
      format,
      bytes > 0 ? formatBytes(bytes) : null,
      rows === null ? null : plural(rows, 'row'),
      columns.length > 0 ? plural(columns.length, 'column') : null,
      skipped > 0 ? `${plural(skipped, 'row')} that cannot be read` : null,
      isBeginning ? 'its beginning, of a longer file' : null,
    ]
      .filter(part => part !== null)
      .join(' · '),
  ];
  if (text)
    lines.push(
      `${plural(text.characters, 'character')}, ${text.symbols} different, about ${plural(text.words, 'word')}; most frequent: ${text.mostFrequent.map(shownSymbol).join(' ')}`,
    );
  for (const column of columns.slice(0, 40)) {
    const { name, kind, missing, lengths, shares, inner, symbols, different } = column;
    const facts = [
      kind === 'array'
        ? `arrays${inner && inner.length > 0 ? ` (steps, ${inner.join(', ')})` : ''}`
        : kind === 'list'
          ? 'lists'
          : kind,
      kind === 'number'
        ? `${count(column.least!)} to ${count(column.most!)}, mean ${count(column.mean!)}`
        : null,
      lengths
        ? `${count(lengths.least)} to ${plural(lengths.most, LENGTH_UNITS[kind] ?? 'character')} (median ${count(lengths.median)})`
        : null,
      symbols !== undefined ? `${count(symbols)} different characters` : null,
      kind === 'list' && !shares ? `${count(different)} different` : null,
      shares
        ? `${column.different} values: ${shares.map(({ value, share }) => `${shownValue(value)} ${(100 * share).toFixed(1)} %`).join(', ')}${column.different > shares.length ? ', …' : ''}`
        : null,
      missing > 0 ? `${count(missing)} missing` : null,
    ].filter(part => part !== null);
    lines.push(`${name}: ${facts.join('; ')}`);
  }
  if (sounds) lines.push(soundsLine(sounds));
  if (columns.length > 40) lines.push(`… and ${plural(columns.length - 40, 'further column')}`);
  for (const { task, why } of suggested) lines.push(`fits ${task}: ${why}`);
  return lines;
}

const LENGTH_UNITS: Partial<Record<ColumnPreview['kind'], string>> = { array: 'step', list: 'item' };

/** Signs alone stand in quotes, since a list has commas and points of its own. */
function shownValue(value: string): string {
  return /[\p{L}\p{N}]/u.test(value) ? value.slice(0, 30) : `"${value.slice(0, 30)}"`;
}

function shownSymbol(symbol: string): string {
  return { '\n': '⏎', '\t': '⇥', ' ': '␣' }[symbol] ?? symbol;
}
