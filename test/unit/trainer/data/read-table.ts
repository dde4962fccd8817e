// A table as its reader gives it, whole.
import { BadRows } from '../../../../src/trainer/data/bad-rows.ts';
import { readerOf } from '../../../../src/trainer/data/readers/index.ts';
import { type Cell, isArray } from '../../../../src/trainer/data/readers/reader.ts';

export async function readTable(path: string, bad = new BadRows()) {
  const { columns, rows } = await readerOf(path)!.open(path, path.split('/').at(-1)!, { bad });
  const cells: Cell[][] = [];
  const lines: number[] = [];
  for await (const row of rows) {
    cells.push(row.cells);
    lines.push(row.line);
  }
  const column = (name: string) => cells.map(row => row[columns.indexOf(name)]!);
  return { columns, cells, lines, bad, column };
}

/** An array as its shape and its numbers. */
export const nested = (cell: Cell | undefined) => (isArray(cell) ? [cell.shape, [...cell.data]] : cell);
