// Numbers by place, more of them than memory should hold: so many bytes of all columns stand in memory, and what comes
// after stands in a scratch file without a name, which the system removes with the process.
import { closeSync, existsSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { whyOf } from '../../runs/system-errors.ts';
import { DataError } from './errors.ts';

/** Bytes that the columns of one storage hold in memory. */
export const STORED_BYTES = 48e6;

type Kind =
  | Float64ArrayConstructor
  | Float32ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Uint16ArrayConstructor
  | Uint8ArrayConstructor;

type Values<K extends Kind> = InstanceType<K>;

/** The memory that columns share, and the file behind it. */
export class Storage {
  private left: number;
  private readonly folder: string;
  private file: number | null = null;
  private written = 0;

  constructor(inMemory = STORED_BYTES, folder = scratchFolder()) {
    this.left = inMemory;
    this.folder = folder;
  }

  /** whether all of it stands in memory */
  get isWhole(): boolean {
    return this.file === null;
  }

  /** false: so many bytes are no longer to be had */
  take(bytes: number): boolean {
    if (bytes > this.left) return false;
    this.left -= bytes;
    return true;
  }

  /** @returns its place in the file. @throws DataError on a full disk */
  write(bytes: Uint8Array): number {
    try {
      this.file ??= this.open();
      const place = this.written;
      for (let from = 0; from < bytes.length; )
        from += writeSync(this.file, bytes, from, bytes.length - from, place + from);
      this.written += bytes.length;
      return place;
    } catch (cause) {
      throw new DataError(
        `The data take more than memory should hold, and the rest cannot be written to ${this.folder}: ${whyOf(cause)}. TMPDIR can name another folder.`,
      );
    }
  }

  /** @throws DataError */
  read(into: Uint8Array, place: number): void {
    try {
      for (let from = 0; from < into.length; ) {
        const more = readSync(this.file!, into, from, into.length - from, place + from);
        if (more === 0) throw new DataError(`The scratch file in ${this.folder} lost its end.`);
        from += more;
      }
    } catch (cause) {
      if (cause instanceof DataError) throw cause;
      throw new DataError(`The scratch file in ${this.folder} cannot be read: ${whyOf(cause)}.`);
    }
  }

  private open(): number {
    const path = join(
      this.folder,
      `unroll-${process.pid}-${Date.now()}-${Math.random().toString(36).slice(2)}`,
    );
    const file = openSync(path, 'wx+', 0o600);
    // nothing stays behind, however the process ends
    unlinkSync(path);
    files.register(this, file);
    return file;
  }
}

const files = new FinalizationRegistry<number>(file => closeSync(file));

/** On disk: /tmp is often kept in memory. */
function scratchFolder(): string {
  const disk = '/var/tmp';
  return process.env['TMPDIR'] === undefined && process.platform === 'linux' && existsSync(disk)
    ? disk
    : tmpdir();
}

/** Numbers of a chunk: what is written and read at once when columns are gone through. */
const CHUNK = 1 << 15;
const FIRST = 64;
/** Cursors that go along a column side by side. */
const LOADED = 4;

/** Numbers that are appended, then read by place. */
export class Column<K extends Kind> {
  length = 0;
  private readonly kind: K;
  private readonly storage: Storage;
  /** full chunks: in memory, or where they stand in the file */
  private readonly full: (Values<K> | number)[] = [];
  private last: Values<K>;
  private filled = 0;
  private loaded: { index: number; values: Values<K> }[] = [];

  constructor(kind: K, storage: Storage) {
    this.kind = kind;
    this.storage = storage;
    this.last = new kind(FIRST) as Values<K>;
  }

  push(value: number): void {
    if (this.filled === this.last.length) this.more();
    this.last[this.filled++] = value;
    this.length++;
  }

  pushAll(values: ArrayLike<number>): void {
    for (let from = 0; from < values.length; ) {
      if (this.filled === this.last.length) this.more();
      const some = Math.min(values.length - from, this.last.length - this.filled);
      for (let at = 0; at < some; at++) this.last[this.filled + at] = values[from + at]!;
      this.filled += some;
      this.length += some;
      from += some;
    }
  }

  get(place: number): number {
    const index = Math.floor(place / CHUNK);
    return this.chunk(index)[place - index * CHUNK]!;
  }

  /** From `from` to before `to`; a view where they stand together in memory. */
  slice(from: number, to: number): Values<K> {
    const first = Math.floor(from / CHUNK);
    if (to <= (first + 1) * CHUNK) {
      const held = first < this.full.length ? this.full[first]! : this.last;
      if (typeof held !== 'number')
        return held.subarray(from - first * CHUNK, to - first * CHUNK) as Values<K>;
    }
    const made = new this.kind(to - from) as Values<K>;
    for (let at = from; at < to; ) {
      const index = Math.floor(at / CHUNK);
      const end = Math.min(to, (index + 1) * CHUNK);
      const held = index < this.full.length ? this.full[index]! : this.last;
      const part = made.subarray(at - from, end - from);
      if (typeof held === 'number')
        this.storage.read(bytesOf(part), held + (at - index * CHUNK) * part.BYTES_PER_ELEMENT);
      else part.set(held.subarray(at - index * CHUNK, end - index * CHUNK));
      at = end;
    }
    return made;
  }

  *[Symbol.iterator](): Generator<number> {
    for (let place = 0; place < this.length; place++) yield this.get(place);
  }

  /** A copy of the first `length` numbers, with these behind them. */
  first(length: number, behind: ArrayLike<number> = []): Column<K> {
    const made = new Column(this.kind, this.storage);
    for (let from = 0; from < length; from += CHUNK)
      made.pushAll(this.slice(from, Math.min(length, from + CHUNK)));
    made.pushAll(behind);
    return made;
  }

  /** The same numbers again, to go on differently. */
  copy(): Column<K> {
    return this.first(this.length);
  }

  private chunk(index: number): Values<K> {
    if (index === this.full.length) return this.last;
    const held = this.full[index]!;
    if (typeof held !== 'number') return held;
    for (const each of this.loaded) if (each.index === index) return each.values;
    const values = (
      this.loaded.length === LOADED ? this.loaded.pop()!.values : new this.kind(CHUNK)
    ) as Values<K>;
    this.storage.read(bytesOf(values), held);
    this.loaded.unshift({ index, values });
    return values;
  }

  private more(): void {
    if (this.last.length < CHUNK) {
      const larger = new this.kind(this.last.length * 2) as Values<K>;
      larger.set(this.last);
      this.last = larger;
      return;
    }
    if (this.storage.take(this.last.byteLength)) {
      this.full.push(this.last);
      this.last = new this.kind(CHUNK) as Values<K>;
    } else this.full.push(this.storage.write(bytesOf(this.last)));
    this.filled = 0;
  }
}

function bytesOf(values: Values<Kind>): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Sequences of numbers of any lengths, appended, then read by place. */
export class Records<K extends Kind> {
  private readonly ends: Column<Float64ArrayConstructor>;
  private readonly values: Column<K>;

  constructor(kind: K, storage: Storage) {
    this.ends = new Column(Float64Array, storage);
    this.values = new Column(kind, storage);
  }

  get length(): number {
    return this.ends.length;
  }

  add(values: ArrayLike<number>): void {
    this.values.pushAll(values);
    this.ends.push(this.values.length);
  }

  /** In turn; the file is read a chunk at a time. */
  *[Symbol.iterator](): Generator<Values<K>> {
    let [begin, from] = [0, 0];
    let block = this.values.slice(0, 0);
    for (const end of this.ends) {
      if (end > from + block.length) {
        from = begin;
        block = this.values.slice(from, Math.min(this.values.length, Math.max(end, from + CHUNK)));
      }
      yield block.subarray(begin - from, end - from) as Values<K>;
      begin = end;
    }
  }

  at(place: number): Values<K> {
    if (place === 0) return this.values.slice(0, this.ends.get(0));
    const ends = this.ends.slice(place - 1, place + 1);
    return this.values.slice(ends[0]!, ends[1]!);
  }
}

/** Texts of any lengths, appended, then read by place. */
export class Texts {
  private readonly bytes: Records<Uint8ArrayConstructor>;

  constructor(storage: Storage) {
    this.bytes = new Records(Uint8Array, storage);
  }

  get length(): number {
    return this.bytes.length;
  }

  add(text: string): void {
    this.bytes.add(Buffer.from(text, 'utf8'));
  }

  *[Symbol.iterator](): Generator<string> {
    for (const bytes of this.bytes) yield textOf(bytes);
  }

  at(place: number): string {
    return textOf(this.bytes.at(place));
  }
}

function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
}

/** Things by place that are made when they are read. */
export interface List<T> extends Iterable<T> {
  readonly length: number;
  at(place: number): T;
}

/** Those at these places: in their order, or in that of the file, which is read once, where it does not stand in memory. */
export function* those<T>(list: List<T>, places: ArrayLike<number>, storage: Storage): Generator<T> {
  if (storage.isWhole) {
    for (let index = 0; index < places.length; index++) yield list.at(places[index]!);
    return;
  }
  const wanted = new Uint8Array(list.length);
  for (let index = 0; index < places.length; index++) wanted[places[index]!] = 1;
  let place = 0;
  for (const each of list) if (wanted[place++]) yield each;
}

/** Whole numbers from 0 by place, in memory. */
export type Whole = Uint8Array | Uint16Array | Int32Array;

/** So many numbers in as few bytes as the largest needs; millions of rows have several of them. */
export function wholeNumbers(length: number, of: (place: number) => number): Whole {
  let most = 0;
  for (let place = 0; place < length; place++) most = Math.max(most, of(place));
  const made = new (kindFor(most + 1))(length);
  for (let place = 0; place < length; place++) made[place] = of(place);
  return made;
}

/** The largest, or `least`. */
export function mostOf(numbers: Iterable<number>, least: number): number {
  let most = least;
  for (const own of numbers) if (own > most) most = own;
  return most;
}

/** 0, 1, 2, …; `Int32Array.from` would list them as objects first. */
export function countedTo(length: number): Int32Array {
  const made = new Int32Array(length);
  for (let place = 0; place < length; place++) made[place] = place;
  return made;
}

/** The smallest kind of array that holds these whole numbers. */
export function kindFor(
  most: number,
): Uint8ArrayConstructor | Uint16ArrayConstructor | Int32ArrayConstructor {
  return most <= 0x100 ? Uint8Array : most <= 0x10000 ? Uint16Array : Int32Array;
}
