// Some columns of a CSV or TSV file as texts, with the line of each row.
import { nearest, plural } from '../../experiment/words.ts';
import type { BadRows } from './bad-rows.ts';
import { csvRows, headerIn, twinNotes } from './csv.ts';
import { DataError } from './errors.ts';
import { alikeAmong } from './lookalikes.ts';
import type { FilePart } from './readers/reader.ts';
import { faultOfText } from './readers/reader.ts';

export interface Records {
  /** names of all columns of the file */
  columns: string[];
  /** the wanted columns, by name, one text a row */
  texts: Map<string, string[]>;
  /** line of each row in the file, from 1 */
  lines: number[];
  /** how the file is read, where that is not plain */
  notes: readonly string[];
}

export interface RecordOptions {
  /** false: no row names the columns, their names are their numbers from 0 */
  header?: boolean | undefined;
  bad?: BadRows | undefined;
  /** read only this part of the file */
  part?: FilePart | undefined;
}

/** The wanted columns of each row in turn. @throws DataError with the line of a row that is too short, or the columns there are */
export async function recordRows(
  path: string,
  name: string,
  wanted: readonly string[],
  { bad, part, header: isNamed }: RecordOptions = {},
): Promise<{
  columns: string[];
  rows: AsyncGenerator<{ texts: string[]; line: number }>;
  /** known once the rows are read */
  notes: () => string[];
  /** the format names its columns */
  isTyped: boolean;
}> {
  const { rows, notes, isTyped } = await csvRows(path, name, { bad, part, header: isNamed });
  const found = await headerIn(rows, wanted, isTyped || isNamed === false);
  const columns = found.header.record;
  const places = wanted.map(column => columnPlace(column, columns, name));
  const again = new HeaderAgain(isTyped || isNamed === false ? null : columns);
  async function* records() {
    for await (const { record, line } of joined(found.behind, rows)) {
      again.add(record, line);
      if (record.length !== columns.length) {
        const sentence = `${name}, line ${line}: ${plural(record.length, 'cell')}, but ${isNamed === false ? 'the first line has' : 'the header names'} ${plural(columns.length, 'column')}.`;
        if (!bad) throw new DataError(sentence);
        bad.report(sentence);
        continue;
      }
      const texts = places.map(place => record[place]!);
      const fault = texts
        .map((text, index) => faultOfText(text, wanted[index]!, `${name}, line ${line}`))
        .find(sentence => sentence !== null);
      if (fault === undefined) yield { texts, line };
      else if (bad) bad.report(fault!);
      else throw new DataError(fault!);
    }
  }
  return {
    columns,
    rows: records(),
    notes: () => [...notes, ...found.notes, ...twinNotes(columns, wanted), ...again.notes()],
    isTyped,
  };
}

/** A header that stands among the rows again, as in files that were put together. */
export class HeaderAgain {
  private readonly header: readonly string[] | null;
  private first = 0;
  private times = 0;

  /** null: no row names the columns */
  constructor(header: readonly string[] | null) {
    // a single word may well come again
    this.header = header && header.length > 1 ? header : null;
  }

  add(record: readonly string[], line: number): void {
    if (!this.header || record[0] !== this.header[0]) return;
    if (record.length !== this.header.length || record.some((cell, at) => cell !== this.header![at])) return;
    if (this.times++ === 0) this.first = line;
  }

  notes(): string[] {
    if (this.times === 0) return [];
    const others = this.times > 1 ? `, and ${plural(this.times - 1, 'further line')},` : '';
    return [
      `Line ${this.first}${others} ${this.times === 1 ? 'is' : 'are'} the header again, read as a row: take ${this.times === 1 ? 'it' : 'them'} out.`,
    ];
  }
}

/** All rows. @throws DataError */
export async function readRecords(
  path: string,
  name: string,
  wanted: readonly string[],
  options: RecordOptions = {},
): Promise<Records> {
  const { columns, rows, notes } = await recordRows(path, name, wanted, options);
  const lines: number[] = [];
  const each = wanted.map((): string[] => []);
  for await (const { texts, line } of rows) {
    texts.forEach((text, index) => {
      each[index]!.push(text);
    });
    lines.push(line);
  }
  return {
    columns,
    texts: new Map(wanted.map((column, index) => [column, each[index]!])),
    lines,
    notes: notes(),
  };
}

/** The names of all columns; `known`: some that the header has, which tell it from what stands above it. */
export async function columnsIn(
  path: string,
  name: string,
  header?: boolean,
  known: readonly string[] = [],
): Promise<string[]> {
  const { rows, isTyped } = await csvRows(path, name, { header });
  const found = await headerIn(rows, known, isTyped || header === false);
  await rows.return(undefined);
  return found.header.record;
}

/** Rows that were read already, then the others. */
export async function* joined<T>(first: readonly T[], rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield* first;
  yield* rest;
}

/** The place of a named column. @throws DataError where there is none, or two */
export function columnPlace(column: string, columns: readonly string[], name: string): number {
  const place = columns.indexOf(column);
  if (place >= 0 && columns.indexOf(column, place + 1) >= 0)
    throw new DataError(`${name} has two columns named "${column}": give one of them another name.`);
  if (place >= 0) return place;
  const meant = nearest(column, columns);
  const hint =
    alikeAmong(column, columns) ??
    (meant
      ? `did you mean "${meant}"?`
      : `it has ${columns
          .slice(0, 20)
          .map(each => `"${each}"`)
          .join(', ')}.`);
  throw new DataError(`${name} has no column "${column}"; ${hint}`);
}
