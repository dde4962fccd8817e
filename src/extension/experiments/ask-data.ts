// Asks `unroll data` what files hold. A child process does it, because the extension holds no reader of data; it reads
// beginnings only, and is ended where they take too long.
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { workerEnvironment } from '../worker-environment.ts';
import { readTold, type Told } from './told.ts';

const MOST_MS = 8000;
const MOST_OUTPUT = 20e6;

/** Set at activation: the folder of the engine. */
export const dataTeller = { engine: '' };

const kept = new Map<string, { stamp: string; told: Told }>();
const MOST_KEPT = 500;

/** Of those files that were read in time; full paths. */
export async function askData(files: readonly string[]): Promise<Map<string, Told>> {
  const known = new Map<string, Told>();
  const stamps = new Map(files.map(file => [file, stampOf(file)]));
  for (const [file, stamp] of stamps) {
    const old = kept.get(file);
    if (old && old.stamp === stamp) known.set(file, old.told);
  }
  const open = files.filter(file => !known.has(file) && stamps.get(file) !== '');
  if (open.length === 0) return known;
  for (const [file, told] of readTold(await answerOf(open))) {
    known.set(file, told);
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(file, { stamp: stamps.get(file) ?? '', told });
  }
  return known;
}

/** Only plain files and folders are opened: nothing waits at a pipe. '' for all else. */
function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat && (stat.isFile() || stat.isDirectory()) ? `${stat.size} ${stat.mtimeMs}` : '';
}

function answerOf(files: readonly string[]): Promise<string> {
  const args = [join(dataTeller.engine, 'unroll.mjs'), 'data', '--json', '--begin', ...files];
  const child = spawn(process.execPath, args, {
    env: workerEnvironment(process.env),
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: MOST_MS,
    killSignal: 'SIGKILL',
  });
  return new Promise(done => {
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < MOST_OUTPUT) said += text;
    });
    child.once('error', () => done(''));
    child.once('close', () => done(said));
  });
}
