// One writer a run: writer.json is made exclusively, and taken over only from a process that is gone.
import { linkSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunBusyError } from './errors.ts';
import { renameWithRetry } from './json.ts';
import { readWriter } from './life.ts';
import { FILES } from './paths.ts';
import { isAlive, thisWriter } from './process.ts';

const TAKEOVER = '.takeover';
const STALE_TAKEOVER_MILLISECONDS = 10_000;

/** @throws RunBusyError naming the process that holds the run */
export function acquireWriter(folder: string, force = false): void {
  if (createExclusively(folder)) return;
  const guard = join(folder, TAKEOVER);
  // two processes that both find a dead writer must not both take its place
  try {
    mkdirSync(guard);
  } catch {
    if (Date.now() - modified(guard) < STALE_TAKEOVER_MILLISECONDS) throw busy(folder);
  }
  try {
    const holder = readWriter(folder);
    if (holder) {
      const alive = isAlive(holder);
      if (alive === true || (alive === null && !force)) throw busy(folder);
    }
    rmSync(join(folder, FILES.writer), { force: true });
    if (!createExclusively(folder)) throw busy(folder);
  } finally {
    try {
      rmdirSync(guard);
    } catch {
      // somebody else has tidied up
    }
  }
}

export function releaseWriter(folder: string): void {
  const holder = readWriter(folder);
  if (holder?.pid === process.pid && holder.host === thisWriter().host)
    rmSync(join(folder, FILES.writer), { force: true });
}

function busy(folder: string): RunBusyError {
  const holder = readWriter(folder) ?? thisWriter();
  return new RunBusyError(folder, holder, isAlive(holder) === null);
}

/** Complete at the moment it appears, where the file system has hard links. */
function createExclusively(folder: string): boolean {
  const path = join(folder, FILES.writer);
  const content = JSON.stringify(thisWriter());
  const temporary = join(folder, `.writer-${process.pid}.tmp`);
  writeFileSync(temporary, content);
  try {
    linkSync(temporary, path);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    return createWithoutLinks(temporary, path, content);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function createWithoutLinks(temporary: string, path: string, content: string): boolean {
  try {
    writeFileSync(path, '', { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
  renameWithRetry(temporary, path);
  return readFileSync(path, 'utf8') === content;
}

function modified(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
