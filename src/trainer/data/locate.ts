// Where a data file may stand: relative to the experiment, inside the workspace after links are followed.
import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { whyOf } from '../../runs/system-errors.ts';
import { DataError } from './errors.ts';
import type { FilePart } from './readers/reader.ts';
import type { Storage } from './storage.ts';

export interface DataPlace {
  /** folder that relative paths start from */
  base: string;
  workspace: string;
  /** further folders that data may come from */
  allowedPaths: readonly string[];
  /** the file itself, where it was found already or named by a person */
  file?: string | undefined;
  /** read only this part: what came later is none of the run's data */
  part?: FilePart | undefined;
  /** where columns stand; left out: one for each task */
  storage?: Storage | undefined;
}

/** `mayBeFolder`: of a file for each example. @throws DataError for a path that is missing, no file, empty, or outside of what is allowed */
export function locateData(path: string, place: DataPlace, mayBeFolder = false): string {
  if (place.file !== undefined) return place.file;
  const wanted = isAbsolute(path) ? path : resolve(place.base, path);
  let real: string;
  try {
    real = realpathSync(wanted);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new DataError(`The data file ${path} does not exist (looked for ${wanted}).`);
    throw new DataError(`The data file ${path} cannot be read: ${whyOf(cause)}.`);
  }
  const allowed = [place.workspace, ...place.allowedPaths];
  if (!allowed.some(folder => contains(folder, real)))
    throw new DataError(
      `The data file ${path} is outside of the workspace ${place.workspace}: move it there, or allow its folder with --allow-path (in the editor: the setting unroll.allowedPaths).`,
    );
  const stats = statSync(real);
  if (stats.isDirectory() && mayBeFolder) return real;
  if (stats.isDirectory()) throw new DataError(`The data path ${path} is a folder: name a file in it.`);
  if (!stats.isFile()) throw new DataError(`The data path ${path} is not a regular file.`);
  if (stats.size === 0) throw new DataError(`The data file ${path} is empty.`);
  return real;
}

function contains(folder: string, file: string): boolean {
  let real: string;
  try {
    real = realpathSync(folder);
  } catch {
    return false;
  }
  const way = relative(real, file);
  return (
    way !== '' && !isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`) && join(real, way) === file
  );
}
