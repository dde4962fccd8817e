// Makes a queued run: its folder, what was asked, and a first status.
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RunsFolderError } from './errors.ts';
import type { RunRequest, RunStatus } from './format.ts';
import { jsonText, replaceFile } from './json.ts';
import { FILES, FOLDERS, newRunId, runsFolder } from './paths.ts';

/**
 * @returns the absolute folder of the new run
 * @throws RunsFolderError where nothing can be written
 */
export function createRun(
  where: { workspace: string } | { out: string },
  request: Omit<RunRequest, 'format' | 'id' | 'createdAt'>,
): string {
  const parent = 'out' in where ? where.out : runsFolder(where.workspace);
  try {
    mkdirSync(parent, { recursive: true });
    if ('workspace' in where) ignoreInGit(join(where.workspace, '.unroll'));
    return makeRun(parent, request);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === undefined) throw cause;
    throw new RunsFolderError(parent, writeError(parent, cause));
  }
}

/** Node tells a folder it cannot make under a read-only one as missing. */
function writeError(folder: string, cause: unknown): unknown {
  if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') return cause;
  let at = folder;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  try {
    rmdirSync(mkdtempSync(join(at, '.unroll-')));
    return cause;
  } catch (found) {
    return found;
  }
}

function makeRun(parent: string, request: Omit<RunRequest, 'format' | 'id' | 'createdAt'>): string {
  const now = new Date();
  let id = newRunId(request.name, now);
  while (existsSync(join(parent, id))) id = newRunId(request.name, now);
  const folder = join(parent, id);
  mkdirSync(folder);
  mkdirSync(join(folder, FOLDERS.control));
  const full: RunRequest = { format: 1, id, createdAt: now.toISOString(), ...request };
  replaceFile(join(folder, FILES.request), `${jsonText(full, 2)}\n`);
  const status: RunStatus = {
    state: 'queued',
    heartbeat: 0,
    step: 0,
    steps: request.experiment.training.steps,
    eta: null,
    last: {},
    message: null,
  };
  replaceFile(join(folder, FILES.status), jsonText(status));
  return folder;
}

function ignoreInGit(folder: string): void {
  const file = join(folder, '.gitignore');
  if (!existsSync(file)) writeFileSync(file, '*\n');
}
