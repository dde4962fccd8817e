// TensorFlow.js as it is published, in a folder of its own: no dependency of the project.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const VERSION = '4.22.0';
const PACKAGES = ['core', 'layers', 'backend-cpu', 'backend-wasm'].map(
  name => `@tensorflow/tfjs-${name}@${VERSION}`,
);

/** The folder that has it, or why it cannot be had. */
export function findTfjs(): { folder: string } | string {
  const folder = join(import.meta.dirname, 'out/tfjs');
  if (existsSync(join(folder, 'node_modules/@tensorflow/tfjs-backend-wasm'))) return { folder };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  console.error(`Installing ${PACKAGES.join(' ')} into bench/out/tfjs …`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status, error, stderr } = spawnSync(npm, ['install', '--no-audit', '--no-fund', ...PACKAGES], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status === 0) return { folder };
  return `tfjs ${VERSION} cannot be installed: ${error?.message ?? stderr.trim().split('\n').at(-1)}`;
}
