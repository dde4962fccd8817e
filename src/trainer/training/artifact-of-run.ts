// task.json of a run, written once and made again of the run's own data where it is lost.
import { lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BadRunError } from '../../runs/errors.ts';
import type { RunFile } from '../../runs/format.ts';
import { jsonText, renameWithRetry, replaceFile } from '../../runs/json.ts';
import { DataError } from '../data/errors.ts';
import { isArtifactLost } from '../tasks/artifact.ts';
import type { Task } from '../tasks/task.ts';
import { DataChangedError, type DataChoice, openRunData, type RunData } from './run-data.ts';

/** What stands at its place and is none is kept as `.before-repair`. */
export function writeArtifact(folder: string, task: Task): void {
  const path = join(folder, 'task.json');
  if (lstatSync(path, { throwIfNoEntry: false }) && isArtifactLost(folder)) {
    const aside = `${path}.before-repair`;
    rmSync(aside, { recursive: true, force: true });
    renameWithRetry(path, aside);
  }
  replaceFile(path, `${jsonText(task.artifact(), 2)}\n`);
}

/** Where it was lost it is made again of the run's own data, and of no others. @throws BadRunError */
export function keepArtifact(folder: string, { task, files }: RunData, { changedData }: DataChoice): void {
  if (!isArtifactLost(folder)) return;
  if (changedData && files.length > 0)
    throw new BadRunError(
      `The run ${folder} has lost its task.json, and with it scaling and vocabulary: it cannot go on with other data.`,
    );
  writeArtifact(folder, task);
}

/**
 * Before a run is used: its task.json, made again if it was lost. Reads all of the data then.
 * @throws BadRunError where the data are gone or changed
 */
export async function mendArtifact(folder: string, run: RunFile): Promise<void> {
  if (!isArtifactLost(folder)) return;
  try {
    writeArtifact(folder, (await openRunData(folder, run, run, {})).task);
  } catch (cause) {
    if (!(cause instanceof DataError) && !(cause instanceof DataChangedError)) throw cause;
    const why = cause.message.replace(/ (?:Name it with --data|Restore it, name it).*$/, '');
    throw new BadRunError(
      `The run ${folder} has lost its task.json, which cannot be made again without its data: ${why}`,
    );
  }
}
