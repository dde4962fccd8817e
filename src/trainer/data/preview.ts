// What a data file holds, told before anything is trained: rows, columns, lengths, symbols, shares of classes, and the
// tasks that fit it.
import { statSync } from 'node:fs';
import { TASK_NAMES, type TaskName, taskOf } from '../../experiment/tasks/index.ts';
import type { ColumnFacts, FileFacts } from '../../experiment/tasks/kind.ts';
import { formatBytes, plural } from '../../experiment/words.ts';
import { BadRows } from './bad-rows.ts';
import { csvRows } from './csv.ts';
import { readDate } from './dates.ts';
import { DataError } from './errors.ts';
import { isMissing } from './number-format.ts';
import { readerOf } from './readers/index.ts';
import { type Cell, isArray, isUnusable } from './readers/reader.ts';
import { readText } from './text.ts';

export interface ColumnPreview {
  name: string;
  kind: 'number' | 'text' | 'time' | 'array' | 'other' | 'empty';
  missing: number;
  /** of numbers, over all rows */
  least?: number;
  most?: number;
  mean?: number;
  /** different values, at most as many as are counted */
  different: number;
  /** the most frequent values with their share, where there are few */
  shares?: { value: string; share: number }[];
  /** of texts in characters, of arrays in steps */
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
  /** rows that could not be read */
  skipped: number;
  /** experiments' data that fit, the best first */
  suggested: { task: TaskName; data: Record<string, unknown>; why: string; vectors?: boolean }[];
  /** there is more in the file: the figures are those of its beginning */
  isBeginning: boolean;
  notes: string[];
}

/** Different values that are counted; more have no shares. */
const COUNTED = 1000;
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
  const common = { bytes: stat.isFile() ? stat.size : 0, text: null, notes: [] };
  if (reader) {
    const bad = new BadRows('skip');
    const { columns, rows } = await reader.open(path, name, { bad, bytes });
    const seen = columns.map(column => new ColumnWatch(column));
    let [count, good] = [0, 0];
    for await (const { cells } of rows) {
      if (count === most) {
        isBeginning = true;
        break;
      }
      cells.forEach((cell, at) => {
        seen[at]!.add(cell);
      });
      count++;
      good = bad.count;
    }
    // the last row of a beginning is cut
    const skipped = isBeginning && bad.count > good ? bad.count - 1 : bad.count;
    const notes = skipped > 0 ? bad.notes() : [];
    return table({ ...common, format: reader.name, rows: count, skipped, isBeginning, notes }, seen, name);
  }
  if (!/\.(csv|tsv|tab)$/i.test(path))
    return textPreview(path, name, stat.size, isBeginning ? bytes : undefined);
  const bad = new BadRows('skip');
  const { rows, delimiter } = await csvRows(path, name, { bad, bytes });
  let seen: ColumnWatch[] | null = null;
  let [count, skipped, isHeadless, isCut] = [0, 0, false, false];
  for await (const { record } of rows) {
    if (count === most) {
      isBeginning = true;
      break;
    }
    if (!seen) {
      // a number or a date names no column: the first line is a row
      isHeadless = record.some(cell => typeof cellOf(cell) === 'number' || readDate(cell) !== null);
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
    isHeadless,
  );
}

async function textPreview(
  path: string,
  name: string,
  bytes: number,
  first: number | undefined,
): Promise<Preview> {
  const { vocabulary, ids } = await readText(path, name, { minCount: 1, share: 1, bytes: first });
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
  readonly name: string;
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
  private isWhole = true;
  private dates = 0;
  private readonly lengths: number[] = [];
  private inner: number[] | null = null;

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
    if (isArray(cell)) {
      this.arrays++;
      this.lengths.push(cell.shape[0] ?? 1);
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
      this.lengths.push([...String(cell)].length);
    }
    const key = String(cell);
    if (!this.isMany) this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    if (this.counts.size > COUNTED) {
      this.isMany = true;
      this.counts.clear();
    }
  }

  /** whether the cells could be classes: few of them, each more than once */
  get isLabel(): boolean {
    const all = this.numbers + this.texts;
    if (this.numbers > 0 && (this.counts.size > 30 || !this.isWhole)) return false;
    return !this.isMany && this.counts.size >= 2 && this.counts.size <= Math.max(2, Math.min(100, all / 5));
  }

  preview(): ColumnPreview {
    const filled = this.numbers + this.texts + this.arrays;
    const kind =
      this.arrays > 0
        ? 'array'
        : filled === 0
          ? this.others > 0
            ? 'other'
            : 'empty'
          : this.texts > 0 && this.dates === this.texts
            ? 'time'
            : this.texts > 0.2 * filled
              ? 'text'
              : 'number';
    const sorted = [...this.lengths].sort((a, b) => a - b);
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
              .map(([value, own]) => ({ value, share: own / (this.numbers + this.texts) })),
          }
        : {}),
      ...((kind === 'text' || kind === 'array') && sorted.length > 0
        ? { lengths: { least: sorted[0]!, median: sorted[sorted.length >> 1]!, most: sorted.at(-1)! } }
        : {}),
      ...(this.inner ? { inner: this.inner } : {}),
    };
  }
}

function table(
  facts: Omit<Preview, 'columns' | 'suggested'>,
  seen: readonly ColumnWatch[],
  name: string,
  isHeadless = false,
): Preview {
  const columns = seen.map(each => each.preview());
  const suggested = suggestions({ path: name, isHeadless, text: null, columns: columns.map(factsOf) });
  return { ...facts, columns, suggested };
}

function factsOf({ name, kind, different, least, most, shares, lengths }: ColumnPreview): ColumnFacts {
  const varies = kind !== 'number' || least !== most;
  return { name, kind, different, varies, isLabel: shares !== undefined, median: lengths?.median ?? 0 };
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
  const { format, bytes, rows, columns, text, skipped, suggested, isBeginning } = preview;
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
    const { name, kind, missing, lengths, shares, inner } = column;
    const facts = [
      kind === 'array' ? `arrays${inner && inner.length > 0 ? ` (steps, ${inner.join(', ')})` : ''}` : kind,
      kind === 'number'
        ? `${count(column.least!)} to ${count(column.most!)}, mean ${count(column.mean!)}`
        : null,
      lengths
        ? `${count(lengths.least)} to ${plural(lengths.most, kind === 'array' ? 'step' : 'character')} (median ${count(lengths.median)})`
        : null,
      shares
        ? `${column.different} values: ${shares.map(({ value, share }) => `${value.slice(0, 30)} ${(100 * share).toFixed(1)} %`).join(', ')}${column.different > shares.length ? ', …' : ''}`
        : null,
      missing > 0 ? `${count(missing)} missing` : null,
    ].filter(part => part !== null);
    lines.push(`${name}: ${facts.join('; ')}`);
  }
  if (columns.length > 40) lines.push(`… and ${plural(columns.length - 40, 'further column')}`);
  for (const { task, why } of suggested) lines.push(`fits ${task}: ${why}`);
  return lines;
}

function shownSymbol(symbol: string): string {
  return { '\n': '⏎', '\t': '⇥', ' ': '␣' }[symbol] ?? symbol;
}
