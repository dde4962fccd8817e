// task.json: what using a trained model takes. A run folder is untrusted, so it is checked here.
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { BadRunError } from '../../runs/errors.ts';
import { readSmall } from '../../runs/json.ts';
import { whyNotRead } from '../../runs/system-errors.ts';
import { artifactSchema, faultOf, type TaskArtifact } from './index.ts';

const MAX_BYTES = 64e6;

/** No file, or one that was emptied, cut off, or replaced by a folder or a link that leads nowhere. */
const LOST = Symbol('lost');

/** null for a run that has not begun, or whose task.json is lost. @throws BadRunError where it says what cannot be */
export function artifactIfThere(folder: string): TaskArtifact | null {
  const json = jsonIn(folder);
  return json === LOST ? null : checked(folder, json);
}

/** What cannot be read for another reason is not lost. */
export function isArtifactLost(folder: string): boolean {
  try {
    return jsonIn(folder) === LOST;
  } catch (cause) {
    if (cause instanceof BadRunError) return false;
    throw cause;
  }
}

/** @throws BadRunError */
export function readArtifact(folder: string): TaskArtifact {
  const json = jsonIn(folder);
  if (json !== LOST) return checked(folder, json);
  throw unusable(folder, existsSync(join(folder, 'task.json')) ? 'it is not JSON' : 'it is missing');
}

/** LOST where it can be made again. @throws BadRunError */
function jsonIn(folder: string): unknown {
  const path = join(folder, 'task.json');
  if (!existsSync(path) || lstatSync(path).isDirectory()) return LOST;
  try {
    return JSON.parse(readSmall(path, MAX_BYTES) ?? '');
  } catch (cause) {
    if (cause instanceof SyntaxError) return LOST;
    throw unusable(folder, whyNotRead(cause));
  }
}

function unusable(folder: string, why: string): BadRunError {
  return new BadRunError(`The run ${folder} has no usable task.json: ${why}.`);
}

function checked(folder: string, json: unknown): TaskArtifact {
  const fail = (why: string) => unusable(folder, why);
  const parsed = artifactSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw fail(`${issue?.path.join('.') || 'it'} is not valid`);
  }
  const { data } = parsed;
  const fault = faultOf(data);
  if (fault) throw fail(fault);
  return data;
}
