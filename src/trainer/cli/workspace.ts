// Where a command line works: the workspace of an experiment file, its data, and runs by folder or id.
import { existsSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Experiment } from '../../experiment/schema.ts';
import { taskOf } from '../../experiment/tasks/index.ts';
import { isRunId, runsFolder } from '../../runs/paths.ts';
import { DataError } from '../data/errors.ts';
import { locateData } from '../data/locate.ts';
import { CommandError } from './exit.ts';

const MARKS = ['.unroll', '.git', '.vscode'];

export interface Place {
  /** folder of the experiment file: data paths are relative to it */
  base: string;
  workspace: string;
  allowedPaths: string[];
}

export function placeOf(
  file: string,
  options: { workspace?: string | undefined; allowPaths: string[] },
): Place {
  const base = path.dirname(realpathSync(file));
  const workspace = options.workspace ? folder('--workspace', options.workspace) : nearestMarked(base);
  return { base, workspace, allowedPaths: options.allowPaths.map(dir => folder('--allow-path', dir)) };
}

function folder(option: string, dir: string): string {
  if (!existsSync(dir)) throw new CommandError(`${option}: there is no folder ${dir}.`);
  if (!statSync(dir).isDirectory()) throw new CommandError(`${option}: ${dir} is not a folder.`);
  return realpathSync(dir);
}

/** The nearest folder above with .unroll, .git or .vscode, else the folder itself. */
export function nearestMarked(start: string): string {
  for (let at = start; ; at = path.dirname(at)) {
    if (MARKS.some(mark => existsSync(path.join(at, mark)))) return at;
    if (path.dirname(at) === at) return start;
  }
}

/** A sentence if the data file of an experiment cannot be what is meant; null if it may be read, or nothing is. */
export function dataFault({ data }: Experiment, place: Place): string | null {
  if (!('path' in data)) return null;
  try {
    locateData(data.path, place, ['table', 'arrays'].includes(taskOf(data).reads));
    return null;
  } catch (error) {
    if (error instanceof DataError) return error.message;
    throw error;
  }
}

/** A run by its folder, or by its id in the workspace of the current folder. */
export function findRun(name: string): string {
  const byId = path.join(runsFolder(nearestMarked(process.cwd())), name);
  for (const candidate of isRunId(name) ? [path.resolve(name), byId] : [path.resolve(name)]) {
    if (!existsSync(candidate)) continue;
    if (['run.json', 'request.json'].some(file => existsSync(path.join(candidate, file)))) return candidate;
    throw new CommandError(`${name} is not a run: a run folder holds run.json or request.json.`);
  }
  throw new CommandError(
    isRunId(name)
      ? `There is no run ${name} here or in ${path.dirname(byId)}.`
      : `There is no run folder ${name}.`,
  );
}
