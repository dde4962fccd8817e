// What can go wrong with a run folder while it is written.
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

/** Not a run folder, or one whose files do not hold together. */
export class BadRunError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadRunError';
  }
}
