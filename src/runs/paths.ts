// Names and places of run folders and of the files in them.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export const FILES = {
  request: 'request.json',
  run: 'run.json',
  events: 'events.jsonl',
  status: 'status.json',
  writer: 'writer.json',
  label: 'label.json',
  log: 'worker.log',
} as const;

export const FOLDERS = { series: 'series', checkpoints: 'checkpoints', control: 'control' } as const;

export function runsFolder(workspace: string): string {
  return join(workspace, '.unroll', 'runs');
}

/** `20261121T035600Z-<slug, at most 40>-<short hash>`: sorts by time and is legal on every system. */
export function newRunId(name: string, now: Date): string {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return `${time}-${slug || 'run'}-${randomBytes(3).toString('hex')}`;
}

const RUN_ID = /^\d{8}T\d{6}Z-[a-z0-9-]{1,40}-[0-9a-f]{6}$/;

export function isRunId(name: string): boolean {
  return RUN_ID.test(name);
}

/** Empty if the folder is not there. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Only the folder itself: a run folder that was deleted must not come back half. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  }
}
