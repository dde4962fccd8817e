// Who a process is: host, pid, start time and boot, so that a reused pid is never taken for a living writer.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { WriterFile } from './format.ts';

export function thisWriter(): WriterFile {
  return {
    host: hostname(),
    pid: process.pid,
    processStart: processStart(process.pid) ?? '',
    bootId: bootId(),
  };
}

/** Whether the process that wrote this is still running; null when it is of another host and nobody here can tell. */
export function isAlive(writer: WriterFile): boolean | null {
  if (writer.host !== hostname()) return null;
  if (writer.bootId !== bootId()) return false;
  try {
    process.kill(writer.pid, 0);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const start = processStart(writer.pid);
  return start === null || writer.processStart === '' || start === writer.processStart;
}

/** The start time in the system's own unit; null if there is no such process or it cannot be told. */
function processStart(pid: number): string | null {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // the command in parentheses may itself hold spaces and parentheses
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? 'zombie' : (fields[19] ?? null);
    }
    if (process.platform === 'win32') return null;
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}

let boot: string | undefined;

function bootId(): string {
  if (boot === undefined)
    try {
      boot =
        process.platform === 'linux' ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : '';
    } catch {
      boot = '';
    }
  return boot;
}
