// NPY and NPZ: the first axis of each array counts the examples. Numbers are read from the file some rows at a time; only
// compressed entries of an NPZ stand in memory.
import { totalmem } from 'node:os';
import { inflateRawSync } from 'node:zlib';
import { count, formatBytes } from '../../../experiment/words.ts';
import { DataError, saidBy } from '../errors.ts';
import { exactly, MOST_HEADER, type NpyHeader, npyHeader } from './npy-format.ts';
import { openFile, type Source } from './places.ts';
import type { Cell, Reader, Row } from './reader.ts';
import { entriesOf, type ZipEntry } from './zip.ts';

/** Bytes of an array that are read at once. */
const BLOCK_BYTES = 4 << 20;
/** A two-dimensional array of no more columns has a column for each. */
const MOST_COLUMNS = 1000;

export interface OpenArray {
  header: NpyHeader;
  read: Source;
  /** for messages: of the file, or of the array in it */
  name: string;
}

export const npy: Reader = {
  name: 'NPY',
  isWhole: true,
  reads: path => /\.npy$/i.test(path),
  async open(path, name, { bad }) {
    const file = openFile(path, name);
    const array = openArray(file.read, file.size, name);
    const { shape } = array.header;
    // (rows) and (rows, columns) are tables; else a cell is what an example has
    const columns =
      shape.length === 2 && shape[1]! <= MOST_COLUMNS
        ? Array.from({ length: shape[1]! }, (_, column) => String(column))
        : ['values'];
    const spread = columns[0] !== 'values';
    async function* rows(): AsyncGenerator<Row> {
      const cells = cellsOf(array);
      for (let line = 1; line <= shape[0]!; line++) {
        const { cell, fault } = cells(line - 1);
        if (fault) bad.report(`${name}, row ${line}: it holds ${fault}.`);
        else if (spread) yield { cells: [...(cell as { data: Float64Array }).data], line };
        else yield { cells: [cell], line };
      }
    }
    return { columns, rows: rows(), unit: 'row' };
  },
};

export const npz: Reader = {
  name: 'NPZ',
  isWhole: true,
  reads: path => /\.npz$/i.test(path),
  async open(path, name, { bad }) {
    const file = openFile(path, name);
    const entries = entriesOf(file.read, file.size, name).filter(({ name: entry }) => entry.endsWith('.npy'));
    refuseBombs(entries, name);
    const arrays = entries.map(entry => ({
      column: entry.name.slice(0, -4),
      array: openEntry(file.read, entry, name),
    }));
    if (arrays.length === 0) throw new DataError(`${name} holds no arrays.`);
    const lengths = arrays.map(({ array }) => array.header.shape[0]);
    const [length] = lengths;
    const odd = lengths.findIndex(each => each !== length);
    if (odd >= 0)
      throw new DataError(
        `${name}: "${arrays[odd]!.column}" has ${lengths[odd] ?? 'no'} examples, "${arrays[0]!.column}" has ${length}; the first axis of all arrays counts the examples.`,
      );
    async function* rows(): AsyncGenerator<Row> {
      const readers = arrays.map(({ array }) => cellsOf(array));
      for (let line = 1; line <= length!; line++) {
        const found = readers.map(read => read(line - 1));
        const wrong = found.findIndex(({ fault }) => fault);
        if (wrong >= 0)
          bad.report(`${name}, row ${line}: "${arrays[wrong]!.column}" holds ${found[wrong]!.fault}.`);
        else yield { cells: found.map(({ cell }) => cell), line };
      }
    }
    return { columns: arrays.map(({ column }) => column), rows: rows(), unit: 'row' };
  },
};

/** Arrays of zeros pack a thousandfold; of more than this nobody keeps a gigabyte. */
const MOST_RATIO = 200;

/** @throws DataError before anything is unpacked */
function refuseBombs(entries: readonly ZipEntry[], name: string): void {
  const packed = entries.filter(({ method }) => method !== 0);
  const total = packed.reduce((sum, { size }) => sum + size, 0);
  const worst = packed.find(({ size, packed: bytes }) => size > 1e9 && size > MOST_RATIO * bytes);
  if (worst)
    throw new DataError(
      `${name}: "${worst.name}" would unpack from ${formatBytes(worst.packed)} to ${formatBytes(worst.size)}, as a zip bomb does; store the archive without compression if it is none.`,
    );
  if (total > totalmem() / 2)
    throw new DataError(
      `${name} takes ${formatBytes(total)} unpacked, more than half of this machine's memory; store the archive without compression.`,
    );
}

/** `size`: bytes that there are of the array's file. @throws DataError */
function openArray(read: Source, size: number, name: string): OpenArray {
  const header = npyHeader(read(0, Math.min(size, MOST_HEADER)), name);
  if (!header) throw new DataError(`${name} is cut off within its header.`);
  const { shape, dtype, offset } = header;
  if (shape.length === 0) throw new DataError(`${name} holds a single value, not an array of examples.`);
  const needed = offset + shape.reduce((product, each) => product * each, 1) * dtype.bytes;
  if (shape.includes(0)) throw new DataError(`${name} holds no rows: its shape is (${shape.join(', ')}).`);
  if (needed > size)
    throw new DataError(
      `${name} is cut off: its shape (${shape.join(', ')}) of ${dtype.name} takes ${count(needed)} bytes, and it has ${count(size)}.`,
    );
  if (dtype.isText && shape.length > 1)
    throw new DataError(`${name} holds an array of ${shape.length} axes of texts; one axis is read.`);
  return { header, read, name };
}

/** An array within an archive: where it is stored as it is, in the file; else inflated, as far as its header says. */
function openEntry(read: Source, entry: ZipEntry, archive: string): OpenArray {
  const name = `${archive}: "${entry.name}"`;
  if (entry.method === 0)
    return openArray((from, length) => read(entry.offset + from, length), entry.size, name);
  const packed = read(entry.offset, entry.packed);
  const inflate = (most: number) => {
    try {
      // what comes after the limit is not asked for
      return inflateRawSync(packed, { maxOutputLength: most, finishFlush: 2 });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return null;
      throw new DataError(`${name} cannot be unpacked${saidBy(cause)}.`);
    }
  };
  const whole = inflate(entry.size);
  if (!whole)
    throw new DataError(
      `${name} unpacks to more than the ${formatBytes(entry.size)} that the archive tells; it may be a zip bomb.`,
    );
  if (whole.length < entry.size)
    throw new DataError(
      `${name} is cut off: it unpacks to ${count(whole.length)} bytes of ${count(entry.size)}.`,
    );
  return openArray((from, length) => whole.subarray(from, from + length), whole.length, name);
}

type CellAt = (row: number) => { cell: Cell; fault: string | null };

/** Cells in turn, some rows at a time. */
function cellsOf({ header, read }: OpenArray): CellAt {
  const { shape, dtype, isFortran, offset } = header;
  const [rows, ...inner] = shape as [number, ...number[]];
  const width = inner.reduce((product, size) => product * size, 1);
  const atOnce = Math.max(1, Math.floor(BLOCK_BYTES / (width * dtype.bytes)));
  const order = isFortran ? fortranOrder(inner) : null;
  let [from, to] = [0, 0];
  let block: DataView = new DataView(new ArrayBuffer(0));
  const load = (row: number) => {
    [from, to] = [row, Math.min(rows, row + atOnce)];
    const size = (to - from) * dtype.bytes;
    if (!order || width === 1) {
      const bytes = read(offset + from * width * dtype.bytes, size * width);
      block = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      return;
    }
    // each column of a Fortran array is one piece: (columns, rows) becomes (rows, columns)
    const made = Buffer.allocUnsafe(size * width);
    for (let column = 0; column < width; column++) {
      const piece = read(offset + (column * rows + from) * dtype.bytes, size);
      for (let each = 0; each < to - from; each++)
        piece.copy(
          made,
          (each * width + order[column]!) * dtype.bytes,
          each * dtype.bytes,
          (each + 1) * dtype.bytes,
        );
    }
    block = new DataView(made.buffer, made.byteOffset, made.length);
  };
  return row => {
    if (row < from || row >= to) load(row);
    const begin = (row - from) * width * dtype.bytes;
    if (dtype.isText) return { cell: dtype.read(block, begin) as string, fault: null };
    const data = new Float64Array(width);
    let fault: string | null = null;
    for (let at = 0; at < width; at++) {
      const exact = exactly(dtype.read(block, begin + at * dtype.bytes) as number | bigint);
      data[at] = exact.value;
      fault ??= exact.fault;
    }
    return { cell: inner.length === 0 ? data[0]! : { shape: inner, data }, fault };
  };
}

/** Where each element of the inner axes in Fortran order stands in C order. */
function fortranOrder(inner: readonly number[]): Int32Array {
  const size = inner.reduce((product, each) => product * each, 1);
  return Int32Array.from({ length: size }, (_, at) => {
    let [rest, place] = [at, 0];
    const indices = inner.map(length => {
      const index = rest % length;
      rest = Math.floor(rest / length);
      return index;
    });
    for (const [axis, length] of inner.entries()) place = place * length + indices[axis]!;
    return place;
  });
}
