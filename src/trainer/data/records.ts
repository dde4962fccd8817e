// Some columns of a CSV or TSV file as texts, with the line of each row.
import { nearest, plural } from '../../experiment/words.ts';
import type { BadRows } from './bad-rows.ts';
import { csvRows } from './csv.ts';
import { DataError } from './errors.ts';
import { refuseArray } from './readers/reader.ts';

export interface Records {
  /** names of all columns of the file */
  columns: string[];
  /** the wanted columns, by name, one text a row */
  texts: Map<string, string[]>;
  /** line of each row in the file, from 1 */
  lines: number[];
}

/** @throws DataError with the line of a row that is too short, or the columns there are */
export async function readRecords(
  path: string,
  name: string,
  wanted: readonly string[],
  bad?: BadRows,
): Promise<Records> {
  const { rows } = await csvRows(path, name, { bad });
  const lines: number[] = [];
  const texts = new Map<string, string[]>(wanted.map(column => [column, []]));
  let columns: string[] | null = null;
  let places: number[] = [];
  for await (const { record, line } of rows) {
    if (!columns) {
      columns = record;
      places = wanted.map(column => columnPlace(column, record, name));
      continue;
    }
    if (record.length !== columns.length) {
      const sentence = `${name}, line ${line}: ${plural(record.length, 'cell')}, but the header names ${plural(columns.length, 'column')}.`;
      if (!bad) throw new DataError(sentence);
      bad.report(sentence);
      continue;
    }
    wanted.forEach((column, index) => {
      const text = record[places[index]!]!;
      refuseArray(text, column, `${name}, line ${line}`);
      texts.get(column)!.push(text);
    });
    lines.push(line);
  }
  return { columns: columns!, texts, lines };
}

/** The place of a named column. @throws DataError */
export function columnPlace(column: string, columns: readonly string[], name: string): number {
  const place = columns.indexOf(column);
  if (place >= 0) return place;
  const meant = nearest(column, columns);
  const hint = meant
    ? `did you mean "${meant}"?`
    : `it has ${columns
        .slice(0, 20)
        .map(each => `"${each}"`)
        .join(', ')}.`;
  throw new DataError(`${name} has no column "${column}"; ${hint}`);
}
