// The data of a run, found again where the run or its workspace has been moved, and compared with what it learned from.
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { taskOf } from '../../experiment/tasks/index.ts';
import { count, plural } from '../../experiment/words.ts';
import type { DataFile } from '../../runs/data-file.ts';
import type { RunFile, RunRequest } from '../../runs/format.ts';
import { DataError } from '../data/errors.ts';
import { changeSince, fingerprintOf, type Since } from '../data/fingerprint.ts';
import { type DataPlace, locateData } from '../data/locate.ts';
import { namedFilesPrint, namedFilesSince } from '../data/named-files.ts';
import type { FilePart } from '../data/readers/reader.ts';
import { RowsDigest } from '../data/rows-digest.ts';
import { artifactIfThere } from '../tasks/artifact.ts';
import { openTask } from '../tasks/index.ts';
import type { Task } from '../tasks/task.ts';

/** How a person has the data of a run taken. */
export interface DataChoice {
  /** instead of the file that the experiment names */
  data?: string | undefined;
  /** go on where the file is not what the run learned from */
  changedData?: boolean | undefined;
}

/** What differs is said, and how to go on all the same. */
export class DataChangedError extends Error {
  override readonly name = 'DataChangedError';
}

export interface RunData {
  task: Task;
  /** the data file, and those that it names as one; empty: the data are drawn */
  files: DataFile[];
  /** what a person should know: rows that were appended, data that changed */
  notes: string[];
}

/**
 * The task of a run on its own data, vocabulary and scaling.
 * @throws DataError, DataChangedError, BadRunError
 */
export async function openRunData(
  folder: string,
  request: RunRequest,
  run: RunFile | null,
  choice: DataChoice,
): Promise<RunData> {
  const { experiment } = request;
  const known = artifactIfThere(folder);
  if (!('path' in experiment.data))
    return { task: await openTask(experiment, request, known), files: [], notes: [] };
  const learned = run?.data?.[0] ?? null;
  const place = placeOfData(folder, request, experiment.data.path, learned, choice.data);
  const file = locateData(experiment.data.path, place, mayBeFolder(experiment));
  const notes: string[] = [];
  const digest = new RowsDigest();
  let part: FilePart | undefined = learned ? undefined : { watch: digest };
  if (learned) {
    const since = await changeSince(file, learned);
    if (since.kind === 'appended') {
      part = since.known;
      notes.push(appended(experiment.data.path, since, learned));
    } else if (since.kind === 'changed')
      notes.push(
        changed(`${experiment.data.path} is not the file that this run learned from: ${since.why}.`, choice),
      );
  }
  const task = await openTask(experiment, { ...place, file, part }, known);
  const print = learned ?? { ...(await fingerprintOf(file)), ...(digest.print && { rows: digest.print }) };
  const own = {
    ...print,
    path: experiment.data.path,
    fromRun: relative(realpathSync(folder), file),
    read: task.read ?? {},
  };
  if (!task.files || task.files.length === 0) return { task, files: [own], notes };
  const learnedNamed = run?.data?.[1] ?? null;
  if (learnedNamed) {
    const since = await namedFilesSince(task.files, learnedNamed);
    if (since.kind === 'changed')
      notes.push(
        changed(
          `The files that ${experiment.data.path} names are not those that this run learned from: ${since.why}.`,
          choice,
        ),
      );
  }
  const named = learnedNamed ?? {
    ...(await namedFilesPrint(task.files)),
    path: `files named in ${experiment.data.path}`,
    fromRun: relative(realpathSync(folder), dirname(file)),
    read: { files: task.files.length },
  };
  return { task, files: [own, named], notes };
}

/** @throws DataChangedError unless it may have changed; the sentence to say then */
function changed(sentence: string, { changedData }: DataChoice): string {
  if (changedData) return `${sentence} Going on with the scaling and vocabulary of the run.`;
  throw new DataChangedError(
    `${sentence} Restore it, name it with --data PATH, go on all the same with --changed-data, or start a new run from these weights with --with-new-data.`,
  );
}

/** The data file of a finished run where it stands now. @throws DataError */
export function dataFileOf(folder: string, run: RunFile): string {
  const { experiment } = run;
  const { data } = experiment;
  if (!('path' in data))
    throw new DataError(`The data of "${data.task}" are drawn; there is no row to take.`);
  const place = placeOfData(folder, run, data.path, run.data?.[0] ?? null, undefined);
  return locateData(data.path, place, mayBeFolder(experiment));
}

function mayBeFolder({ data }: RunRequest['experiment']): boolean {
  return ['table', 'arrays'].includes(taskOf(data).reads);
}

type Appended = Since & { kind: 'appended' };

function appended(path: string, since: Appended, { read, bytes, hashes }: DataFile): string {
  if (since.unit === 'file')
    return `${plural(since.count, 'file was', 'files were')} added to ${path}; going on with the ${count(hashes.length)} of the run.`;
  const rows = read['rows'];
  if (rows !== undefined)
    return `${plural(since.count, 'row was', 'rows were')} appended to ${path}; going on with the first ${count(rows)}.`;
  return `${plural(since.bytes, 'byte was', 'bytes were')} appended to ${path}; going on with the first ${count(bytes)}.`;
}

/** Where the data file stands now: as told, in the workspace that the run was moved with, as then, or beside the run. */
function placeOfData(
  folder: string,
  request: RunRequest,
  path: string,
  learned: DataFile | null,
  told: string | undefined,
): DataPlace {
  if (told !== undefined) {
    const file = resolve(told);
    if (!existsSync(file)) throw new DataError(`--data: there is no file ${told}.`);
    return { ...request, file: realpathSync(file) };
  }
  const moved = movedWorkspace(folder, request);
  if (moved && isThere(path, moved)) return moved;
  if (isThere(path, request)) return request;
  const beside = learned ? resolve(realpathSync(folder), learned.fromRun) : null;
  if (beside && existsSync(beside)) return { ...request, file: realpathSync(beside) };
  try {
    locateData(path, request, true);
    return request;
  } catch (cause) {
    throw cause instanceof DataError && /does not exist/.test(cause.message)
      ? new DataError(`${cause.message} Name it with --data PATH if it has been moved.`)
      : cause;
  }
}

/** The workspace that holds `.unroll/runs/<id>`, where it is another than the run was made in; null: it is the same. */
function movedWorkspace(folder: string, { workspace, base, allowedPaths }: RunRequest): DataPlace | null {
  const runs = dirname(realpathSync(folder));
  if (!runs.endsWith(join(sep, '.unroll', 'runs'))) return null;
  const now = dirname(dirname(runs));
  if (now === workspace) return null;
  return { base: join(now, relative(workspace, base)), workspace: now, allowedPaths };
}

function isThere(path: string, place: DataPlace): boolean {
  try {
    locateData(path, place, true);
    return true;
  } catch (cause) {
    if (cause instanceof DataError) return false;
    throw cause;
  }
}
