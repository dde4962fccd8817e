// task.json: what using a trained model takes. A run folder is untrusted, so it is checked here.
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { BadRunError } from '../../runs/errors.ts';
import { readSmall } from '../../runs/json.ts';
import { whyNotRead } from '../../runs/system-errors.ts';
import { artifactSchema, faultOf, type TaskArtifact } from './index.ts';

const MAX_BYTES = 64e6;

/** null for a run that has not begun, or whose task.json is lost. @throws BadRunError where it says what cannot be */
export function artifactIfThere(folder: string): TaskArtifact | null {
  return isArtifactLost(folder) ? null : readArtifact(folder);
}

/** Whether there is none, or one that was emptied, cut off, or replaced by a folder or a link that leads nowhere. */
export function isArtifactLost(folder: string): boolean {
  const path = join(folder, 'task.json');
  if (!existsSync(path) || lstatSync(path).isDirectory()) return true;
  try {
    JSON.parse(readSmall(path, MAX_BYTES) ?? '');
    return false;
  } catch (cause) {
    return cause instanceof SyntaxError;
  }
}

/** @throws BadRunError */
export function readArtifact(folder: string): TaskArtifact {
  const fail = (why: string) => new BadRunError(`The run ${folder} has no usable task.json: ${why}.`);
  let json: unknown;
  try {
    const text = readSmall(join(folder, 'task.json'), MAX_BYTES);
    if (text === null) throw fail('it is missing');
    json = JSON.parse(text);
  } catch (cause) {
    if (cause instanceof BadRunError) throw cause;
    throw fail(cause instanceof SyntaxError ? 'it is not JSON' : whyNotRead(cause));
  }
  const checked = artifactSchema.safeParse(json);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw fail(`${issue?.path.join('.') || 'it'} is not valid`);
  }
  const { data } = checked;
  const fault = faultOf(data);
  if (fault) throw fail(fault);
  return data;
}
