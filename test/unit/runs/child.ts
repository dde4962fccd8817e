// A test's child process, bundled once: starting many from source would take most of the test's time.
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const built = new Map<string, string>();

/** Forks a script that stands beside this file. */
export function forkChild(name: string, args: string[] = []): ChildProcess {
  const script = built.get(name) ?? build(name);
  built.set(name, script);
  return fork(script, args, { execArgv: [] });
}

function build(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-child-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, `${name}.mjs`);
  buildSync({
    entryPoints: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
  });
  return outfile;
}
