// Bundles the in-host runner and its suites into dist-test/, since an extension host loads plain CommonJS.
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as esbuild from 'esbuild';
import { HostError } from './command.ts';
import { root } from './paths.ts';

/** Returns the file that the extension host is told to run. */
export async function bundleSuites(): Promise<string> {
  const outdir = path.join(root, 'dist-test');
  const suite = path.join(import.meta.dirname, 'suite');
  const files = readdirSync(suite).filter(file => file.endsWith('.test.ts'));
  if (files.length === 0) throw new HostError(`No suite in ${suite}: a *.test.ts file is expected there.`);
  rmSync(outdir, { recursive: true, force: true });
  await esbuild.build({
    entryPoints: [
      { in: path.join(import.meta.dirname, 'runner.ts'), out: 'runner' },
      ...files.map(file => ({ in: path.join(suite, file), out: `suite/${file.replace(/\.ts$/, '')}` })),
    ],
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    sourcemap: 'inline',
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    external: ['vscode', 'mocha'],
    logLevel: 'warning',
  });
  await esbuild.stop(); // else its service lives as long as we do
  return path.join(outdir, 'runner.cjs');
}
