// Finds processes by the mark in their environment: detached workers carry it too.
import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { mark } from './environment.ts';

export interface Started {
  pid: number;
  command: string[];
}

/** Living processes that carry the mark, but this one. Linux only; elsewhere none are found. */
export function markedProcesses(value: string): Started[] {
  if (process.platform !== 'linux') return [];
  const found: Started[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!pid || pid === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${mark}=${value}`)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
      if (command.length) found.push({ pid, command }); // a zombie has none
    } catch {
      // ended meanwhile, or another user's
    }
  }
  return found;
}

/** Waits until no marked process lives; returns those that still do at the end. */
export async function waitUntilGone(value: string, seconds: number): Promise<Started[]> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const left = markedProcesses(value);
    if (left.length === 0 || Date.now() > deadline) return left;
    await wait(100);
  }
}

export function kill(processes: Started[], signal: NodeJS.Signals): void {
  for (const { pid } of processes)
    try {
      process.kill(pid, signal);
    } catch {
      // it is gone
    }
}

/** Processor time of a process without its children; null where it cannot be read. Linux only. */
export function processorSeconds(pid: number): number | null {
  try {
    // after the name, which may hold anything: state is field 3, utime and stime are fields 14 and 15
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ');
    const ticks = [11, 12].map(at => Number(fields[at]));
    return (ticks[0]! + ticks[1]!) / 100;
  } catch {
    return null;
  }
}
