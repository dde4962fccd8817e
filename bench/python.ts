// Python for the peers: one that is named, or a virtual environment of this folder, made when it is first needed.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

export interface PythonOf {
  /** environment variable that names a Python which has the packages */
  variable: string;
  /** folder beside this file */
  folder: string;
  packages: readonly string[];
  /** what it must be able to import */
  module: string;
}

export const PYTORCH: PythonOf = {
  variable: 'UNROLL_BENCH_PYTHON',
  folder: '.venv',
  packages: ['torch==2.13.0', 'numpy'],
  module: 'torch',
};

export const JAX: PythonOf = {
  variable: 'UNROLL_BENCH_JAX_PYTHON',
  folder: '.venv-jax',
  packages: ['jax'],
  module: 'jax',
};

export const KERAS: PythonOf = {
  variable: 'UNROLL_BENCH_KERAS_PYTHON',
  folder: '.venv-keras',
  packages: ['tensorflow-cpu==2.21.0'],
  module: 'tensorflow',
};

const found = new Map<PythonOf, { python: string } | string>();

/** The Python to start, or why there is none. */
export function findPython(wanted: PythonOf): { python: string } | string {
  const result = found.get(wanted) ?? lookFor(wanted);
  found.set(wanted, result);
  return result;
}

function lookFor({ variable, folder, packages, module }: PythonOf): { python: string } | string {
  const named = process.env[variable];
  if (named) {
    const missing = cannotImport(named, module);
    return missing ? `${variable} names ${named}, which ${missing}` : { python: named };
  }
  const place = join(import.meta.dirname, folder);
  const python = join(place, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  if (existsSync(python) && !cannotImport(python, module)) return { python };
  console.error(`Installing ${packages.join(' ')} into bench/${folder} …`);
  const made = spawnSync('python3', ['-m', 'venv', place], { encoding: 'utf8' });
  if (made.error || made.status !== 0) return `no virtual environment can be made: ${reasonOf(made)}`;
  const installed = spawnSync(python, ['-m', 'pip', 'install', '--quiet', ...packages], { encoding: 'utf8' });
  if (installed.status !== 0) return `${packages[0]} cannot be installed: ${reasonOf(installed)}`;
  const missing = cannotImport(python, module);
  return missing ? `bench/${folder} ${missing}` : { python };
}

function cannotImport(python: string, module: string): string | null {
  const tried = spawnSync(python, ['-c', `import ${module}`], { encoding: 'utf8' });
  return tried.status === 0 ? null : `cannot import ${module}: ${reasonOf(tried)}`;
}

function reasonOf({ error, stderr }: { error?: Error; stderr: string | null }): string {
  return error?.message ?? stderr?.trim().split('\n').at(-1) ?? 'no reason given';
}
