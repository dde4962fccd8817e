// The folder of compiled engines, shared by all clones and worktrees of one person: each part is named by a digest of
// all that made it, so that what one of them has compiled serves the others.
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Below the person's cache, or where that cannot be written below node_modules. */
export function buildCache(name) {
  const shared = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'unroll', name);
  try {
    mkdirSync(shared, { recursive: true });
    return shared;
  } catch {
    const own = path.join(root, 'node_modules/.cache/unroll', name);
    mkdirSync(own, { recursive: true });
    return own;
  }
}

/** Removes all but the newest entries. */
export function keepNewest(folder, count) {
  const entries = readdirSync(folder).filter(name => !name.endsWith('.lock'));
  const age = name => statSync(path.join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const oldest = entries.sort((a, b) => age(b) - age(a)).slice(count);
  for (const name of oldest) rmSync(path.join(folder, name), { recursive: true, force: true });
}
