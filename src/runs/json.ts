// Numbers that JSON cannot hold, and files that are replaced whole.
import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import type { JsonNumber } from './format.ts';

export function toJsonNumber(value: number): JsonNumber {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

/** NaN for anything that is not one of the four forms. */
export function fromJsonNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  return value === '-Infinity' ? Number.NEGATIVE_INFINITY : Number.NaN;
}

/** Stands for -0 until the text is made; JSON itself writes 0 for it. */
const NEGATIVE_ZERO = '\ue000-0\ue000';

function safeNumber(_key: string, value: unknown): unknown {
  if (typeof value !== 'number') return value;
  return Object.is(value, -0) ? NEGATIVE_ZERO : toJsonNumber(value);
}

/** Whether there is a number in it for which JSON alone writes another one. */
function holdsSpecial(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value) || Object.is(value, -0);
  if (typeof value !== 'object' || value === null) return false;
  for (const key in value) if (holdsSpecial((value as Record<string, unknown>)[key])) return true;
  return false;
}

/**
 * JSON for a file of a run folder: NaN and the infinities as texts, for which JSON alone writes null, and -0 as it is.
 * Every file is written by it (a test looks). Number by number it is slow: only where there is one of them.
 */
export function jsonText(value: unknown, indent?: number): string {
  if (!holdsSpecial(value)) return JSON.stringify(value, null, indent);
  return JSON.stringify(value, safeNumber, indent).replaceAll(`"${NEGATIVE_ZERO}"`, '-0');
}

const SHARING_ERRORS = new Set(['EPERM', 'EBUSY', 'EACCES']);
const RETRY_MILLISECONDS = 2000;

/** Renames over what stands there; sharing errors (a reader on Windows, a virus scanner) are retried for 2 s. */
export function renameWithRetry(from: string, to: string): void {
  const until = Date.now() + RETRY_MILLISECONDS;
  for (;;)
    try {
      renameSync(from, to);
      return;
    } catch (cause) {
      if (!SHARING_ERRORS.has((cause as NodeJS.ErrnoException).code ?? '') || Date.now() > until) throw cause;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
}

/** Readers see the old file or the new one, never a part. `sync` also makes it survive a power cut. */
export function replaceFile(path: string, content: string | Uint8Array, sync = false): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, 'w');
    try {
      writeAll(file, typeof content === 'string' ? Buffer.from(content) : content);
      if (sync) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // a folder in its place is kept under another name
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory())
      renameWithRetry(path, `${path}.before-${Date.now()}`);
    renameWithRetry(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw cause;
  }
}

export function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

/** null where nothing can be reached: no file, or a link that leads back to itself. */
export function statIfThere(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

/** @returns null if there is no such file; throws for what is no ordinary file or too large, such as a link to a device */
export function readSmall(path: string, maxBytes: number): string | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return null;
  if (!stat.isFile()) throw new NotSmallError('it is no ordinary file');
  if (stat.size > maxBytes) throw new NotSmallError(`it is larger than ${maxBytes / 1e6} MB`);
  return readFileSync(path, 'utf8');
}

/** The message is the rest of a sentence: "… is left out: it is no ordinary file." */
export class NotSmallError extends Error {}
