// Reads `series/<name>.f32` as it grows: fixed-width rows of a uint32 step and `width` float32, little-endian.
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SeriesSidecar } from './format.ts';
import { NotSmallError, readSmall } from './json.ts';
import { FOLDERS } from './paths.ts';
import { checkSidecar } from './validate.ts';

/** Bytes of one series held in memory; beyond it the oldest half of the rows is thinned out. */
const MAX_BYTES = 64e6;
const CHUNK_BYTES = 8e6;
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
    this.size = -1;
    if (this.data) this.data = new SeriesRows(this.data.sidecar);
  }

  /** @returns whether there is anything new */
  poll(): boolean {
    if (this.problem) return false;
    if (!this.data && !this.readSidecar()) return false;
    const path = join(this.folder, `${this.name}.f32`);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat?.isFile() || stat.size === this.size) return false;
    this.size = stat.size;
    let file: number;
    try {
      file = openSync(path, 'r');
    } catch {
      return false;
    }
    try {
      return this.readRows(file, this.data!);
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

  private readRows(file: number, data: SeriesRows): boolean {
    const rowBytes = 4 + data.sidecar.width * 4;
    const size = fstatSync(file).size;
    if (size < this.offset) {
      this.reset();
      return this.readRows(file, this.data!);
    }
    const whole = Math.floor((size - this.offset) / rowBytes);
    if (whole === 0) return false;
    const perChunk = Math.max(1, Math.floor(CHUNK_BYTES / rowBytes));
    for (let done = 0; done < whole; done += perChunk) {
      const count = Math.min(perChunk, whole - done);
      const buffer = Buffer.alloc(count * rowBytes);
      const read = readSync(file, buffer, 0, buffer.length, this.offset);
      for (let row = 0; row < Math.floor(read / rowBytes); row++) this.addRow(data, buffer, row * rowBytes);
      this.offset += Math.floor(read / rowBytes) * rowBytes;
      if (read < buffer.length) break;
    }
    this.thin(data);
    return true;
  }

  private addRow(data: SeriesRows, buffer: Buffer, at: number): void {
    const step = buffer.readUInt32LE(at);
    // a step that goes back is a row of a crashed writer that its successor wrote again
    while (data.steps.length > 0 && data.steps.at(-1)! >= step) {
      data.steps.pop();
      data.rows.pop();
    }
    const bytes = buffer.subarray(at + 4, at + 4 + data.sidecar.width * 4);
    data.steps.push(step);
    data.rows.push(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
  }

  private thin(data: SeriesRows): void {
    while (data.rows.length * data.sidecar.width * 4 > MAX_BYTES && data.rows.length > 2) {
      const half = data.rows.length >> 1;
      const keep = (_: unknown, index: number) => index >= half || index % 2 === 0;
      const steps = data.steps.filter(keep);
      const rows = data.rows.filter(keep);
      data.steps.splice(0, data.steps.length, ...steps);
      data.rows.splice(0, data.rows.length, ...rows);
    }
  }
}
