// The formats that name their columns by themselves: one line each. What none of them reads is text, or a table of
// texts between delimiters (csv.ts).
import { arff } from './arff.ts';
import { arrow } from './arrow.ts';
import { folder } from './folder.ts';
import { json } from './json.ts';
import { jsonl } from './jsonl.ts';
import { npy, npz } from './npy.ts';
import { parquet } from './parquet.ts';
import type { Reader, ReadOptions, Row, Rows } from './reader.ts';
import { ueaTs } from './uea-ts.ts';

export const READERS: readonly Reader[] = [jsonl, json, npy, npz, parquet, arrow, ueaTs, arff, folder];

/** null: a text, or a table between delimiters. */
export function readerOf(path: string): Reader | null {
  return READERS.find(reader => reader.reads(path)) ?? null;
}

/** @throws DataError as the reader does */
export async function openReader(
  reader: Reader,
  path: string,
  name: string,
  options: ReadOptions,
): Promise<Rows> {
  const opened = await reader.open(path, name, options);
  const { rows, watch } = options.part ?? {};
  const known = rows === undefined ? opened : { ...opened, rows: firstRows(opened.rows, rows) };
  return reader.isWhole && watch ? watch.over(known) : known;
}

async function* firstRows(rows: Rows['rows'], last: number): AsyncGenerator<Row> {
  for await (const row of rows) {
    if (row.line > last) return;
    yield row;
  }
}
