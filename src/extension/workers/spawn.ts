// Starts a worker process that lives on without us.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILES } from '../../runs/paths.ts';
import { workerEnvironment } from '../worker-environment.ts';

export interface Worker {
  pid: number;
  /** how it ended, if this window is still there to see it */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** The first folder's `worker.log` takes what the process says. */
export function startWorker(
  engine: string,
  folders: readonly string[],
  workspace: string,
  more: NodeJS.ProcessEnv = {},
): Promise<Worker> {
  const log = openSync(join(folders[0]!, FILES.log), 'a');
  try {
    const child = spawn(process.execPath, [join(engine, 'unroll.mjs'), 'work', ...folders], {
      cwd: workspace,
      detached: true,
      windowsHide: true,
      stdio: ['ignore', log, log],
      env: { ...workerEnvironment(process.env), ...more },
    });
    child.unref();
    const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(resolve => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => resolve({ pid: child.pid!, ended }));
    });
  } finally {
    closeSync(log);
  }
}

/** The last line that the worker of this run wrote, without terminal colours; empty if it said nothing. */
export function lastWords(folder: string): string {
  try {
    const text = readFileSync(join(folder, FILES.log), 'utf8').slice(-20_000);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours are what is removed
    const plain = text.replace(/\x1b\[[0-9;]*m/g, '');
    const lines = plain.split(/\r?\n|\r/).filter(line => line.trim() !== '' && !/^\s+at /.test(line));
    return (lines.at(-1) ?? '').trim().slice(0, 500);
  } catch {
    return '';
  }
}
