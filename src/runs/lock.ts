// One writer a run: writer.json is made exclusively, and taken over only from a process that is gone.
//
// A takeover needs a claim, a file named after the content of the writer.json that is to be replaced and made
// exclusively. Whoever holds it looks again whether that content still stands; no two processes can hold the claim
// to one content, and no content ever comes back, so that of any number of rivals exactly one becomes the writer.
import { createHash, randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { RunBusyError } from './errors.ts';
import type { WriterFile } from './format.ts';
import { jsonText, renameWithRetry, replaceFile } from './json.ts';
import { FILES } from './paths.ts';
import { isAlive, thisWriter } from './process.ts';
import { checkWriter } from './validate.ts';

const NO_LINKS = new Set(['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'UNKNOWN']);
/** Rivals that come and go between two looks; more than a few is no chance. */
const ATTEMPTS = 20;

/**
 * @returns the content of the writer.json that is now ours, for `releaseWriter`
 * @throws RunBusyError naming the process that holds the run
 */
export function acquireWriter(folder: string, force = false): string {
  const own = ownContent();
  const path = join(folder, FILES.writer);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (createExclusively(path, own)) return own;
    const content = readText(path);
    if (content === null) continue;
    if (content === '' && attempt < ATTEMPTS / 2) {
      // in the making, where there are no hard links
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      continue;
    }
    requireDead(folder, content, force);
    if (takeOver(folder, path, content, own, force)) return own;
  }
  throw new RunBusyError(folder, thisWriter(), false);
}

export function releaseWriter(folder: string, own: string): void {
  const path = join(folder, FILES.writer);
  if (readText(path) === own) rmSync(path, { force: true });
}

/** Never the same twice, so that what is read of a dead writer cannot come back. */
function ownContent(): string {
  return jsonText({ ...thisWriter(), nonce: randomBytes(8).toString('hex') });
}

function takeOver(folder: string, path: string, content: string, own: string, force: boolean): boolean {
  const claim = claimOf(folder, path, content);
  if (!createExclusively(claim, own)) {
    const rival = readText(claim);
    if (rival === null) return false;
    requireDead(folder, rival, force);
    // the rival died between claim and takeover: its claim is taken over in the same way
    if (takeOver(folder, claim, rival, own, force)) rmSync(claim, { force: true });
    return false;
  }
  try {
    if (readText(path) !== content) return false;
    replaceFile(path, own);
    return true;
  } finally {
    rmSync(claim, { force: true });
  }
}

function claimOf(folder: string, path: string, content: string): string {
  const hash = createHash('sha256')
    .update(`${basename(path)} ${content}`)
    .digest('hex')
    .slice(0, 16);
  return join(folder, `.claim-${hash}`);
}

/** A file that cannot be read as a writer's is of nobody. */
function requireDead(folder: string, content: string, force: boolean): void {
  const holder = parseWriter(content);
  if (!holder) return;
  const alive = isAlive(holder);
  if (alive === true || (alive === null && !force)) throw new RunBusyError(folder, holder, alive === null);
}

function parseWriter(content: string): WriterFile | null {
  try {
    const checked = checkWriter(JSON.parse(content));
    return checked.ok ? checked.value : null;
  } catch {
    return null;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw cause;
  }
}

/** Complete at the moment it appears, where the file system has hard links. */
function createExclusively(path: string, content: string): boolean {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  try {
    linkSync(temporary, path);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (!NO_LINKS.has(code ?? '')) throw cause;
    return createWithoutLinks(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function createWithoutLinks(temporary: string, path: string): boolean {
  try {
    writeFileSync(path, '', { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
  renameWithRetry(temporary, path);
  return true;
}
