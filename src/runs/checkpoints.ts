// Checkpoints of a run: `checkpoints/<step>/`, written under another name, synced and renamed; best and last are kept.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readSmall, renameWithRetry, replaceFile, writeAll } from './json.ts';
import { FOLDERS, makeFolder, namesIn } from './paths.ts';

const TEMPORARY = '.tmp-';
/** a checkpoint that only waits for the older one of its step to go */
const COMPLETE = '.new-';
const BEST = 'best.json';

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
    for (const [name, bytes] of files) writeSynced(join(temporary, name), bytes);
    syncFolder(temporary);
    putInPlace(parent, temporary, step);
    if (best) replaceFile(join(parent, BEST), JSON.stringify({ step }), true);
  } catch (cause) {
    rmSync(temporary, { recursive: true, force: true });
    throw cause;
  }
  const kept = [step, bestCheckpoint(folder)?.step];
  for (const other of checkpointSteps(parent))
    if (!kept.includes(other)) rmSync(join(parent, String(other)), { recursive: true, force: true });
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
