// A private copy of the engine for the workers, so that an update of the extension does not pull the floor
// from under a run that outlives it.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

const ENTRY = 'unroll.mjs';
const USERS = '.users';

/** @returns the folder of the copy, made if it is not there yet */
export async function copyEngine(source: string, storage: string, version: string): Promise<string> {
  const hash = await fingerprint(source);
  const folder = join(storage, `${version}-${hash}`);
  if (existsSync(join(folder, ENTRY))) return folder;
  const temporary = join(storage, `.tmp-${process.pid}-${hash}`);
  await mkdir(storage, { recursive: true });
  await rm(temporary, { recursive: true, force: true });
  await cp(source, temporary, { recursive: true, filter: isCopied });
  await rename(temporary, folder).catch(async cause => {
    // another window made the same copy first
    await rm(temporary, { recursive: true, force: true });
    if (!existsSync(join(folder, ENTRY))) throw cause;
  });
  return folder;
}

/** Of all that is copied: kernels may change where the code does not. */
async function fingerprint(source: string): Promise<string> {
  const hash = createHash('sha256');
  const names = (await readdir(source, { recursive: true })).filter(isCopied).sort();
  for (const name of names) {
    if ((await stat(join(source, name))).isFile())
      hash.update(name).update(await readFile(join(source, name)));
  }
  return hash.digest('hex').slice(0, 12);
}

function isCopied(name: string): boolean {
  return !name.endsWith('.map');
}

/** Notes that this process runs from the copy. */
export async function noteUser(engine: string, pid: number): Promise<void> {
  await mkdir(join(engine, USERS), { recursive: true });
  await writeFile(join(engine, USERS, `${hostname()}-${pid}`), '');
}

/** Removes copies other than `keep` from which nothing runs any more. */
export async function removeOldEngines(storage: string, keep: string): Promise<void> {
  for (const name of await readdir(storage).catch(() => [])) {
    const folder = join(storage, name);
    if (folder === keep || (await isUsed(folder))) continue;
    await rm(folder, { recursive: true, force: true });
  }
}

/** A process of another machine, on a shared home, counts as living. */
async function isUsed(engine: string): Promise<boolean> {
  const own = `${hostname()}-`;
  for (const user of await readdir(join(engine, USERS)).catch(() => [])) {
    if (!user.startsWith(own)) return true;
    try {
      process.kill(Number(user.slice(own.length)), 0);
      return true;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EPERM') return true;
    }
  }
  return false;
}
