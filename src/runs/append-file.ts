// A file that only grows: torn ends are cut off when it is opened, and a write that fails half-way is undone.
import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { RunFolderGoneError, understood } from './errors.ts';

export class AppendFile {
  private readonly runFolder: string;
  private readonly file: number;
  private size: number;
  private readonly lookMilliseconds: number;
  private lookedAt = Number.NEGATIVE_INFINITY;

  /**
   * `wholeLength` says how many of the bytes that are there are complete; the rest is cut off. For so long as
   * `lookMilliseconds` a file that was deleted may be written to unnoticed: asking costs as much as writing.
   */
  constructor(
    runFolder: string,
    path: string,
    wholeLength: (file: number, size: number) => number,
    lookMilliseconds = 0,
  ) {
    this.runFolder = runFolder;
    this.lookMilliseconds = lookMilliseconds;
    this.file = openSync(path, existsSync(path) ? 'r+' : 'w+');
    const { size } = fstatSync(this.file);
    this.size = wholeLength(this.file, size);
    if (this.size < size) ftruncateSync(this.file, this.size);
  }

  append(bytes: Uint8Array): void {
    this.lookWhetherGone();
    try {
      for (let done = 0; done < bytes.length; ) done += writeAt(this.file, bytes, done, this.size + done);
      this.size += bytes.length;
    } catch (cause) {
      ftruncateSync(this.file, this.size);
      throw understood(cause, this.runFolder);
    }
  }

  close(): void {
    closeSync(this.file);
  }

  private lookWhetherGone(): void {
    const now = performance.now();
    if (now - this.lookedAt < this.lookMilliseconds) return;
    this.lookedAt = now;
    if (fstatSync(this.file).nlink === 0) throw new RunFolderGoneError(this.runFolder);
  }
}

function writeAt(file: number, bytes: Uint8Array, from: number, position: number): number {
  return writeSync(file, bytes, from, bytes.length - from, position);
}

export function lengthOfWholeLines(file: number, size: number): number {
  const chunk = Buffer.alloc(65_536);
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - chunk.length);
    const read = readSync(file, chunk, 0, end - from, from);
    const newline = chunk.subarray(0, read).lastIndexOf(10);
    if (newline >= 0) return from + newline + 1;
    end = from;
  }
  return 0;
}

/** Whether a file can be rows of this size: their steps rise. */
export function isRows(path: string, rowBytes: number): boolean {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const cell = Buffer.alloc(4);
    let last = -1;
    for (let at = 0; at + rowBytes <= size; at += rowBytes) {
      readSync(file, cell, 0, 4, at);
      const step = cell.readUInt32LE(0);
      if (step <= last || step > 1e9) return false;
      last = step;
    }
    return size >= rowBytes;
  } finally {
    closeSync(file);
  }
}

/** Cuts rows that begin with a greater step. */
export function cutRows(path: string, rowBytes: number, step: number): void {
  const file = openSync(path, 'r+');
  try {
    const cell = Buffer.alloc(4);
    let rows = Math.floor(fstatSync(file).size / rowBytes);
    while (rows > 0) {
      readSync(file, cell, 0, 4, (rows - 1) * rowBytes);
      if (cell.readUInt32LE(0) <= step) break;
      rows--;
    }
    ftruncateSync(file, rows * rowBytes);
  } finally {
    closeSync(file);
  }
}
