// Reads `series/<name>.f32` as it grows: fixed-width rows of a uint32 step and `width` float32, little-endian.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { SeriesSidecar } from './format.ts';
import { NotSmallError, readSmall, statIfThere } from './json.ts';
import { FOLDERS } from './paths.ts';
import { checkSidecar } from './validate.ts';

/** Bytes of one series held in memory; beyond it the oldest half of the rows is thinned out. */
const MAX_BYTES = 64e6;
/** Small, so that a reader whose time is up stops soon. */
const CHUNK_BYTES = 262_144;
const MAX_SIDECAR_BYTES = 1e6;

export class SeriesRows {
  readonly sidecar: SeriesSidecar;
  readonly steps: number[] = [];
  readonly rows: Float32Array[] = [];

  constructor(sidecar: SeriesSidecar) {
    this.sidecar = sidecar;
  }
}

export class SeriesTail {
  data: SeriesRows | null = null;
  problem: string | null = null;
  /** there is more to read than the last poll took */
  behind = false;
  private readonly folder: string;
  private readonly name: string;
  private offset = 0;
  /** of the file when it was last looked at */
  private size = -1;

  constructor(runFolder: string, name: string) {
    this.folder = join(runFolder, FOLDERS.series);
    this.name = name;
  }

  /** Forgets all rows: the writer went back. */
  reset(): void {
    this.offset = 0;
    this.behind = false;
    this.size = -1;
    if (this.data) this.data = new SeriesRows(this.data.sidecar);
  }

  /** Reads not much longer than until then. @returns whether there is anything new */
  poll(until: number): boolean {
    if (this.problem) return false;
    if (!this.data && !this.readSidecar()) return false;
    const path = join(this.folder, `${this.name}.f32`);
    const stat = statIfThere(path);
    if (stat?.isFile() && stat.size === this.size && !this.behind) return false;
    this.behind = false;
    if (!stat?.isFile()) return false;
    this.size = stat.size;
    let file: number;
    try {
      file = openSync(path, 'r');
    } catch {
      return false;
    }
    try {
      return this.readRows(file, this.data!, until);
    } finally {
      closeSync(file);
    }
  }

  private readSidecar(): boolean {
    try {
      const text = readSmall(join(this.folder, `${this.name}.json`), MAX_SIDECAR_BYTES);
      if (text === null) return false;
      const checked = checkSidecar(JSON.parse(text));
      if (!checked.ok) return this.refuse(checked.why);
      this.data = new SeriesRows(checked.value);
      return true;
    } catch (cause) {
      if (cause instanceof NotSmallError) return this.refuse(`of its sidecar, ${cause.message}`);
      return this.refuse(
        cause instanceof SyntaxError ? 'its sidecar is not JSON' : 'its sidecar cannot be read',
      );
    }
  }

  private refuse(why: string): false {
    this.problem = `The series "${this.name}" is left out: ${why}.`;
    return false;
  }

  private readRows(file: number, data: SeriesRows, until: number): boolean {
    const rowBytes = 4 + data.sidecar.width * 4;
    const size = fstatSync(file).size;
    if (size < this.offset) {
      this.reset();
      return this.readRows(file, this.data!, until);
    }
    const whole = Math.floor((size - this.offset) / rowBytes);
    if (whole === 0) return false;
    const perChunk = Math.max(1, Math.floor(CHUNK_BYTES / rowBytes));
    const buffer = Buffer.alloc(Math.min(perChunk, whole) * rowBytes);
    let done = 0;
    do {
      const wanted = Math.min(perChunk, whole - done) * rowBytes;
      const read = Math.floor(readSync(file, buffer, 0, wanted, this.offset) / rowBytes);
      this.addRows(data, buffer, read);
      this.offset += read * rowBytes;
      done += read;
      // cut meanwhile: it has another size at the next poll
      if (read * rowBytes < wanted) break;
      this.behind = done < whole;
    } while (this.behind && performance.now() < until);
    this.thin(data);
    return true;
  }

  /** The rows share their memory: a buffer for each would cost many times what reading them does. */
  private addRows(data: SeriesRows, buffer: Buffer, count: number): void {
    const { width } = data.sidecar;
    const values = new Float32Array(count * width);
    const bytes = new Uint8Array(values.buffer);
    for (let row = 0; row < count; row++) {
      const at = row * (4 + width * 4);
      const step = buffer.readUInt32LE(at);
      // a step that goes back is a row of a crashed writer that its successor wrote again
      while (data.steps.length > 0 && data.steps.at(-1)! >= step) {
        data.steps.pop();
        data.rows.pop();
      }
      bytes.set(buffer.subarray(at + 4, at + 4 + width * 4), row * width * 4);
      data.steps.push(step);
      data.rows.push(values.subarray(row * width, (row + 1) * width));
    }
  }

  private thin(data: SeriesRows): void {
    const { steps, rows, sidecar } = data;
    while (rows.length * sidecar.width * 4 > MAX_BYTES && rows.length > 2) {
      const half = rows.length >> 1;
      const isKept = (_: unknown, index: number) => index % 2 === 0;
      const keptSteps = steps.slice(0, half).filter(isKept);
      const keptRows = together(rows.slice(0, half).filter(isKept), sidecar.width);
      replaceFirst(steps, half, keptSteps);
      replaceFirst(rows, half, keptRows);
    }
  }
}

/** In memory of their own: a row holds on to that of its neighbours. */
function together(rows: readonly Float32Array[], width: number): Float32Array[] {
  const values = new Float32Array(rows.length * width);
  return rows.map((row, index) => {
    values.set(row, index * width);
    return values.subarray(index * width, (index + 1) * width);
  });
}

/** As `splice`, which takes no more than an argument list may hold. */
function replaceFirst<T>(list: T[], count: number, by: readonly T[]): void {
  list.copyWithin(by.length, count);
  list.length -= count - by.length;
  by.forEach((value, index) => {
    list[index] = value;
  });
}
