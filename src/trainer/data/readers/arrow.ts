// Apache Arrow's IPC format, as a file (Feather) or a stream: batches of rows, one in memory at a time. Fields of a structure
// are columns of their own, lists of numbers are arrays, times are texts in ISO 8601.
// https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
import { totalmem } from 'node:os';
import type { Field, Table } from '@uwdata/flechette';
import { count, formatBytes } from '../../../experiment/words.ts';
import { DataError, saidBy } from '../errors.ts';
import { cellOf, timeOf, usable } from './cells.ts';
import { unpackLz4 } from './lz4.ts';
import { type OpenFile, openFile } from './places.ts';
import type { Reader, Row } from './reader.ts';

const MAGIC = 'ARROW1';
const CONTINUES = 0xffffffff;
/** Of a message's header, as Message.fbs numbers them. */
const SCHEMA = 1;
const DICTIONARY = 2;
const BATCH = 3;
/** Of a field's type, as Schema.fbs numbers them. */
const UNION = 14;
/** Rows that a batch may claim whatever its bytes are: nulls and repeated values take none. */
const ROWS_WITHOUT_BYTES = 2 ** 20;
/** What pandas adds for the index of a frame. */
const INDEX = /^__index_level_\d+__$/;

export const arrow: Reader = {
  name: 'Arrow',
  isWhole: true,
  reads: path => /\.(arrow|feather|arrows|ipc)$/i.test(path),
  async open(path, name) {
    const file = openFile(path, name);
    const messages = messagesOf(file, name);
    const library = await import('@uwdata/flechette');
    const { compressors } = await import('hyparquet-compressors');
    library.setCompressionCodec(library.CompressionType.LZ4_FRAME, codec(unpackLz4, 255));
    library.setCompressionCodec(library.CompressionType.ZSTD, codec(compressors.ZSTD!, 2 ** 17));
    const first = messages.next();
    if (first.done || first.value.kind !== SCHEMA)
      throw new DataError(`${name} is damaged: it does not begin with a schema.`);
    const before = [first.value.read()];
    const tableOf = (message: Uint8Array[]): Table =>
      readable(name, () =>
        library.tableFromIPC(joined([...before, ...message]), { useBigInt: true, useDate: true }),
      );
    const { DATE, STRUCT } = { DATE: library.Type.Date, STRUCT: library.Type.Struct };
    const columns = leavesOf(tableOf([]).schema.fields, [], STRUCT, DATE);
    if (columns.length === 0) throw new DataError(`${name} holds no columns.`);
    async function* rows(): AsyncGenerator<Row> {
      let line = 0;
      for (const message of messages) {
        if (message.kind === DICTIONARY) before.push(message.read());
        if (message.kind !== BATCH) continue;
        const table = tableOf([message.read()]);
        if (table.numRows > mostRows(message.size))
          throw new DataError(`${name} is damaged: a batch claims ${count(table.numRows)} rows.`);
        const read = columns.map(({ path: [top] }) => table.getChild(top!));
        if (read.some(column => (column.data as readonly unknown[] as readonly ColumnBatch[]).some(isTorn)))
          throw new DataError(`${name} is damaged: a column has fewer values than its batch has rows.`);
        for (let row = 0; row < table.numRows; row++) {
          line++;
          const found = readable(name, () =>
            columns.map(({ path: [, ...within], isDay }, at) => {
              const value = valueAt(read[at]!.at(row), within);
              return cellOf(value instanceof Date && isDay ? timeOf(value).slice(0, 10) : plain(value));
            }),
          );
          yield { cells: found.map(usable), line };
        }
      }
      if (line === 0) throw new DataError(`${name} holds no rows.`);
    }
    return { columns: columns.map(column => column.path.join('.')), rows: rows(), unit: 'row' };
  },
};

interface ColumnBatch {
  length: number;
  offsets?: ArrayLike<number | bigint>;
  sizes?: ArrayLike<number | bigint>;
  values?: ArrayLike<unknown>;
  /** of a union */
  typeIds?: ArrayLike<number>;
  /** of lists of one length */
  stride?: number;
  children?: ColumnBatch[];
}

/** Whether a batch claims more rows than it has values, or places that are not there; a bit is the least that a value takes. */
function isTorn(batch: ColumnBatch): boolean {
  const { length, offsets, sizes, values, typeIds, stride, children = [] } = batch;
  const end = children[0]?.length ?? values?.length ?? 0;
  if (typeIds) {
    if (typeIds.length < length || (offsets && offsets.length < length)) return true;
  } else if (offsets && sizes) {
    if (offsets.length < length || sizes.length < length) return true;
    for (let row = 0; row < length; row++) {
      const [from, size] = [Number(offsets[row]!), Number(sizes[row]!)];
      if (!(from >= 0 && size >= 0 && from + size <= end)) return true;
    }
  } else if (offsets) {
    if (offsets.length <= length) return true;
    for (let row = 0; row < length; row++) if (!(offsets[row]! <= offsets[row + 1]!)) return true;
    if (!(offsets[0]! >= 0) || !(Number(offsets[length]!) <= end)) return true;
  } else if (values) {
    if (8 * values.length < length) return true;
  } else if (stride !== undefined && !(stride >= 0 && stride * length <= end)) return true;
  return children.some(isTorn);
}

interface Message {
  kind: number;
  /** bytes */
  size: number;
  /** the message as it stands in the file */
  read(): Uint8Array;
}

/** One after the other, their bodies unread. @throws DataError where the file ends within one */
function* messagesOf(file: OpenFile, name: string): Generator<Message, void> {
  const begin = file.read(0, Math.min(8, file.size));
  const isFile = begin.toString('latin1', 0, 6) === MAGIC;
  if (begin.toString('latin1', 0, 4) === 'FEA1')
    throw new DataError(`${name} is of Feather's first version; write it with version 2.`);
  if (!isFile && (begin.length < 8 || begin.readUInt32LE(0) !== CONTINUES))
    throw new DataError(`${name} is no Arrow file or stream: it begins with neither ${MAGIC} nor a message.`);
  if (isFile && (file.size < 20 || file.read(file.size - 6, 6).toString('latin1') !== MAGIC))
    throw new DataError(
      `${name} is cut off: it has ${count(file.size)} bytes, and does not end with ${MAGIC} as a whole Arrow file does.`,
    );
  const cut = () =>
    new DataError(`${name} is cut off: it ends within a message, at byte ${count(file.size)}.`);
  for (let at = isFile ? 8 : 0; at < file.size; ) {
    if (at + 8 > file.size) throw cut();
    const prefix = file.read(at, 8);
    const length = prefix.readUInt32LE(4);
    // a length of 0 ends a stream; behind it stands the footer of a file
    if (prefix.readUInt32LE(0) !== CONTINUES || length === 0) return;
    if (at + 8 + length > file.size) throw cut();
    const { kind, body } = headerOf(file.read(at + 8, length), name);
    const [from, size] = [at, 8 + length + body];
    if (from + size > file.size) throw cut();
    if (size > totalmem() / 2)
      throw new DataError(
        `${name}: one batch of rows takes ${formatBytes(size)}, more than half of this machine's memory; write it with smaller batches.`,
      );
    yield { kind, size, read: () => file.read(from, size) };
    at += size;
  }
}

/** Rows that bytes can hold: a bit each, packed 255 times at the most. */
const mostRows = (bytes: number) => Math.max(ROWS_WITHOUT_BYTES, 8 * 255 * bytes);

/** The kind of a message and the bytes behind it: fields 1 and 3 of a FlatBuffers table. @throws DataError */
function headerOf(bytes: Buffer, name: string): { kind: number; body: number } {
  try {
    const table = tableAt(bytes, 0);
    const [kind, body] = [table(1), table(3)];
    const size = body ? Number(bytes.readBigInt64LE(body)) : 0;
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError();
    const header = { kind: kind ? bytes.readUInt8(kind) : 0, body: size };
    requireVectors(bytes, table(2), header);
    return header;
  } catch {
    throw new DataError(`${name} is damaged: a message has no header that can be read.`);
  }
}

/** Of the table that `at` refers to: the place of each field, 0 where it has none. */
function tableAt(bytes: Buffer, at: number): (field: number) => number {
  const table = at + bytes.readInt32LE(at);
  const fields = table - bytes.readInt32LE(table);
  const size = bytes.readUInt16LE(fields);
  return field => {
    const place = 4 + 2 * field < size ? bytes.readUInt16LE(fields + 4 + 2 * field) : 0;
    return place && table + place;
  };
}

/** The places of a vector's elements. @throws RangeError where it is longer than its message */
function elementsOf(bytes: Buffer, at: number, stride: number): number[] {
  if (!at) return [];
  const vector = at + bytes.readInt32LE(at);
  const length = bytes.readInt32LE(vector);
  if (length < 0 || vector + 4 + length * stride > bytes.length) throw new RangeError();
  return Array.from({ length }, (_, i) => vector + 4 + i * stride);
}

/**
 * The library makes as many elements as a vector claims, so each vector of Schema.fbs and Message.fbs must lie within its
 * message, no field may contain itself, and a dictionary no more values than its bytes can hold.
 * @throws RangeError
 */
function requireVectors(bytes: Buffer, header: number, { kind, body }: { kind: number; body: number }): void {
  if (!header) return;
  let tables = 0;
  const metadata = (at: number) => {
    for (const entry of elementsOf(bytes, at, 4)) tableAt(bytes, entry);
  };
  const fields = (at: number) => {
    for (const element of elementsOf(bytes, at, 4)) {
      // a table takes 8 bytes or more: one that contains itself exceeds this
      if (++tables > bytes.length / 8) throw new RangeError();
      const field = tableAt(bytes, element);
      const [kindOfType, type] = [field(2), field(3)];
      if (type && kindOfType && bytes.readUInt8(kindOfType) === UNION)
        elementsOf(bytes, tableAt(bytes, type)(1), 4);
      fields(field(5));
      metadata(field(6));
    }
  };
  const batch = (at: number) => {
    const table = tableAt(bytes, at);
    const nodes = elementsOf(bytes, table(1), 16);
    elementsOf(bytes, table(2), 16);
    const buffers = elementsOf(bytes, table(4), 8).reduce(
      (sum, place) => sum + bytes.readBigInt64LE(place),
      0n,
    );
    if (buffers < 0n || buffers > bytes.length) throw new RangeError();
    for (const node of nodes) {
      const length = Number(bytes.readBigInt64LE(node));
      if (!(length >= 0 && length <= mostRows(bytes.length + body))) throw new RangeError();
    }
  };
  if (kind === SCHEMA) {
    const schema = tableAt(bytes, header);
    fields(schema(1));
    metadata(schema(2));
  } else if (kind === BATCH) batch(header);
  else if (kind === DICTIONARY) batch(tableAt(bytes, header)(1));
}

/** @throws DataError for all that the library throws */
function readable<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const text = (cause as Error).message.replace(/\.$/, '');
    if (cause instanceof DataError) throw new DataError(`${name} is damaged: ${text}.`);
    throw new DataError(`${name} is damaged, or uses what is not read of Arrow${saidBy(cause)}.`);
  }
}

/** `most` bytes come out of one, by the format. */
function codec(unpack: (packed: Uint8Array, size: number) => Uint8Array, most: number) {
  return {
    encode: (): never => {
      throw new Error('nothing is written');
    },
    // the library hands over what is packed; the size of what comes out stands in the 8 bytes before it
    decode: (packed: Uint8Array) => {
      const before = new DataView(packed.buffer, packed.byteOffset - 8, 8);
      const size = Number(before.getBigInt64(0, true));
      if (!(size >= 0 && size <= Math.min(totalmem() / 2, most * packed.length)))
        throw new DataError('a buffer claims an impossible size');
      const bytes = unpack(packed, size);
      if (bytes.length !== size) throw new DataError('a buffer unpacks to another size than it claims');
      // numbers are read in place, so they must begin at a multiple of their size
      return bytes.byteOffset % 8 === 0 ? bytes : Uint8Array.from(bytes);
    },
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([...parts, Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])]);
}

interface Leaf {
  /** from the top of the schema */
  path: string[];
  isDay: boolean;
}

function leavesOf(
  fields: readonly Field[],
  above: readonly string[],
  structure: number,
  day: number,
): Leaf[] {
  return fields.flatMap(({ name, type }): Leaf[] => {
    const path = [...above, name];
    if (INDEX.test(name)) return [];
    return type.typeId === structure
      ? leavesOf((type as { children: Field[] }).children, path, structure, day)
      : [{ path, isDay: type.typeId === day }];
  });
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((level, name) => (level as Record<string, unknown> | null)?.[name], value);
}

/** Lists as arrays of JavaScript; bytes stay bytes. */
function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value) && !(value instanceof Uint8Array) && !(value instanceof DataView))
    return Array.from(value as Float64Array, plain);
  return Array.isArray(value) ? value.map(plain) : value;
}
