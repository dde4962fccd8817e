// Reads numeric columns of a CSV or TSV file as a stream: delimiter, quotes, byte order mark, decimal comma.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, Transform, type TransformCallback } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import { plural } from '../../experiment/words.ts';
import { DataError } from './errors.ts';

export interface Table {
  /** names of all columns of the file */
  columns: string[];
  /** the wanted columns by name; NaN where a cell is empty or no number */
  values: Map<string, Float64Array>;
  rows: number;
  /** missing or non-numeric cells in the wanted columns */
  missing: Map<string, number>;
  /** the first cell that is neither a number nor empty, with its line; '' if there is none */
  strange: Map<string, string>;
}

const DELIMITERS = [',', ';', '\t', '|'] as const;
const MISSING = /^(|na|n\/a|nan|null|none|-|\?)$/i;

/** @throws DataError with the line of a ragged row, or the columns there are */
export async function readCsv(path: string, name: string, wanted: readonly string[]): Promise<Table> {
  const { delimiter, encoding } = await sniff(path, name);
  const parser = parse({
    delimiter,
    bom: true,
    trim: true,
    skip_empty_lines: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_quotes: true, // 37.8"N is a cell like any other
    info: true,
    relax_column_count: true,
  });
  // its errors come out of the parser
  pipeline(createReadStream(path), new DecodeStream(encoding), parser, () => {});
  let columns: string[] | null = null;
  let places: number[] = [];
  const values = wanted.map((): number[] => []);
  const missing = wanted.map(() => 0);
  const strange = wanted.map(() => '');
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      if (!columns) {
        columns = record;
        places = findColumns(columns, wanted, name);
        continue;
      }
      if (record.length !== columns.length)
        throw new DataError(
          `${name}, line ${info.lines}: this row has ${plural(record.length, 'cell')}, the header has ${columns.length}.`,
        );
      places.forEach((place, index) => {
        const cell = record[place]!;
        const value = numberOf(cell, delimiter);
        if (Number.isNaN(value)) {
          missing[index]!++;
          if (!MISSING.test(cell)) strange[index] ||= `"${cell.slice(0, 40)}" in line ${info.lines}`;
        }
        values[index]!.push(value);
      });
    }
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const { code, message, lines } = cause as CsvError & { lines?: number };
    const place = lines === undefined ? name : `${name}, line ${lines}`;
    throw new DataError(`${place}: ${code?.startsWith('CSV_') ? plain(code) : message.replace(/\.$/, '')}.`);
  }
  if (!columns) throw new DataError(`${name} holds no rows.`);
  const rows = values[0]?.length ?? 0;
  if (rows === 0) throw new DataError(`${name} has a header and no rows.`);
  wanted.forEach((column, index) => {
    if (missing[index] === rows)
      throw new DataError(
        `The column "${column}" of ${name} holds no numbers${strange[index] ? ` (${strange[index]})` : ''}.`,
      );
  });
  return {
    columns,
    values: new Map(wanted.map((column, index) => [column, Float64Array.from(values[index]!)])),
    rows,
    missing: new Map(wanted.map((column, index) => [column, missing[index]!])),
    strange: new Map(wanted.map((column, index) => [column, strange[index]!])),
  };
}

function findColumns(columns: string[], wanted: readonly string[], name: string): number[] {
  if (columns.every(column => column !== '' && !Number.isNaN(numberOf(column, ','))))
    throw new DataError(
      `${name} has no header: its first line holds only numbers. Write the names of the columns above it.`,
    );
  return wanted.map(column => {
    const place = columns.indexOf(column);
    if (place >= 0) return place;
    const shown = columns
      .slice(0, 30)
      .map(other => `"${other}"`)
      .join(', ');
    const headless = columns.some(other => !Number.isNaN(numberOf(other, ',')))
      ? ' Its first line looks like data: write the names of the columns above it.'
      : '';
    throw new DataError(
      `${name} has no column "${column}"; it has ${shown}${columns.length > 30 ? ', …' : ''}.${headless}`,
    );
  });
}

/** Where fields are not separated by commas, a comma may be the decimal sign. */
function numberOf(cell: string, delimiter: string): number {
  if (MISSING.test(cell)) return Number.NaN;
  const normal = delimiter !== ',' && /^[-+]?\d+(,\d+)$/.test(cell) ? cell.replace(',', '.') : cell;
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(normal) ? Number(normal) : Number.NaN;
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
    throw new DataError(`${name} cannot be read: ${(cause as Error).message}.`);
  }
}

async function sniff(path: string, name: string): Promise<{ delimiter: string; encoding: string }> {
  const bytes = await headOf(path, name);
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : 'utf-8';
  const zero = encoding === 'utf-8' ? bytes.indexOf(0) : -1;
  if (zero >= 0) throw new DataError(`${name} is not a text file: byte ${zero} is 0.`);
  const first = new TextDecoder(encoding).decode(bytes).split(/\r\n|\n|\r/, 1)[0] ?? '';
  const unquoted = first.replace(/"[^"]*"/g, '');
  const best = DELIMITERS.map(delimiter => ({ delimiter, count: unquoted.split(delimiter).length })).sort(
    (a, b) => b.count - a.count,
  )[0]!;
  return { delimiter: best.delimiter, encoding };
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
