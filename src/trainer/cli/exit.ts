// Exit codes, and the errors that carry one with a sentence for the person at the shell.
import { isSystemError, whyOf } from '../../runs/system-errors.ts';

export const EXIT = { done: 0, wrongInput: 2, failed: 3, stopped: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Says what is wrong and what to do; printed without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  constructor(message: string, exitCode: ExitCode = EXIT.wrongInput) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Errors of the rooms below whose message is made for people, by name so that none of them is loaded for this. */
const KNOWN: Readonly<Record<string, ExitCode>> = {
  RunBusyError: EXIT.wrongInput,
  BadRunError: EXIT.wrongInput,
  EngineUnavailableError: EXIT.wrongInput,
  InputError: EXIT.wrongInput,
  DataError: EXIT.wrongInput,
  DataChangedError: EXIT.wrongInput,
  ModelError: EXIT.wrongInput,
  OutOfMemoryError: EXIT.failed,
  DiskFullError: EXIT.failed,
  RunFolderGoneError: EXIT.failed,
};

/** What to print, and the exit code; the stack only for faults of ours, and only if asked for. */
export function explain(error: unknown, debug: boolean): { message: string; exitCode: ExitCode } {
  const { name, message, stack, code, path } = error as NodeJS.ErrnoException;
  if (name === 'CommandError') return { message, exitCode: (error as CommandError).exitCode };
  if (name === 'RunsFolderError') {
    return { message: `${message} Use --out DIR to write the run elsewhere.`, exitCode: EXIT.wrongInput };
  }
  const known = KNOWN[name];
  if (known !== undefined) return { message, exitCode: known };
  if (isSystemError(error) && path)
    return {
      message: `${path} cannot be used: ${whyOf(error)}.`,
      exitCode: code === 'ENOSPC' || code === 'EDQUOT' || code === 'EIO' ? EXIT.failed : EXIT.wrongInput,
    };
  if (debug && stack) return { message: stack, exitCode: EXIT.failed };
  return {
    message: `unroll failed: ${message ?? String(error)} (UNROLL_DEBUG=1 shows where)`,
    exitCode: EXIT.failed,
  };
}
