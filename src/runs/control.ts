// Requests to a worker: empty files, made by rename so that none is ever seen half-made.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BadRunError } from './errors.ts';
import type { ControlRequest } from './format.ts';
import { FOLDERS } from './paths.ts';

const REQUESTS: readonly ControlRequest[] = ['stop', 'pause', 'resume', 'checkpoint', 'probe'];

/** The later of two requests that undo each other is meant. */
const OPPOSITES: Readonly<Partial<Record<ControlRequest, ControlRequest>>> = {
  pause: 'resume',
  resume: 'pause',
};

/** @throws BadRunError if the run folder is gone */
export function requestControl(folder: string, request: ControlRequest): void {
  if (!existsSync(folder)) throw new BadRunError(`The run folder ${folder} is gone.`);
  const control = join(folder, FOLDERS.control);
  mkdirSync(control, { recursive: true });
  const temporary = join(control, `.tmp-${process.pid}-${request}`);
  writeFileSync(temporary, '');
  const opposite = OPPOSITES[request];
  if (opposite) rmSync(join(control, opposite), { force: true });
  renameSync(temporary, join(control, request));
}

/** Lists and removes what stands there. */
export function consumeControl(folder: string): ControlRequest[] {
  const control = join(folder, FOLDERS.control);
  let names: string[];
  try {
    names = readdirSync(control);
  } catch {
    return [];
  }
  const found = REQUESTS.filter(request => names.includes(request));
  for (const request of found) rmSync(join(control, request), { force: true });
  return found;
}
