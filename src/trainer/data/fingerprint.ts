// A fingerprint of a data file: its size and a hash of each chunk, and what has become of it since. A GB takes 0.7 s where
// the processor has instructions for SHA. Of formats that are written anew as a whole, the rows are compared too.
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { count, plural } from '../../experiment/words.ts';
import { BadRows } from './bad-rows.ts';
import { filesOf } from './readers/folder.ts';
import { openReader, readerOf } from './readers/index.ts';
import type { FilePart, Reader } from './readers/reader.ts';
import { type RowsPrint, rowsSince } from './rows-digest.ts';

export interface Fingerprint {
  bytes: number;
  modified: string;
  chunkBytes: number;
  hashes: string[];
  /** of a format that is written anew as a whole */
  rows?: RowsPrint | undefined;
}

export type Since =
  | { kind: 'same' }
  /** `count` of `unit` were added to `known`, the part of then; of a text's lines, those that hold anything */
  | { kind: 'appended'; count: number; unit: 'row' | 'file'; bytes: number; known: FilePart }
  /** `why`: what differs, as a part of a sentence */
  | { kind: 'changed'; why: string };

const LEAST_CHUNK = 4096;
const MOST_CHUNKS = 512;
const READ_BYTES = 1 << 20;
/** Of a folder with more files several share a hash, and files that were added cannot be told. */
const MOST_FILES_APART = 50_000;
/** Hex digits for a file of a folder: 50,000 of 48 bits hold none twice but once in 100,000 folders. */
const FILE_DIGITS = 12;

export async function fingerprintOf(path: string): Promise<Fingerprint> {
  const stats = statSync(path);
  if (stats.isDirectory()) return folderPrint(path);
  const { size, mtime } = stats;
  const chunkBytes = 2 ** Math.ceil(Math.log2(Math.max(LEAST_CHUNK, size / MOST_CHUNKS)));
  const hashes = await chunkHashes(path, size, chunkBytes);
  return { bytes: size, modified: mtime.toISOString(), chunkBytes, hashes };
}

/** Compares the file as it is now with what it was. */
export async function changeSince(path: string, known: Fingerprint): Promise<Since> {
  const stats = statSync(path);
  if (stats.isDirectory()) return folderSince(path, known);
  const { size } = stats;
  const { bytes, chunkBytes } = known;
  const hashes = await chunkHashes(path, Math.min(size, bytes), chunkBytes);
  const first = known.hashes.findIndex((hash, index) => hash !== hashes[index]);
  if (first < 0 && size === bytes) return { kind: 'same' };
  const reader = readerOf(path);
  if (reader?.isWhole) return wholeSince(reader, path, known, size);
  if (first < 0 && size > bytes)
    return {
      kind: 'appended',
      count: await countLines(path, bytes),
      unit: 'row',
      bytes: size - bytes,
      known: { bytes },
    };
  const sizes = sizesOf(bytes, size);
  if (first * chunkBytes >= size) return { kind: 'changed', why: `${sizes}; its end is missing` };
  const line = 1 + (await countLines(path, 0, first * chunkBytes, true));
  const where = first > 0 ? `the first difference is after line ${count(line)}` : 'its beginning differs';
  return { kind: 'changed', why: `${sizes}; ${where}` };
}

function sizesOf(then: number, now: number): string {
  return then === now ? `${count(then)} bytes as then` : `${count(then)} bytes then, ${count(now)} now`;
}

/** Of a format that is written anew as a whole: other bytes may hold the same rows, or more. */
async function wholeSince(reader: Reader, path: string, known: Fingerprint, size: number): Promise<Since> {
  const sizes = sizesOf(known.bytes, size);
  const { rows } = known;
  if (!rows)
    return {
      kind: 'changed',
      why: `${sizes}; files of this format are written anew as a whole, and this run keeps no hash of their rows`,
    };
  const bad = new BadRows('skip');
  const { first, last } = await rowsSince(await openReader(reader, path, basename(path), { bad }), rows);
  if (last < rows.count)
    return { kind: 'changed', why: `${sizes}; ${plural(rows.count, 'row')} then, ${count(last)} now` };
  if (first !== rows.hash)
    return {
      kind: 'changed',
      why: `${sizes}; its first ${plural(rows.count, 'row')}, or the names of its columns, are others`,
    };
  return last === rows.count
    ? { kind: 'same' }
    : {
        kind: 'appended',
        count: last - rows.count,
        unit: 'row',
        bytes: size - known.bytes,
        known: { rows: rows.count },
      };
}

/** Of a folder: the names and contents of its files. */
async function folderPrint(path: string, digits = FILE_DIGITS): Promise<Fingerprint> {
  const files = filesOf(path, path);
  const each = Math.max(1, Math.ceil(files.length / MOST_FILES_APART));
  const hashes: string[] = [];
  let bytes = 0;
  let newest = 0;
  for (let from = 0; from < files.length; from += each) {
    const group = files.slice(from, from + each).map(name => ({ name, path: join(path, name) }));
    for (const { path: file } of group) {
      const { size, mtimeMs } = statSync(file);
      bytes += size;
      newest = Math.max(newest, mtimeMs);
    }
    hashes.push((await digestOf(group)).slice(0, digits));
  }
  return { bytes, modified: new Date(newest).toISOString(), chunkBytes: 1, hashes };
}

/** Of the names, sizes and contents of some files. */
export async function digestOf(files: readonly { name: string; path: string }[]): Promise<string> {
  const hash = createHash('sha1');
  for (const { name, path } of files) {
    const { size } = statSync(path);
    hash.update(`${name}\0${size}\0`);
    for (const part of await chunkHashes(path, size, 2 ** 40)) hash.update(part);
  }
  return hash.digest('hex').slice(0, 20);
}

async function folderSince(path: string, known: Fingerprint): Promise<Since> {
  // older runs have longer hashes
  const now = await folderPrint(path, known.hashes[0]?.length);
  const isSame = now.bytes === known.bytes && now.hashes.join() === known.hashes.join();
  if (isSame) return { kind: 'same' };
  const sizes = `${count(known.bytes)} bytes then, ${count(now.bytes)} now, in its files`;
  const files = filesOf(path, path);
  // a hash stands for one file, and some are those of then
  const then = new Set(known.hashes);
  const added = files.filter((_, index) => !then.has(now.hashes[index]!));
  if (now.hashes.length !== files.length || added.length === files.length)
    return { kind: 'changed', why: sizes };
  const gone = known.hashes.length - (files.length - added.length);
  if (gone === 0) {
    const others = new Set(added);
    const those = new Set(files.filter(file => !others.has(file)));
    return {
      kind: 'appended',
      count: added.length,
      unit: 'file',
      bytes: now.bytes - known.bytes,
      known: { files: those },
    };
  }
  const which =
    added.length === gone
      ? `the first that differs is ${added[0]}`
      : [
          ...(added.length > 0
            ? [`${plural(added.length, 'file is', 'files are')} new (${shown(added)})`]
            : []),
          `${plural(gone, 'file is', 'files are')} missing or changed`,
        ].join(', ');
  return { kind: 'changed', why: `${sizes}; ${which}` };
}

function shown(files: readonly string[]): string {
  return files.slice(0, 3).join(', ') + (files.length > 3 ? ', …' : '');
}

/** Of the first `bytes` of a file. */
async function chunkHashes(path: string, bytes: number, chunkBytes: number): Promise<string[]> {
  const hashes: string[] = [];
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(Math.min(READ_BYTES, Math.max(1, bytes)));
    let hash = createHash('sha1');
    let inChunk = 0;
    for (let at = 0; at < bytes; ) {
      const wanted = Math.min(buffer.length, bytes - at, chunkBytes - inChunk);
      const { bytesRead } = await file.read(buffer, 0, wanted, at);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
      inChunk += bytesRead;
      if (inChunk < chunkBytes && at < bytes) continue;
      hashes.push(hash.digest('hex').slice(0, 20));
      hash = createHash('sha1');
      inChunk = 0;
    }
  } finally {
    await file.close();
  }
  return hashes;
}

/** Lines that hold anything from `from` on; with `all`, line ends up to `to`. */
async function countLines(path: string, from: number, to?: number, all = false): Promise<number> {
  if (to === 0) return 0;
  let lines = 0;
  let filled = false;
  for await (const chunk of createReadStream(path, {
    start: from,
    end: to === undefined ? undefined : to - 1,
  }))
    for (const byte of chunk as Buffer) {
      if (byte === 10) {
        if (filled || all) lines++;
        filled = false;
      } else if (byte > 32) filled = true;
    }
  return filled && !all ? lines + 1 : lines;
}
