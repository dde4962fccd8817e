// A hash of the rows of a format that is written anew as a whole, by which rows that were appended are told from others.
import { createHash, type Hash } from 'node:crypto';
import {
  type Cell,
  isArray,
  isTexts,
  isUnusable,
  type Row,
  type Rows,
  type RowWatch,
} from './readers/reader.ts';

export interface RowsPrint {
  /** rows up to the last one that can be used */
  count: number;
  hash: string;
}

/** Holds the print of the last file that was read to its end. */
export class RowsDigest implements RowWatch {
  print: RowsPrint | null = null;

  /** The same rows, counted and hashed on their way. */
  over({ columns, rows, ...others }: Rows): Rows {
    return { ...others, columns, rows: this.watched(columns, rows) };
  }

  private async *watched(columns: readonly string[], rows: Rows['rows']): AsyncGenerator<Row> {
    const hash = new RowHash(columns);
    let count = 0;
    for await (const row of rows) {
      hash.add(row);
      count = row.line;
      yield row;
    }
    this.print = { count, hash: hash.hex() };
  }
}

/** `first`: the hash of the rows up to `known.count`; `last`: the last row of the file, or one behind those that differ. */
export async function rowsSince(
  { columns, rows }: Rows,
  known: RowsPrint,
): Promise<{ first: string; last: number }> {
  const hash = new RowHash(columns);
  let first: string | null = null;
  let last = 0;
  for await (const row of rows) {
    last = row.line;
    if (row.line > known.count) first ??= hash.hex();
    else hash.add(row);
    if (first !== null && first !== known.hash) break;
  }
  return { first: first ?? hash.hex(), last };
}

/** Bytes that are hashed at once. */
const BUFFERED = 1 << 16;

/** Of names, then of each row's number and cells; equal values have equal bytes, whatever type the file stores them in. */
class RowHash {
  private readonly hash: Hash = createHash('sha1');
  private readonly buffer = Buffer.allocUnsafe(BUFFERED);
  private filled = 0;

  constructor(columns: readonly string[]) {
    this.cell(columns);
  }

  add({ cells, line }: Row): void {
    this.number(line);
    for (const cell of cells) this.cell(cell);
  }

  hex(): string {
    this.flush();
    return this.hash.digest('hex');
  }

  private cell(cell: Cell): void {
    if (typeof cell === 'number') {
      this.tag(1);
      this.number(cell);
    } else if (typeof cell === 'string') this.text(2, cell);
    else if (cell === null) this.tag(3);
    else if (typeof cell === 'boolean') this.tag(cell ? 4 : 5);
    else if (isUnusable(cell)) this.text(6, cell.fault);
    else if (isTexts(cell)) {
      this.tag(7);
      this.number(cell.length);
      for (const text of cell) this.text(2, text);
    } else if (isArray(cell)) {
      this.text(8, cell.shape.join());
      for (const value of cell.data) this.number(value);
    }
  }

  private text(tag: number, text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    this.tag(tag);
    this.number(bytes.length);
    if (bytes.length <= BUFFERED - this.filled) {
      this.filled += bytes.copy(this.buffer, this.filled);
      return;
    }
    this.flush();
    this.hash.update(bytes);
  }

  private tag(tag: number): void {
    if (this.filled === BUFFERED) this.flush();
    this.buffer[this.filled++] = tag;
  }

  private number(value: number): void {
    if (this.filled > BUFFERED - 8) this.flush();
    // every NaN is one, and -0 is 0
    this.filled = this.buffer.writeDoubleLE(Number.isNaN(value) ? Number.NaN : value + 0, this.filled);
  }

  private flush(): void {
    this.hash.update(this.buffer.subarray(0, this.filled));
    this.filled = 0;
  }
}
