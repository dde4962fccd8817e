// Makes a queued run: its folder, what was asked, and a first status.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRequest, RunStatus } from './format.ts';
import { replaceFile } from './json.ts';
import { FILES, FOLDERS, newRunId, runsFolder } from './paths.ts';

/**
 * @returns the absolute folder of the new run
 * @throws the file system's error when the folder cannot be written
 */
export function createRun(
  where: { workspace: string } | { out: string },
  request: Omit<RunRequest, 'format' | 'id' | 'createdAt'>,
): string {
  const parent = 'out' in where ? where.out : runsFolder(where.workspace);
  mkdirSync(parent, { recursive: true });
  if ('workspace' in where) ignoreInGit(join(where.workspace, '.unroll'));
  const now = new Date();
  let id = newRunId(request.name, now);
  while (existsSync(join(parent, id))) id = newRunId(request.name, now);
  const folder = join(parent, id);
  mkdirSync(folder);
  mkdirSync(join(folder, FOLDERS.control));
  const full: RunRequest = { format: 1, id, createdAt: now.toISOString(), ...request };
  replaceFile(join(folder, FILES.request), `${JSON.stringify(full, null, 2)}\n`);
  const status: RunStatus = {
    state: 'queued',
    heartbeat: 0,
    step: 0,
    steps: request.experiment.training.steps,
    eta: null,
    last: {},
    message: null,
  };
  replaceFile(join(folder, FILES.status), JSON.stringify(status));
  return folder;
}

function ignoreInGit(folder: string): void {
  const file = join(folder, '.gitignore');
  if (!existsSync(file)) writeFileSync(file, '*\n');
}
