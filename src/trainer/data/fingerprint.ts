// A fingerprint of a data file: its size and a hash of each chunk, and what has become of it since. A GB takes 0.7 s where
// the processor has instructions for SHA.
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { count, plural } from '../../experiment/words.ts';
import { filesOf } from './readers/folder.ts';
import { readerOf } from './readers/index.ts';

export interface Fingerprint {
  bytes: number;
  modified: string;
  chunkBytes: number;
  hashes: string[];
}

export type Since =
  | { kind: 'same' }
  /** `lines`: that hold anything, in the part that was appended */
  | { kind: 'appended'; lines: number; bytes: number }
  /** `why`: what differs, as a part of a sentence */
  | { kind: 'changed'; why: string };

const LEAST_CHUNK = 4096;
const MOST_CHUNKS = 512;
const READ_BYTES = 1 << 20;

export async function fingerprintOf(path: string): Promise<Fingerprint> {
  const { size, mtime } = statSync(path);
  if (statSync(path).isDirectory()) return folderPrint(path);
  const chunkBytes = 2 ** Math.ceil(Math.log2(Math.max(LEAST_CHUNK, size / MOST_CHUNKS)));
  const hashes = await chunkHashes(path, size, chunkBytes);
  return { bytes: size, modified: mtime.toISOString(), chunkBytes, hashes };
}

/** Compares the file as it is now with what it was. */
export async function changeSince(path: string, known: Fingerprint): Promise<Since> {
  if (statSync(path).isDirectory()) return folderSince(path, known);
  const { size } = statSync(path);
  const { bytes, chunkBytes } = known;
  const hashes = await chunkHashes(path, Math.min(size, bytes), chunkBytes);
  const first = known.hashes.findIndex((hash, index) => hash !== hashes[index]);
  if (first < 0 && size === bytes) return { kind: 'same' };
  const isBinary = readerOf(path)?.isBinary ?? false;
  if (first < 0 && size > bytes && !isBinary)
    return { kind: 'appended', lines: await countLines(path, bytes), bytes: size - bytes };
  const sizes =
    size === bytes ? `${count(bytes)} bytes as then` : `${count(bytes)} bytes then, ${count(size)} now`;
  if (first * chunkBytes >= size) return { kind: 'changed', why: `${sizes}; its end is missing` };
  if (isBinary)
    return {
      kind: 'changed',
      why: `${sizes}; ${first < 0 ? 'bytes follow behind its end' : 'files of this format are written anew as a whole, so that rows which were appended cannot be told from others'}`,
    };
  const line = 1 + (await countLines(path, 0, first * chunkBytes, true));
  const where = first > 0 ? `the first difference is after line ${count(line)}` : 'its beginning differs';
  return { kind: 'changed', why: `${sizes}; ${where}` };
}

/** Of a folder: the names and contents of its files, in at most so many groups. */
async function folderPrint(path: string): Promise<Fingerprint> {
  const files = filesOf(path, path);
  const each = Math.max(1, Math.ceil(files.length / MOST_CHUNKS));
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
    hashes.push(await digestOf(group));
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
  const now = await folderPrint(path);
  const isSame = now.bytes === known.bytes && now.hashes.join() === known.hashes.join();
  if (isSame) return { kind: 'same' };
  const sizes = `${count(known.bytes)} bytes then, ${count(now.bytes)} now, in its files`;
  const files = filesOf(path, path);
  // of few files a hash stands for one, and some are those of then
  const then = new Set(known.hashes);
  const added = files.filter((_, index) => !then.has(now.hashes[index]!));
  if (now.hashes.length !== files.length || added.length === files.length)
    return { kind: 'changed', why: sizes };
  const gone = known.hashes.length - (files.length - added.length);
  const which =
    added.length === gone
      ? `the first that differs is ${added[0]}`
      : [
          ...(added.length > 0
            ? [`${plural(added.length, 'file is', 'files are')} new (${shown(added)})`]
            : []),
          ...(gone > 0 ? [`${plural(gone, 'file is', 'files are')} missing or changed`] : []),
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
