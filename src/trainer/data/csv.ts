// Reads numeric columns of a CSV or TSV file as a stream: delimiter, quotes, encoding, header, rows that are none of data.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, Transform, type TransformCallback } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import { count, plural } from '../../experiment/words.ts';
import { isSystemError, whyOf } from '../../runs/system-errors.ts';
import { BadRows } from './bad-rows.ts';
import { readDate } from './dates.ts';
import { DataError } from './errors.ts';
import { alikeAmong, lookalikeNotes, lookOf } from './lookalikes.ts';
import {
  type ColumnFacts,
  ColumnReader,
  DecimalEvidence,
  isMissing,
  type NumberFormat,
  readCell,
  SeparatorWatch,
} from './number-format.ts';
import { openReader, readerOf } from './readers/index.ts';
import { type Cell, type FilePart, type Reader, refuseArray, textOf } from './readers/reader.ts';
import { Column, Storage } from './storage.ts';
import { fromParts, goesOn, type TimeColumn, TimeReader, withClock } from './time-column.ts';

export interface Table {
  /** names of all columns of the file */
  columns: string[];
  /** the wanted columns by name; NaN where a cell is empty or no number */
  values: Map<string, Column<Float64ArrayConstructor>>;
  rows: number;
  /** line of each row in the file, from 1, and its number among the rows of data, from 1 */
  lines: Column<Int32ArrayConstructor>;
  numbers: Column<Int32ArrayConstructor>;
  /** empty cells and words such as NA in the wanted columns */
  missing: Map<string, number>;
  /** cells that are neither empty nor a number, with the first of them; '' if there is none */
  strange: Map<string, { count: number; first: string }>;
  /** the number format of each wanted column */
  formats: Map<string, NumberFormat>;
  time: TimeColumn | null;
  /** of these columns, and of those that are made of them */
  storage: Storage;
  /** how the file was read, where that is not plain */
  notes: string[];
}

export interface ReadOptions {
  /** format of all numbers; left out: each column decides */
  numbers?: NumberFormat | undefined;
  /** formats of a run's own data, for columns that decide nothing */
  formats?: Readonly<Record<string, NumberFormat>> | undefined;
  /** the column that tells time; left out: found */
  time?: string | undefined;
  /** largest share of a column's non-empty cells that may be no number */
  unreadable?: number | undefined;
  /** false: no row names the columns, their names are their numbers from 0 */
  header?: boolean | undefined;
  /** read only this part of the file */
  part?: FilePart | undefined;
  /** hears of rows that cannot be used; left out: the first one is an error */
  bad?: BadRows | undefined;
  /** where the columns stand */
  storage?: Storage | undefined;
}

const DELIMITERS = [',', ';', '\t', '|'] as const;
const TOTAL =
  /^(?:(?:grand |sub-?)?(?:totals?|sums?)|(?:gesamt|zwischen|end)?summe|gesamt|insgesamt|somme|totale|totaal|totalt|somma|suma|celkem|razem|összesen|toplam|итого|всего|合計|总计|總計|합계|Σ)(?![\p{L}\d])/iu;
/** Words that are names and categories too: they tell a total only in a column of numbers or dates. */
const STATISTIC =
  /^(?:averages?|avg|mean|median|std\.?(?:dev)?|max(?:imum)?|min(?:imum)?|count|anzahl|mittelwert|durchschnitt|moyenne|média|media)(?![\p{L}\d])/iu;
/** More rows than this at the end are data. */
const MOST_TOTALS = 10;
/** Loggers write units, kinds of values and more under the header; more rows than this are data. */
const MOST_UNITS = 3;
/** Lines above the header that tell where a table comes from, the header counted. */
const MOST_ABOVE = 12;
/** Fewer numbers in their order may well be data. */
const LEAST_NUMBERED = 3;

export interface Row {
  record: string[];
  line: number;
  /** of a format that names its columns, but for the header */
  cells?: readonly Cell[];
}

/** @throws DataError with the line of a ragged row or a bad cell, or the columns there are */
export async function readCsv(
  path: string,
  name: string,
  wanted: readonly string[],
  options: ReadOptions = {},
): Promise<Table> {
  let builder: TableBuilder | null = null;
  const { delimiter, rows, isTyped } = await csvRows(path, name, options);
  const own = isTyped ? { ...options, numbers: '1234.5' as const } : options;
  /** rows until one of them names all columns that are wanted */
  const above: Row[] = [];
  const begin = (header: number) => {
    builder = new TableBuilder(name, above[header]!.record, wanted, own, isTyped);
    if (header > 0) builder.tellHeader(above[0]!, above[header]!);
    for (const row of above.splice(0).slice(header + 1)) builder.add(row);
  };
  for await (const row of rows) {
    if (builder) {
      (builder as TableBuilder).add(row);
      continue;
    }
    above.push(row);
    if (namesAll(row.record, wanted)) begin(above.length - 1);
    else if (above.length === MOST_ABOVE || isTyped) begin(0);
  }
  if (!builder) begin(0);
  return builder!.finish(delimiter);
}

/** Rows until one of them names all columns that are wanted, the last of them the header; else the first row is it. */
export async function headerIn(
  rows: AsyncIterator<Row>,
  wanted: readonly string[],
  isFirst: boolean,
): Promise<{ header: Row; behind: Row[]; notes: string[] }> {
  const above: Row[] = [];
  while (above.length < MOST_ABOVE) {
    const { value, done } = await rows.next();
    if (done) break;
    above.push(value);
    if (isFirst) break;
    if (!namesAll(value.record, wanted)) continue;
    const [first] = above;
    return { header: value, behind: [], notes: above.length > 1 ? [headerNote(first!, value)] : [] };
  }
  const [header, ...behind] = above;
  return { header: header!, behind, notes: [] };
}

function headerNote(first: Row, header: Row): string {
  const last = header.line - 1;
  return `The header is line ${header.line}: ${first.line < last ? `lines ${first.line} to ${last} stand` : `line ${first.line} stands`} above it.`;
}

/** A first row of 0, 1, 2, … or of 1, 2, 3, …, as some tools write it under the header. */
function numbersColumns(record: readonly string[]): boolean {
  if (record.length < LEAST_NUMBERED) return false;
  return [0, 1].some(from => record.every((cell, place) => cell === String(place + from)));
}

function namesAll(record: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every(column => record.includes(column));
}

/**
 * The rows of a file as texts, the header first, with their lines; at least one.
 * @throws DataError, also while rows are taken
 */
export async function csvRows(
  path: string,
  name: string,
  { part, bad, header }: Pick<ReadOptions, 'part' | 'bad' | 'header'> = {},
): Promise<TextRows> {
  const reader = readerOf(path);
  if (reader) return typedRows(reader, path, name, { part, bad: bad ?? new BadRows() });
  const { delimiter, encoding, firstLine } = await sniff(path, name);
  async function* rows(): AsyncGenerator<Row> {
    const parser = parse({
      delimiter,
      bom: true,
      trim: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_quotes: true, // 37.8"N is a cell like any other
      info: true,
      relax_column_count: true,
      from_line: firstLine,
    });
    // its errors come out of the parser
    const end = part?.bytes === undefined ? undefined : part.bytes - 1;
    pipeline(createReadStream(path, { end }), new DecodeStream(encoding), parser, () => {});
    let [isEmpty, last] = [true, firstLine - 1];
    try {
      for await (const { record, info } of parser as AsyncIterable<{
        record: string[];
        info: { lines: number };
      }>) {
        if (isEmpty && header === false) yield { record: record.map((_, place) => String(place)), line: 0 };
        isEmpty = false;
        last = info.lines;
        yield { record, line: info.lines };
      }
    } catch (cause) {
      const { code, message, lines } = cause as CsvError & { lines?: number };
      // the parser is at the end of the file when it misses a quote
      const at = code === 'CSV_QUOTE_NOT_CLOSED' ? last + 1 : lines;
      const place = at === undefined ? name : `${name}, line ${at}`;
      throw new DataError(
        `${place}: ${code?.startsWith('CSV_') ? plain(code) : isSystemError(cause) ? `it cannot be read: ${whyOf(cause)}` : message.replace(/\.$/, '')}.`,
      );
    }
    if (isEmpty) throw new DataError(`${name} holds no rows.`);
  }
  return { delimiter, rows: rows(), notes: [], isTyped: false };
}

export interface TextRows {
  delimiter: string;
  rows: AsyncGenerator<Row>;
  /** how the file is read, where that is not plain */
  notes: readonly string[];
  /** the format names its columns and has numbers of its own: there is no dialect to find */
  isTyped: boolean;
}

/** Rows of another format as texts, under a header of their own. */
async function typedRows(
  reader: Reader,
  path: string,
  name: string,
  options: { part: FilePart | undefined; bad: BadRows },
): Promise<TextRows> {
  const { columns, rows, notes = [] } = await openReader(reader, path, name, options);
  async function* texts(): AsyncGenerator<Row> {
    yield { record: columns, line: 0 };
    for await (const { cells, line } of rows) yield { record: cells.map(textOf), line, cells };
  }
  return { delimiter: ',', rows: texts(), notes, isTyped: true };
}

class TableBuilder {
  private readonly name: string;
  private readonly columns: string[];
  private readonly wanted: readonly string[];
  private readonly options: ReadOptions;
  private readonly isTyped: boolean;
  private readonly bad: BadRows;
  private readonly places: number[];
  private readonly readers: ColumnReader[];
  private readonly watches: SeparatorWatch[];
  private readonly times: TimeReader[];
  private readonly storage: Storage;
  private readonly lines: Column<Int32ArrayConstructor>;
  private readonly notes: string[] = [];
  /** the lines that name units under the header */
  private readonly units: Row[] = [];
  /** rows that look like totals or remarks, until a row of data comes after them */
  private held: Row[] = [];
  private readonly totalsWithin: Row[] = [];
  /** columns that hold words */
  private readonly wordy: boolean[];
  /** columns that have no empty cell, and the last row, where it has the first one */
  private readonly full: boolean[];
  private gap: Row | null = null;

  constructor(
    name: string,
    columns: string[],
    wanted: readonly string[],
    options: ReadOptions,
    isTyped = false,
  ) {
    this.storage = options.storage ?? new Storage();
    this.lines = new Column(Int32Array, this.storage);
    this.name = name;
    this.isTyped = isTyped;
    this.bad = options.bad ?? new BadRows();
    this.columns = columns;
    this.wanted = wanted;
    this.options = options;
    const isNamed = isTyped || options.header === false;
    this.places = findColumns(columns, wanted, name, isNamed);
    if (options.time !== undefined) findColumns(columns, [options.time], name, isNamed);
    this.readers = wanted.map(
      column => new ColumnReader(name, column, options.numbers ?? null, this.storage),
    );
    this.wordy = columns.map(() => false);
    this.full = columns.map((_, place) => !this.places.includes(place));
    this.watches = columns.map(() => new SeparatorWatch());
    this.times = columns.map(column => new TimeReader(column, column === options.time, this.storage));
  }

  add(row: Row): void {
    const { record } = row;
    if (record.length !== this.columns.length) {
      // a remark below the table, unless rows follow
      if (this.held.length < MOST_TOTALS && this.lines.length > 0 && isRemark(record)) this.held.push(row);
      else this.refuseLength(row);
      return;
    }
    if (this.isTyped) {
      this.take(row);
      return;
    }
    if (this.lines.length === 0 && this.units.length < MOST_UNITS && this.namesUnits(record)) {
      this.units.push(row);
      return;
    }
    if (this.held.length < MOST_TOTALS && this.isNoData(record)) {
      this.held.push(row);
      return;
    }
    for (const held of this.held.splice(0)) {
      if (held.record.length !== this.columns.length) {
        this.refuseLength(held);
        continue;
      }
      if (this.isTotal(held.record)) this.totalsWithin.push(held);
      this.take(held);
    }
    this.take(row);
  }

  private refuseLength({ record, line }: Row): void {
    this.bad.report(
      `${this.name}, line ${line}: this row has ${plural(record.length, 'cell')}, the header has ${this.columns.length}.`,
    );
  }

  finish(delimiter: string): Table {
    this.leaveOut();
    const rows = this.lines.length;
    if (rows === 0)
      throw this.units[0]
        ? this.noNumbers(0, this.units[0])
        : new DataError(`${this.name} has a header and no rows.`);
    const others = new DecimalEvidence();
    for (const [place, column] of this.columns.entries()) {
      const sign = this.places.includes(place)
        ? this.readers[this.places.indexOf(place)]!.sign
        : this.watches[place]!.sign;
      if (sign) others.add(sign, column);
    }
    const facts = this.readers.map((reader, index) =>
      this.settled(
        reader.settle(delimiter, others, this.options.formats?.[this.wanted[index]!] ?? null),
        index,
      ),
    );
    const by = <T>(part: (facts: ColumnFacts) => T) =>
      new Map(this.wanted.map((column, index): [string, T] => [column, part(facts[index]!)]));
    this.tellSum(facts);
    this.tellUnits();
    this.notes.push(...twinNotes(this.columns, this.wanted));
    return {
      columns: this.columns,
      values: by(({ values }) => values),
      rows,
      lines: this.lines,
      numbers: upTo(rows, this.storage),
      missing: by(({ missing }) => missing),
      strange: by(({ strange }) => ({
        count: strange.count,
        first: strange.first[0]
          ? `${JSON.stringify(strange.first[0].cell)} in line ${strange.first[0].line}`
          : '',
      })),
      formats: by(({ format }) => format),
      time: this.findTime(),
      storage: this.storage,
      notes: [...this.notes, ...this.bad.notes(), ...facts.flatMap(({ notes }) => notes)],
    };
  }

  tellHeader(first: Row, header: Row): void {
    this.notes.push(headerNote(first, header));
  }

  private tellUnits(): void {
    const [first, ...more] = this.units;
    if (!first) return;
    const cell = this.places.map(place => first.record[place]!).find(text => !isMissing(text))!;
    const said = JSON.stringify(cell.slice(0, 40));
    this.notes.push(
      more.length === 0
        ? `Line ${first.line} is left out: it names units (${said}), not values.`
        : `Lines ${first.line} to ${more.at(-1)!.line} are left out: they name units (${said}), not values.`,
    );
  }

  private take({ record, line }: Row): void {
    if (this.lines.length === 0 && !this.isTyped && numbersColumns(record))
      this.notes.push(
        `Line ${line} numbers the columns (${record.slice(0, 3).join(', ')}, …) and is read as data: take it out if it is none.`,
      );
    this.lines.push(line);
    for (const [index, place] of this.places.entries()) {
      if (this.isTyped) refuseArray(record[place]!, this.wanted[index]!, `${this.name}, row ${line}`);
      this.readers[index]!.add(record[place]!, line);
    }
    if (!this.isTyped) this.look({ record, line });
    this.watch(record);
  }

  private look({ record, line }: Row): void {
    this.gap = null;
    for (const [place, cell] of record.entries()) {
      if (this.full[place] && cell === '') {
        this.full[place] = false;
        this.gap = { record, line };
      }
      this.wordy[place] ||= /^\p{L}/u.test(cell) && !isMissing(cell);
    }
  }

  private watch(record: readonly string[]): void {
    for (const [place, cell] of record.entries()) {
      this.watches[place]!.add(cell);
      if (this.times[place]!.isAlive) this.times[place]!.add(cell);
    }
  }

  /** Units under the header: no wanted cell is a number, and no other cell is a number or a date. */
  private namesUnits(record: readonly string[]): boolean {
    const filled = this.places.some(place => !isMissing(record[place]!));
    // under units a row may name other columns only
    return (
      (filled || this.units.length > 0) &&
      record.every(cell => isMissing(cell) || (readCell(cell) === null && readDate(cell) === null))
    );
  }

  private isTotal(record: readonly string[]): boolean {
    return record.some((cell, place) => TOTAL.test(cell) || (!this.wordy[place] && STATISTIC.test(cell)));
  }

  /** A total, a remark below the table, or a row of delimiters. */
  private isNoData(record: readonly string[]): boolean {
    if (this.isTotal(record)) return true;
    if (this.places.some(place => record[place] !== '')) return false;
    return record.every(cell => cell === '') || isRemark(record);
  }

  private leaveOut(): void {
    const [total, ...more] = this.totalsWithin;
    if (total)
      this.notes.push(
        more.length === 0
          ? `Line ${total.line} looks like a total, but rows of data follow: it is read as one of them.`
          : `Line ${total.line} and ${plural(more.length, 'further line')} look like totals, but rows of data follow: they are read as such.`,
      );
    const [first] = this.held;
    if (!first || this.lines.length === 0) return;
    const last = this.held.at(-1)!;
    const cell = this.held.flatMap(({ record }) => record).find(text => text !== '');
    const which = first === last ? `Line ${first.line} is` : `Lines ${first.line} to ${last.line} are`;
    const why =
      cell === undefined ? 'nothing in it' : `${JSON.stringify(cell.slice(0, 40))} begins no row of data`;
    this.notes.push(`${which} left out: ${why}.`);
  }

  /** A last row without a key, whose numbers are the sums or the means of those above, is told, not left out. */
  private tellSum(facts: readonly ColumnFacts[]): void {
    const last = this.lines.length - 1;
    if (!this.gap || last < 3) return;
    const isSum = facts.every(({ values }) => {
      const total = values.get(last);
      let [sum, count] = [-total, 0];
      for (const value of values) if (!Number.isNaN(value)) [sum, count] = [sum + value, count + 1];
      const near = (wanted: number) => Math.abs(total - wanted) <= 1e-3 * Math.abs(wanted);
      return total !== 0 && (near(sum) || near(sum / (count - 1)));
    });
    if (isSum)
      this.notes.push(
        `Line ${this.gap.line} looks like a total: its numbers are the sum or the mean of those above. It is read as a row; take it out of the file if it is none.`,
      );
  }

  /** @throws DataError where a column holds no numbers, or too much that is none */
  private settled(facts: ColumnFacts, index: number): ColumnFacts {
    const { missing, strange } = facts;
    const rows = this.lines.length;
    if (missing + strange.count === rows)
      throw this.noNumbers(index, this.units[0] ?? null, strange.first[0]);
    const allowed = this.options.unreadable ?? 0;
    if (strange.count > allowed * (rows - missing)) {
      const { cell, line } = strange.first[0]!;
      const more = strange.count > 1 ? `, and ${plural(strange.count - 1, 'further cell')} like it` : '';
      const share = strange.count / (rows - missing);
      throw new DataError(
        `${this.name}, line ${line}: ${JSON.stringify(cell)} in column "${this.wanted[index]}" is no number${more}. Correct it, empty it, or let "unreadable" be at least ${Math.ceil(share * 1000) / 1000} to count such cells as missing.`,
      );
    }
    return facts;
  }

  private noNumbers(index: number, units: Row | null, strange?: { cell: string; line: number }): DataError {
    const first = units ? { cell: units.record[this.places[index]!]!, line: units.line } : strange;
    const which = first ? ` (${JSON.stringify(first.cell.slice(0, 40))} in line ${first.line})` : '';
    return new DataError(`The column "${this.wanted[index]}" of ${this.name} holds no numbers${which}.`);
  }

  /** Dates before numbers, and the leftmost of those that go on from row to row. */
  private findTime(): TimeColumn | null {
    const { time: asked } = this.options;
    const found = this.times
      .filter(({ column }, place) => (asked === undefined ? !this.places.includes(place) : column === asked))
      .flatMap(reader => (reader.isAlive ? (reader.settle() ?? []) : []));
    const dates = found.filter(({ isDate }) => isDate);
    const date = dates.find(goesOn) ?? dates[0];
    const clock = date && this.times.find(({ timesOfDay }) => timesOfDay !== null);
    const best =
      (clock && withClock(date, clock)) ??
      date ??
      (asked === undefined ? fromParts(this.times, this.storage) : null) ??
      found[0] ??
      null;
    if (!best && asked !== undefined)
      throw new DataError(
        `The column "${asked}" of ${this.name} holds no dates and no numbers that rise or fall.`,
      );
    return best;
  }
}

/** Columns whose names differ from a wanted one in their case alone, or look alike. */
export function twinNotes(columns: readonly string[], wanted: readonly string[]): string[] {
  return wanted.flatMap(column => {
    const twin = columns.find(
      other => other.toLowerCase() === column.toLowerCase() && !wanted.includes(other),
    );
    return twin === undefined
      ? lookalikeNotes([column, ...columns.filter(other => lookOf(other) === lookOf(column))], 'columns')
      : [`Columns "${column}" and "${twin}" differ in their case alone: "${column}" is read.`];
  });
}

/** One cell of words in a table of several columns: "Source: …", "(4 rows)". */
function isRemark(record: readonly string[]): boolean {
  const filled = record.filter(cell => cell !== '');
  return (
    filled.length === 1 &&
    /\p{L}{3}/u.test(filled[0]!) &&
    readDate(filled[0]!) === null &&
    readCell(filled[0]!) === null
  );
}

function upTo(rows: number, storage: Storage): Column<Int32ArrayConstructor> {
  const made = new Column(Int32Array, storage);
  for (let row = 1; row <= rows; row++) made.push(row);
  return made;
}

/** The same rows in another order. */
export function reordered(table: Table, order: Int32Array): Table {
  const { values, lines, numbers, time, storage } = table;
  const moved = <K extends Float64ArrayConstructor | Int32ArrayConstructor>(kind: K, column: Column<K>) => {
    const made = new Column(kind, storage);
    for (const row of order) made.push(column.get(row));
    return made;
  };
  return {
    ...table,
    values: new Map([...values].map(([name, column]) => [name, moved(Float64Array, column)])),
    lines: moved(Int32Array, lines),
    numbers: moved(Int32Array, numbers),
    time: time && { ...time, times: moved(Float64Array, time.times) },
  };
}

/** `isNamed`: the names are no row of the file. */
function findColumns(columns: string[], wanted: readonly string[], name: string, isNamed: boolean): number[] {
  if (!isNamed && columns.every(column => column !== '' && readCell(column) !== null))
    throw new DataError(
      `${name} has no header: its first line holds only numbers. Write the names of the columns above it.`,
    );
  return wanted.map(column => {
    const place = columns.indexOf(column);
    const second = columns.indexOf(column, place + 1);
    if (place >= 0 && second >= 0)
      throw new DataError(
        `${name} has two columns named "${column}", the ${ordinal(place + 1)} and the ${ordinal(second + 1)}: give one of them another name.`,
      );
    if (place >= 0) return place;
    const shown = columns
      .slice(0, 30)
      .map(other => `"${other}"`)
      .join(', ');
    const headless =
      !isNamed && columns.some(other => readCell(other) !== null)
        ? ' Its first line looks like data: write the names of the columns above it.'
        : '';
    throw new DataError(
      `${name} has no column "${column}"; ${alikeAmong(column, columns) ?? `it has ${shown}${columns.length > 30 ? ', …' : ''}.`}${headless}`,
    );
  });
}

function ordinal(place: number): string {
  const ending =
    place % 100 >= 11 && place % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][place % 10] ?? 'th');
  return `${count(place)}${ending}`;
}

async function headOf(path: string, name: string): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const head = Buffer.alloc(65_536);
      const { bytesRead } = await file.read(head, 0, head.length, 0);
      return head.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new DataError(`${name} cannot be read: ${whyOf(cause)}.`);
  }
}

/** `firstLine`: of the header, behind the "sep=;" that Excel reads. */
async function sniff(
  path: string,
  name: string,
): Promise<{ delimiter: string; encoding: string; firstLine: number }> {
  const bytes = await headOf(path, name);
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : unmarked(bytes);
  if (
    bytes.subarray(0, 4).equals(Buffer.from([0xff, 0xfe, 0, 0])) ||
    bytes.subarray(0, 4).equals(Buffer.from([0, 0, 0xfe, 0xff]))
  )
    throw new DataError(`${name} is written in UTF-32; save it as UTF-8.`);
  const zero = encoding === 'utf-8' ? bytes.indexOf(0) : -1;
  if (zero >= 0) throw new DataError(`${name} is not a text file: byte ${zero} is 0.`);
  const lines = new TextDecoder(encoding).decode(bytes).split(/\r\n|\n|\r/, MOST_ABOVE);
  const [first = ''] = lines;
  const told = /^"?sep=(.)"?[,;\t]*$/i.exec(first);
  if (told) return { delimiter: told[1]!, encoding, firstLine: 2 };
  const unquoted = first.replace(/"[^"]*"/g, '');
  // a text in a cell may have more commas than the line has tabs
  if (/\.(tsv|tab)$/i.test(name) && unquoted.includes('\t'))
    return { delimiter: '\t', encoding, firstLine: 1 };
  const best = DELIMITERS.map(delimiter => ({ delimiter, count: unquoted.split(delimiter).length })).sort(
    (a, b) => b.count - a.count,
  )[0]!;
  if (best.count === 1) return { delimiter: belowRemarks(lines) ?? ',', encoding, firstLine: 1 };
  return { delimiter: best.delimiter, encoding, firstLine: 1 };
}

/** Of a table under lines of words that have no cells: its first lines have equally many. null: there is none */
function belowRemarks(lines: readonly string[]): string | null {
  const counts = (delimiter: string) =>
    lines.map(line => line.replace(/"[^"]*"/g, '').split(delimiter).length);
  for (const delimiter of DELIMITERS) {
    const found = counts(delimiter);
    const from = found.findIndex(cells => cells > 1);
    // the last line of the window may be the empty one after the end
    const table = found.slice(from).filter((_, at) => lines[from + at] !== '');
    if (from > 0 && table.length >= 3 && table.every(cells => cells === table[0])) return delimiter;
  }
  return null;
}

/** UTF-16 without its mark: every second byte of the first line is 0, and no other. */
function unmarked(bytes: Buffer): 'utf-8' | 'utf-16le' | 'utf-16be' {
  const head = bytes.subarray(0, 64);
  if (head.length < 4) return 'utf-8';
  const isZero = (odd: number) => head.every((byte, at) => (byte === 0) === (at % 2 === odd));
  return isZero(1) ? 'utf-16le' : isZero(0) ? 'utf-16be' : 'utf-8';
}

/** Bytes in any encoding become UTF-8; bytes that are not valid UTF-8 are taken for Latin-1, which old tables are in. */
class DecodeStream extends Transform {
  private decoder: TextDecoder;
  constructor(encoding: string) {
    super();
    this.decoder = new TextDecoder(encoding, { fatal: encoding === 'utf-8' });
  }
  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.push(this.decoder.decode(chunk, { stream: true }));
    } catch {
      this.decoder = new TextDecoder('latin1');
      this.push(this.decoder.decode(chunk, { stream: true }));
    }
    done();
  }
  override _flush(done: TransformCallback): void {
    try {
      this.push(this.decoder.decode());
    } catch {
      // a character cut off by the end of the file
    }
    done();
  }
}

function plain(code: string): string {
  const known: Record<string, string> = {
    CSV_QUOTE_NOT_CLOSED: 'a quote is opened and never closed',
    CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE: 'something stands between a closing quote and the delimiter',
  };
  return known[code] ?? code.replace(/^CSV_/, '').toLowerCase().replaceAll('_', ' ');
}
