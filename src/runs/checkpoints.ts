// Checkpoints of a run: `checkpoints/<step>/`, written under another name, synced and renamed; best and last are kept.
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { jsonText, readSmall, renameWithRetry, replaceFile, writeAll } from './json.ts';
import { FOLDERS, makeFolder, namesIn } from './paths.ts';
import { whyOf } from './system-errors.ts';

const TEMPORARY = '.tmp-';
/** a checkpoint that only waits for the older one of its step to go */
const COMPLETE = '.new-';
const BEST = 'best.json';
/** size and SHA-1 of each file as it was written; version 0.1.0 wrote none */
const CHECKSUMS = 'checksums.json';
const ASIDE = '.before-';

export interface Checkpoint {
  step: number;
  folder: string;
  files: string[];
}

export function writeCheckpoint(
  folder: string,
  step: number,
  files: ReadonlyMap<string, Uint8Array>,
  { best }: { best: boolean },
): void {
  const parent = join(folder, FOLDERS.checkpoints);
  const temporary = join(parent, `${TEMPORARY}${step}`);
  try {
    makeFolder(parent);
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary);
    const own = [...files].filter(([name]) => name !== CHECKSUMS);
    for (const [name, bytes] of own) writeSynced(join(temporary, name), bytes);
    writeSynced(join(temporary, CHECKSUMS), Buffer.from(checksumsOf(own)));
    syncFolder(temporary);
    putInPlace(parent, temporary, step);
    if (best) replaceFile(join(parent, BEST), jsonText({ step }), true);
  } catch (cause) {
    rmSync(temporary, { recursive: true, force: true });
    throw cause;
  }
  const kept = [step, bestCheckpoint(folder)?.step];
  for (const other of checkpointSteps(parent))
    if (!kept.includes(other)) rmSync(join(parent, String(other)), { recursive: true, force: true });
}

function checksumsOf(files: readonly [string, Uint8Array][]): string {
  const sums = files.map(([name, bytes]) => [name, { bytes: bytes.length, sha1: sha1(bytes) }]);
  return `${jsonText(Object.fromEntries(sums), 2)}\n`;
}

function sha1(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}

/** What is not as it was written, as the end of a sentence; null: nothing. Reads its files, or `only` those. */
export function damageOf({ folder }: Checkpoint, only?: readonly string[]): string | null {
  let sums: Record<string, { bytes?: unknown; sha1?: unknown } | null> | null;
  try {
    sums = JSON.parse(readSmall(join(folder, CHECKSUMS), 1e6) ?? 'null');
  } catch {
    return `${CHECKSUMS} cannot be read`;
  }
  for (const [name, sum] of Object.entries(sums ?? {})) {
    if (only && !only.includes(name)) continue;
    if (typeof sum?.bytes !== 'number' || typeof sum.sha1 !== 'string')
      return `${CHECKSUMS} does not say what was written as ${name}`;
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(join(folder, name.replace(/[/\\]/g, '')));
    } catch (cause) {
      return `${name} cannot be read: ${whyOf(cause)}`;
    }
    if (bytes.length !== sum.bytes) return `${name} has ${bytes.length} bytes, ${sum.bytes} were written`;
    if (sha1(bytes) !== sum.sha1) return `${name} is not what was written`;
  }
  return null;
}

/** All complete checkpoints, newest first. */
export function checkpointsOf(folder: string): Checkpoint[] {
  const parent = join(folder, FOLDERS.checkpoints);
  return checkpointSteps(parent)
    .sort((a, b) => b - a)
    .map(step => checkpointAt(parent, step));
}

/** Out of the way of the checkpoints that follow, and not lost. */
export function setAside({ folder, step }: Checkpoint): string {
  const aside = join(dirname(folder), `${ASIDE}${step}`);
  rmSync(aside, { recursive: true, force: true });
  renameWithRetry(folder, aside);
  return aside;
}

/** The newest complete checkpoint. */
export function latestCheckpoint(folder: string): Checkpoint | null {
  const parent = join(folder, FOLDERS.checkpoints);
  const step = Math.max(-1, ...checkpointSteps(parent));
  return step < 0 ? null : checkpointAt(parent, step);
}

/** The checkpoint of the best validation loss, if one was marked. */
export function bestCheckpoint(folder: string): Checkpoint | null {
  const parent = join(folder, FOLDERS.checkpoints);
  try {
    const { step } = JSON.parse(readSmall(join(parent, BEST), 10_000) ?? 'null') as { step: number };
    return checkpointSteps(parent).includes(step) ? checkpointAt(parent, step) : null;
  } catch {
    return null;
  }
}

function checkpointAt(parent: string, step: number): Checkpoint {
  const folder = join(parent, String(step));
  return { step, folder, files: readdirSync(folder).sort() };
}

function checkpointSteps(parent: string): number[] {
  return namesIn(parent)
    .filter(name => /^\d{1,10}$/.test(name))
    .filter(name => statSync(join(parent, name), { throwIfNoEntry: false })?.isDirectory())
    .map(Number);
}

function writeSynced(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'w');
  try {
    writeAll(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Renamed into place; a checkpoint of the same step goes only when its successor is complete. */
function putInPlace(parent: string, temporary: string, step: number): void {
  const final = join(parent, String(step));
  if (existsSync(final)) {
    const complete = join(parent, `${COMPLETE}${step}`);
    renameWithRetry(temporary, complete);
    rmSync(final, { recursive: true, force: true });
    renameWithRetry(complete, final);
  } else renameWithRetry(temporary, final);
  syncFolder(parent);
}

/** Makes renames survive a power cut, where folders can be synced. */
function syncFolder(folder: string): void {
  try {
    const file = openSync(folder, 'r');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch {
    // Windows opens no folders
  }
}

/** Finishes or removes what a crashed writer left half-made. */
export function tidyCheckpoints(folder: string): void {
  const parent = join(folder, FOLDERS.checkpoints);
  for (const name of namesIn(parent)) {
    if (name.startsWith(COMPLETE)) {
      const final = join(parent, name.slice(COMPLETE.length));
      rmSync(final, { recursive: true, force: true });
      renameWithRetry(join(parent, name), final);
    } else if (name.startsWith(TEMPORARY) || name.endsWith('.tmp'))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}
