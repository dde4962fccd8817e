// stdout and stderr whose reader goes away or whose disk is full: a closed pipe, a closed terminal, /dev/full.
import process from 'node:process';
import { EXIT } from './exit.ts';

let isTraining = false;
let isTold = false;

/** Once, before anything is written. */
export function watchOutput(): void {
  process.stdout.on('error', lost);
  // there is nowhere left to say it
  process.stderr.on('error', () => {});
}

/** A run goes on: its folder holds all that would be written here. */
export function trainWithoutReader(): void {
  isTraining = true;
}

function lost({ code }: NodeJS.ErrnoException): void {
  if (isTraining) {
    if (!isTold)
      tell(`${REASONS[code ?? ''] ?? 'The output cannot be written'}; training goes on in the run folder.`);
    isTold = true;
    return;
  }
  // a reader that closes early, such as `| head`, is no fault
  if (code === 'EPIPE') process.exit(EXIT.done);
  tell(`${REASONS[code ?? ''] ?? 'The output cannot be written'}.`);
  process.exit(EXIT.failed);
}

const REASONS: Readonly<Record<string, string>> = {
  EPIPE: 'Nobody reads the output any more',
  EIO: 'The terminal of the output is closed',
  ENOSPC: 'The disk of the output is full',
  EDQUOT: 'The disk quota of the output is used up',
};

function tell(message: string): void {
  process.stderr.write(`${message}\n`);
}
