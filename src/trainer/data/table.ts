// A forecaster's table: its columns read, its rows put in the order asked for, and what its owner should know.
import type { BadRows } from './bad-rows.ts';
import { type ReadOptions, readCsv, reordered, type Table } from './csv.ts';
import { DataError } from './errors.ts';
import type { NumberFormat } from './number-format.ts';
import type { FilePart } from './readers/reader.ts';
import type { Storage } from './storage.ts';
import { byTime, timeRemarks } from './time-column.ts';

export interface TableFacts {
  targets: readonly string[];
  features: readonly string[];
  /** columns known in advance */
  known?: readonly string[] | undefined;
  order: 'file' | 'time';
  numbers?: NumberFormat | null | undefined;
  formats?: ReadOptions['formats'];
  time?: string | null | undefined;
  unreadable: number;
  /** read only this part of the file */
  part?: FilePart | undefined;
  /** hears of rows that cannot be used; left out: the first one is an error */
  bad?: BadRows | undefined;
  storage?: Storage | undefined;
}

export interface ReadTable {
  table: Table;
  /** how it was read */
  notes: string[];
  /** what may be wrong with it: the order of dates, duplicates, gaps */
  warnings: string[];
}

/** @throws DataError */
export async function readTable(path: string, name: string, facts: TableFacts): Promise<ReadTable> {
  const { targets, features, known = [], order, formats, unreadable, part, bad } = facts;
  const table = await readCsv(path, name, [...new Set([...targets, ...features, ...known])], {
    numbers: facts.numbers ?? undefined,
    time: facts.time ?? undefined,
    formats,
    unreadable,
    part,
    bad,
    storage: facts.storage,
  });
  const { time, lines } = table;
  if (order === 'file') return { table, notes: table.notes, warnings: time ? timeRemarks(time, lines) : [] };
  if (!time)
    throw new DataError(
      `${name} has no column of dates, so "order": "time" cannot be done; name one with "time", or leave "order" out.`,
    );
  const turned = reordered(table, byTime(time, lines, name));
  return {
    table: turned,
    notes: [`The rows are sorted by "${time.column}", earliest first.`, ...table.notes],
    warnings: timeRemarks(turned.time!, turned.lines),
  };
}
