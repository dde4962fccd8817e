// What can go wrong with a run folder while it is written.
import { existsSync } from 'node:fs';
import type { WriterFile } from './format.ts';

/** Somebody else writes this run. */
export class RunBusyError extends Error {
  readonly writer: WriterFile;
  constructor(folder: string, writer: WriterFile, otherHost: boolean) {
    super(
      `The run ${folder} is being written by process ${writer.pid} on ${writer.host}` +
        (otherHost ? ', another machine: use --force if that process is surely gone.' : '.'),
    );
    this.name = 'RunBusyError';
    this.writer = writer;
  }
}

/** The run folder was deleted or moved while it was written. */
export class RunFolderGoneError extends Error {
  constructor(folder: string) {
    super(`The run folder ${folder} is gone: it was deleted or moved while the run was training.`);
    this.name = 'RunFolderGoneError';
  }
}

/** No space left, or a quota is used up. */
export class DiskFullError extends Error {
  constructor(folder: string) {
    super(`The disk that holds ${folder} is full.`);
    this.name = 'DiskFullError';
  }
}

/** No run can be made where it should stand. */
export class RunsFolderError extends Error {
  constructor(folder: string, cause: unknown) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : 'it cannot be written';
    super(`No run can be made in ${folder}: ${why} (${code}).`, { cause });
    this.name = 'RunsFolderError';
  }
}

/** Not a run folder, or one whose files do not hold together. */
export class BadRunError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadRunError';
  }
}

/** The error of a failed write as one of ours, where it is one. */
export function understood(cause: unknown, folder: string): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new DiskFullError(folder);
  // folders are made before files are put there: one that is missing now is being deleted, and the rest with it
  if (code === 'ENOENT' || !existsSync(folder)) return new RunFolderGoneError(folder);
  return cause;
}
