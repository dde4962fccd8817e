// Parquet: columns in groups of rows, one group in memory at a time. Fields of a structure are columns of their own
// ("translation.en"), lists of numbers are arrays, times are texts in ISO 8601. https://parquet.apache.org/docs/file-format
import { totalmem } from 'node:os';
import type { Compressors, FileMetaData, SchemaTree } from 'hyparquet';
import { count, formatBytes } from '../../../experiment/words.ts';
import { DataError, saidBy } from '../errors.ts';
import { cellOf, timeOf, usable } from './cells.ts';
import { type OpenFile, openFile } from './places.ts';
import type { Reader, Row } from './reader.ts';

const MAGIC = 'PAR1';
/** The magic at both ends, and the length of the footer. */
const LEAST_BYTES = 12;
/** What pandas adds for the index of a frame. */
const INDEX = /^__index_level_\d+__$/;

interface Column {
  /** with those of the structures around it */
  name: string;
  /** from the top of the schema */
  path: string[];
}

export const parquet: Reader = {
  name: 'Parquet',
  isWhole: true,
  reads: path => /\.(parquet|pq)$/i.test(path),
  async open(path, name, { part: { bytes } = {} }) {
    const file = openFile(path, name);
    checkEnds(file, name);
    const { parquetMetadataAsync, parquetScan, parquetSchema } = await import('hyparquet');
    const { compressors } = await import('hyparquet-compressors');
    const buffer = {
      byteLength: file.size,
      slice(from: number, to = file.size) {
        const { buffer, byteOffset, length } = file.read(from, to - from);
        const isWhole = byteOffset === 0 && length === buffer.byteLength;
        return (isWhole ? buffer : buffer.slice(byteOffset, byteOffset + length)) as ArrayBuffer;
      },
    };
    const metadata = await readable(name, () => parquetMetadataAsync(buffer));
    const columns = parquetSchema(metadata).children.flatMap(child => leavesOf(child, []));
    if (columns.length === 0) throw new DataError(`${name} holds no columns.`);
    if (metadata.num_rows === 0n) throw new DataError(`${name} holds no rows.`);
    refuseLarge(metadata, name);
    const scan = await readable(name, () =>
      parquetScan({
        file: buffer,
        metadata,
        compressors: forEmpty(compressors),
        parsers: { dateFromDays: dayOf },
      }),
    );
    const tops = [...new Set(columns.map(({ path: [top] }) => top!))];
    async function* rows(): AsyncGenerator<Row> {
      let taken = 0;
      for (const { rowStart, rowEnd } of scan.ranges) {
        if (bytes !== undefined && taken > bytes) return;
        taken += (file.size * (rowEnd - rowStart)) / Number(metadata.num_rows);
        const read = new Map<string, ArrayLike<unknown>>();
        for (const column of tops)
          read.set(column, await readable(name, () => scan.readColumn({ column, rowStart, rowEnd })));
        for (let row = rowStart; row < rowEnd; row++) {
          const line = row + 1;
          const found = columns.map(({ path: [top, ...within] }) =>
            cellOf(valueAt(read.get(top!)![row - rowStart], within)),
          );
          yield { cells: found.map(usable), line };
        }
      }
    }
    return { columns: columns.map(column => column.name), rows: rows(), unit: 'row' };
  },
};

/** A file that ends early has no footer, which stands at its end. */
function checkEnds({ size, read }: OpenFile, name: string): void {
  const begin = read(0, Math.min(4, size)).toString('latin1');
  if (begin === 'PARE') throw new DataError(`${name} is encrypted; store it without encryption.`);
  if (begin !== MAGIC) throw new DataError(`${name} is no Parquet file: it does not begin with ${MAGIC}.`);
  if (size < LEAST_BYTES || read(size - 4, 4).toString('latin1') !== MAGIC)
    throw new DataError(
      `${name} is cut off: it has ${count(size)} bytes, and does not end with ${MAGIC} as a whole Parquet file does.`,
    );
  const footer = read(size - 8, 4).readUInt32LE();
  if (footer > size - LEAST_BYTES)
    throw new DataError(
      `${name} is damaged: its footer claims ${count(footer)} bytes, and the file has ${count(size)}.`,
    );
}

function refuseLarge({ row_groups }: FileMetaData, name: string): void {
  const largest = Math.max(...row_groups.map(({ total_byte_size }) => Number(total_byte_size)));
  if (largest > totalmem() / 2)
    throw new DataError(
      `${name}: one group of rows takes ${formatBytes(largest)} unpacked, more than half of this machine's memory; write it with smaller row groups.`,
    );
}

/** A page of nulls alone unpacks to nothing, which LZ4's decoder does not take. */
function forEmpty(compressors: Compressors): Compressors {
  return Object.fromEntries(
    Object.entries(compressors).map(([codec, unpack]) => [
      codec,
      (input: Uint8Array, size: number) => (size === 0 ? new Uint8Array() : unpack(input, size)),
    ]),
  );
}

/** @throws DataError for all that the library throws */
async function readable<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(
      `${name} is damaged, or uses what is not read of Parquet${saidBy(cause, /^parquet /)}.`,
    );
  }
}

/** The columns of a part of the schema: its own, or those of its fields where it is a plain structure. */
function leavesOf({ element, children }: SchemaTree, above: readonly string[]): Column[] {
  const path = [...above, element.name];
  if (INDEX.test(element.name)) return [];
  const isStructure =
    children.length > 0 &&
    element.converted_type === undefined &&
    element.logical_type === undefined &&
    element.repetition_type !== 'REPEATED';
  return isStructure ? children.flatMap(child => leavesOf(child, path)) : [{ name: path.join('.'), path }];
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((level, name) => (level as Record<string, unknown> | null)?.[name], value);
}

function dayOf(days: number): string {
  return timeOf(new Date(days * 86_400_000)).slice(0, 10);
}
