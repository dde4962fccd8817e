// SIGINT, SIGTERM and SIGHUP from the first moment on: a command that trains is loaded and read for some tenths of a
// second before it can stop with a checkpoint, and the exit code is the documented one then too.
import process from 'node:process';
import { EXIT } from './exit.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

let isWatching = false;

function endAtOnce(): void {
  process.exit(EXIT.stopped);
}

/** Until a command takes them, interrupts end the process as one that was stopped. */
export function endOnInterrupts(): void {
  if (isWatching) return;
  isWatching = true;
  for (const name of SIGNALS) process.on(name, endAtOnce);
}

/** Hands interrupts to `handler`; the signals in `unheard` do nothing. @returns what takes them back */
export function takeInterrupts(handler: () => void, unheard: readonly NodeJS.Signals[] = []): () => void {
  const nothing = () => {};
  const own = SIGNALS.map(name => [name, unheard.includes(name) ? nothing : handler] as const);
  for (const [name, heard] of own) process.on(name, heard);
  for (const name of SIGNALS) process.off(name, endAtOnce);
  return () => {
    if (isWatching) for (const name of SIGNALS) process.on(name, endAtOnce);
    for (const [name, heard] of own) process.off(name, heard);
  };
}
