// The real command line as a child process: bundled once from source as the build does it, since starting it from
// source would take most of the tests' time.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));

const { version } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8'));

let built: string | undefined;

export function main(): string {
  built ??= build();
  return built;
}

function build(): string {
  const outdir = mkdtempSync(path.join(tmpdir(), 'unroll-built-'));
  process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));
  buildSync({
    entryPoints: { unroll: path.join(repository, 'src/trainer/main.ts') },
    outdir,
    outExtension: { '.js': '.mjs' },
    absWorkingDir: repository,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    mainFields: ['module', 'main'],
    define: { UNROLL_VERSION: JSON.stringify(version) },
    banner: {
      js: 'import { createRequire as createRequireOfNode } from "node:module"; const require = createRequireOfNode(import.meta.url);',
    },
  });
  // beside the bundle, as in the package
  cpSync(path.join(repository, 'node_modules/@vscode/tree-sitter-wasm/wasm'), path.join(outdir, 'grammars'), {
    recursive: true,
  });
  return path.join(outdir, 'unroll.mjs');
}

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

function environment(): NodeJS.ProcessEnv {
  const { NO_COLOR: _n, FORCE_COLOR: _f, UNROLL_DEBUG: _d, ...rest } = process.env;
  return { ...rest, COLUMNS: '100' };
}

export function unroll(
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; input?: string } = {},
): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main(), ...args], {
    cwd: options.cwd ?? repository,
    env: { ...environment(), ...options.env },
    input: options.input,
    encoding: 'utf8',
    timeout: 600_000,
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
  return spawn(process.execPath, [main(), ...args], {
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
