// Streams a text file into symbol ids: UTF-8 (UTF-16 with a byte order mark), one symbol a Unicode code point,
// line ends as \n. The file is read twice and never held as one string. Ids take 2 bytes a character in memory (4 beyond
// 65,536 different ones); of texts whose ids exceed 128 MB only the places of blocks are kept, and blocks are decoded
// from the file when a batch reads them.
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { plural } from '../../experiment/words.ts';
import { whyOf } from '../../runs/system-errors.ts';
import { DataError } from './errors.ts';
import { type Blocks, fileIds, IN_MEMORY_BYTES, type SymbolIds } from './symbol-ids.ts';

/** Stands for all characters that are rarer than `minCount`. */
export const UNKNOWN = '\uFFFD';

export interface EncodedText {
  /** ids of all characters in order */
  ids: SymbolIds;
  vocabulary: Vocabulary;
}

export interface Vocabulary {
  /** by id, in the order of code points; the unknown symbol, if there is one, stands last */
  symbols: string[];
  /** occurrences by id, over the whole file */
  counts: number[];
}

const CODE_POINTS = 0x110000;
const CHUNK_BYTES = 1 << 20;

export interface TextOptions {
  minCount: number;
  /** part of the characters, from the start, in which a character must be seen `minCount` times */
  share: number;
  /** read only so many bytes of the file */
  bytes?: number | undefined;
  /** the symbols of a run that goes on, instead of the text's own */
  known?: readonly string[] | null | undefined;
  /** largest ids, in bytes, that are kept in memory */
  inMemory?: number | undefined;
}

/** Characters of a block that is decoded at once. */
const BLOCK = 8192;

/** @throws DataError with the byte offset of what is no text, or a character that is not known */
export async function readText(
  path: string,
  name: string,
  { minCount, share, bytes, known, inMemory = IN_MEMORY_BYTES }: TextOptions,
): Promise<EncodedText> {
  const all = new Float64Array(CODE_POINTS);
  const marks = new Marks();
  let length = 0;
  for await (const codes of codePoints(path, name, bytes, marks)) {
    for (const code of codes) all[code]!++;
    length += codes.length;
  }
  if (length === 0) throw new DataError(`The data file ${name} holds no characters.`);
  const idOf = new Int32Array(CODE_POINTS).fill(-1);
  const vocabulary = known
    ? encodeKnown(all, idOf, known, name)
    : encodeOwn(
        all,
        minCount > 1 ? await countUntil(path, name, bytes, Math.floor(length * share)) : all,
        idOf,
        minCount,
      );
  const { symbols } = vocabulary;
  const stranger = symbols.length - 1;
  const bytesEach = symbols.length <= 0x10000 ? 2 : 4;
  if (length * bytesEach > inMemory) {
    const { encoding } = sniff(path, name);
    return { ids: fileIds(path, name, marks.blocks(), decodeWith(encoding, idOf, stranger)), vocabulary };
  }
  const ids = bytesEach === 2 ? new Uint16Array(length) : new Uint32Array(length);
  let at = 0;
  for await (const codes of codePoints(path, name, bytes)) {
    if (at + codes.length > length) break;
    for (const code of codes) {
      const id = idOf[code]!;
      ids[at++] = id >= 0 ? id : stranger;
    }
  }
  if (at < length) throw new DataError(`The data file ${name} changed while it was read.`);
  return { ids, vocabulary };
}

/** Ids of the symbols of a run; other characters are its unknown symbol, if it has one. */
function encodeKnown(
  all: Float64Array,
  idOf: Int32Array,
  known: readonly string[],
  name: string,
): Vocabulary {
  const symbols = [...known];
  const counts = symbols.map(() => 0);
  const hasUnknown = symbols.at(-1) === UNKNOWN;
  symbols.forEach((symbol, id) => {
    const code = symbol.codePointAt(0)!;
    idOf[code] = id;
    counts[id] = all[code]!;
  });
  for (let code = 0; code < CODE_POINTS; code++) {
    if (all[code] === 0 || idOf[code]! >= 0) continue;
    if (!hasUnknown)
      throw new DataError(
        `${name} holds ${JSON.stringify(String.fromCodePoint(code))}, which is not among the ${plural(symbols.length, 'symbol')} that this run knows.`,
      );
    counts[symbols.length - 1]! += all[code]!;
  }
  return { symbols, counts };
}

function encodeOwn(all: Float64Array, seen: Float64Array, idOf: Int32Array, minCount: number): Vocabulary {
  const symbols: string[] = [];
  const counts: number[] = [];
  let unknown = 0;
  for (let code = 0; code < CODE_POINTS; code++) {
    if (all[code] === 0) continue;
    if (seen[code]! < minCount) {
      unknown += all[code]!;
      continue;
    }
    idOf[code] = symbols.length;
    symbols.push(String.fromCodePoint(code));
    counts.push(all[code]!);
  }
  if (unknown > 0) {
    symbols.push(UNKNOWN);
    counts.push(unknown);
  }
  return { symbols, counts };
}

/** Notes where each block of a file begins while its characters go by. */
class Marks {
  private readonly starts: number[] = [];
  private bytes = 0;
  private count = 0;
  private isWide = false;

  begin(offset: number, encoding: string): void {
    this.bytes = offset;
    this.isWide = encoding !== 'utf-8';
  }

  /** `folded`: the second half of a line end, which is no character of its own */
  see(code: number, folded: boolean): void {
    if (!folded && this.count++ % BLOCK === 0) this.starts.push(this.bytes);
    if (this.isWide) this.bytes += code > 0xffff ? 4 : 2;
    else this.bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }

  blocks(): Blocks {
    return {
      bytes: [...this.starts, this.bytes],
      symbols: [...this.starts.map((_, index) => index * BLOCK), this.count],
    };
  }
}

function decodeWith(encoding: string, idOf: Int32Array, stranger: number) {
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  return (bytes: Buffer): Uint32Array => {
    const ids = new Uint32Array(BLOCK);
    const text = decoder.decode(bytes);
    let count = 0;
    for (let i = 0, afterReturn = false; i < text.length && count <= BLOCK; i++) {
      const code = text.codePointAt(i)!;
      if (code > 0xffff) i++;
      const folded = code === 10 && afterReturn;
      afterReturn = code === 13;
      if (folded) continue;
      const id = idOf[afterReturn ? 10 : code]!;
      ids[count++] = id >= 0 ? id : stranger;
    }
    return ids.subarray(0, count);
  };
}

async function countUntil(
  path: string,
  name: string,
  bytes: number | undefined,
  length: number,
): Promise<Float64Array> {
  const counts = new Float64Array(CODE_POINTS);
  let left = length;
  for await (const codes of codePoints(path, name, bytes)) {
    for (const code of codes.subarray(0, left)) counts[code]!++;
    left -= codes.length;
    if (left <= 0) break;
  }
  return counts;
}

/** All code points, a chunk at a time. */
async function* codePoints(
  path: string,
  name: string,
  most?: number | undefined,
  marks?: Marks,
): AsyncGenerator<Uint32Array> {
  const { encoding, skip } = sniff(path, name);
  marks?.begin(skip, encoding);
  let afterReturn = false;
  for await (const text of textChunks(path, name, { bytes: most })) {
    const codes = new Uint32Array(text.length);
    let count = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.codePointAt(i)!;
      if (code > 0xffff) i++;
      const secondHalf = code === 10 && afterReturn;
      afterReturn = code === 13;
      marks?.see(code, secondHalf);
      if (!secondHalf) codes[count++] = afterReturn ? 10 : code;
    }
    yield codes.subarray(0, count);
  }
}

export interface ChunkOptions {
  /** read only so many bytes of the file */
  bytes?: number | undefined;
  /** bytes of a chunk */
  size?: number | undefined;
}

/** The file as text, a chunk at a time, line ends as they stand. @throws DataError with the byte that is no text */
export async function* textChunks(
  path: string,
  name: string,
  { bytes: most, size = CHUNK_BYTES }: ChunkOptions = {},
): AsyncGenerator<string> {
  const { encoding, skip } = sniff(path, name);
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  let offset = skip;
  try {
    const end = most === undefined ? undefined : most - 1;
    for await (const chunk of createReadStream(path, { start: skip, end, highWaterMark: size })) {
      const bytes = chunk as Buffer;
      const zero = encoding === 'utf-8' ? bytes.indexOf(0) : -1;
      if (zero >= 0) throw notText(name, offset + zero);
      let text: string;
      try {
        text = decoder.decode(bytes, { stream: true });
      } catch {
        throw notText(name, offset + (encoding === 'utf-8' ? firstInvalid(bytes) : 0), encoding);
      }
      yield text;
      offset += bytes.length;
    }
    let rest: string;
    try {
      rest = decoder.decode();
    } catch {
      throw notText(name, offset);
    }
    if (rest) yield rest;
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`The data file ${name} cannot be read: ${whyOf(cause)}.`);
  }
}

function notText(name: string, offset: number, encoding = 'utf-8'): DataError {
  return new DataError(
    `The data file ${name} is not ${encoding.toUpperCase()} text: byte ${offset.toLocaleString('en-US')} cannot be decoded. Convert it to UTF-8, or choose another file.`,
  );
}

/** The encoding, and the bytes of its mark. */
export function sniff(path: string, name: string): { encoding: string; skip: number } {
  const head = Buffer.alloc(3);
  let read = 0;
  try {
    const file = openSync(path, 'r');
    read = readSync(file, head, 0, 3, 0);
    closeSync(file);
  } catch (cause) {
    throw new DataError(`The data file ${name} cannot be read: ${whyOf(cause)}.`);
  }
  if (read >= 3 && head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf)
    return { encoding: 'utf-8', skip: 3 };
  if (read >= 2 && head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', skip: 2 };
  if (read >= 2 && head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', skip: 2 };
  return { encoding: 'utf-8', skip: 0 };
}

/** Offset of the first byte that is not valid UTF-8 in a chunk that may begin inside a character. */
function firstInvalid(bytes: Buffer): number {
  let i = 0;
  while (i < 3 && (bytes[i]! & 0xc0) === 0x80) i++;
  while (i < bytes.length) {
    const lead = bytes[i]!;
    const extra =
      lead < 0x80
        ? 0
        : lead >= 0xc2 && lead < 0xe0
          ? 1
          : lead >= 0xe0 && lead < 0xf0
            ? 2
            : lead >= 0xf0 && lead < 0xf5
              ? 3
              : -1;
    if (extra < 0) return i;
    for (let k = 1; k <= extra && i + k < bytes.length; k++) if ((bytes[i + k]! & 0xc0) !== 0x80) return i;
    i += extra + 1;
  }
  return 0;
}
