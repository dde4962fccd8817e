// The real command line as a child process, from source.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));
const main = path.join(repository, 'src/trainer/main.ts');

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

function environment(): NodeJS.ProcessEnv {
  const { NO_COLOR: _n, FORCE_COLOR: _f, UNROLL_DEBUG: _d, ...rest } = process.env;
  return { ...rest, COLUMNS: '100' };
}

const tsx = import.meta.resolve('tsx');

export function unroll(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', tsx, main, ...args], {
    cwd: options.cwd ?? repository,
    env: { ...environment(), ...options.env },
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64e6,
  });
  return { code: status, stdout, stderr };
}

/** Several at a time: most of what one takes is starting up. */
export async function unrollAll(commands: string[][], cwd: string): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async () => {
    while (next < commands.length) {
      const index = next++;
      results[index] = await finished(startUnroll(commands[index]!, cwd));
    }
  };
  await Promise.all(Array.from({ length: 3 }, worker));
  return results;
}

function finished(child: ChildProcess): Promise<Result> {
  const result: Result = { code: null, stdout: '', stderr: '' };
  child.stdout!.on('data', chunk => {
    result.stdout += chunk;
  });
  child.stderr!.on('data', chunk => {
    result.stderr += chunk;
  });
  return new Promise(resolve => child.once('close', code => resolve({ ...result, code })));
}

export function startUnroll(args: string[], cwd = repository): ChildProcess {
  return spawn(process.execPath, ['--import', tsx, main, ...args], {
    cwd,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Every line of stdout as JSON; throws on anything else. */
export function jsonLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line));
}
