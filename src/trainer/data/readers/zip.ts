// The entries of a ZIP archive, from its central directory, ZIP64 included: APPNOTE.TXT 6.3.10 of PKWARE.
import { count } from '../../../experiment/words.ts';
import { DataError } from '../errors.ts';

export interface ZipEntry {
  name: string;
  /** 0: stored, 8: deflated */
  method: 0 | 8;
  packed: number;
  size: number;
  /** of its data in the file */
  offset: number;
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const DIRECTORY = 0x02014b50;
const LOCAL = 0x04034b50;
const MOST_ENTRIES = 100_000;

/** @throws DataError for what is no archive, is cut off, or is made so that entries share their data */
export function entriesOf(
  read: (from: number, length: number) => Buffer,
  size: number,
  name: string,
): ZipEntry[] {
  const fail = (why: string): never => {
    throw new DataError(`${name} is no archive that can be read: ${why}.`);
  };
  const tail = read(Math.max(0, size - 65_558), Math.min(size, 65_558));
  let end = tail.length - 22;
  while (end >= 0 && tail.readUInt32LE(end) !== END) end--;
  if (end < 0) fail('it has no directory at its end; it may be cut off');
  let entries = tail.readUInt16LE(end + 10);
  let length = tail.readUInt32LE(end + 12);
  let begin = tail.readUInt32LE(end + 16);
  if (
    (entries === 0xffff || begin === 0xffffffff) &&
    end >= 20 &&
    tail.readUInt32LE(end - 20) === LOCATOR_64
  ) {
    const record = read(Number(tail.readBigUInt64LE(end - 12)), 56);
    if (record.readUInt32LE(0) !== END_64) fail('its ZIP64 directory is damaged');
    entries = Number(record.readBigUInt64LE(32));
    length = Number(record.readBigUInt64LE(40));
    begin = Number(record.readBigUInt64LE(48));
  }
  if (entries > MOST_ENTRIES) fail(`it has ${count(entries)} entries`);
  if (begin + length > size) fail('its directory lies beyond its end; it may be cut off');
  const directory = read(begin, length);
  const found: ZipEntry[] = [];
  for (let at = 0, index = 0; index < entries; index++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== DIRECTORY)
      fail('its directory is damaged');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map(field =>
      directory.readUInt16LE(at + field),
    ) as [number, number, number];
    const entry = directory.toString('utf8', at + 46, at + 46 + nameLength);
    const extra = directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const sizes = {
      size: directory.readUInt32LE(at + 24),
      packed: directory.readUInt32LE(at + 20),
      offset: directory.readUInt32LE(at + 42),
    };
    widen(sizes, extra);
    const method = directory.readUInt16LE(at + 10);
    if (directory.readUInt16LE(at + 8) & 1) fail(`"${entry}" is encrypted`);
    if (method !== 0 && method !== 8) fail(`"${entry}" is packed by method ${method}, which is not known`);
    if (sizes.offset + 30 > size) fail(`"${entry}" lies beyond its end; it may be cut off`);
    const local = read(sizes.offset, 30);
    if (local.readUInt32LE(0) !== LOCAL) fail(`"${entry}" is damaged`);
    const offset = sizes.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
    if (offset + sizes.packed > size) fail(`"${entry}" is cut off`);
    if (method === 0 && sizes.size !== sizes.packed) fail(`"${entry}" is damaged`);
    found.push({ name: entry, method: method as 0 | 8, packed: sizes.packed, size: sizes.size, offset });
    at += 46 + nameLength + extraLength + commentLength;
  }
  // overlapping entries are how a small file unpacks to petabytes
  const sorted = [...found].sort((a, b) => a.offset - b.offset);
  const shared = sorted.findIndex(
    (each, index) => index > 0 && sorted[index - 1]!.offset + sorted[index - 1]!.packed > each.offset,
  );
  if (shared > 0)
    fail(`"${sorted[shared - 1]!.name}" and "${sorted[shared]!.name}" share their data, as a zip bomb does`);
  return found;
}

/** Fields of 32 bits that are full stand in the ZIP64 part of the extra field, in this order. */
function widen(sizes: { size: number; packed: number; offset: number }, extra: Buffer): void {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) {
      let from = at + 4;
      for (const field of ['size', 'packed', 'offset'] as const)
        if (sizes[field] === 0xffffffff && from + 8 <= extra.length) {
          sizes[field] = Number(extra.readBigUInt64LE(from));
          from += 8;
        }
    }
    at += 4 + length;
  }
}
