// Builds everything that runs, one block a bundle; `--watch` rebuilds on change.
import { chmodSync, cpSync, mkdirSync } from 'node:fs';
import process from 'node:process';
import * as esbuild from 'esbuild';

const watch = process.argv.includes('--watch');
const shared = {
  bundle: true,
  sourcemap: true,
  sourcesContent: false,
  minify: !watch,
  logLevel: 'warning',
  legalComments: 'none',
};

const bundles = [
  {
    // the extension, loaded by VS Code: CommonJS, `vscode` comes from the host
    ...shared,
    entryPoints: { extension: 'src/extension/extension.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'], // jsonc-parser's main is UMD, which no bundler can follow
    external: ['vscode'],
  },
  {
    // the trainer: worker process and the command `unroll`
    ...shared,
    entryPoints: { unroll: 'src/trainer/main.ts' },
    outdir: 'dist/engine',
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: 'node20',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: {
      js: '#!/usr/bin/env node\nimport { createRequire as createRequireOfNode } from "node:module"; const require = createRequireOfNode(import.meta.url);',
    },
  },
  {
    // the dashboard
    ...shared,
    entryPoints: { dashboard: 'src/webview/dashboard.ts' },
    outdir: 'dist/webview',
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
  },
];

for (const options of bundles) {
  if (watch) await (await esbuild.context(options)).watch();
  else await esbuild.build(options);
}

mkdirSync('dist/webview', { recursive: true });
for (const file of ['codicon.css', 'codicon.ttf'])
  cpSync(`node_modules/@vscode/codicons/dist/${file}`, `dist/webview/${file}`);
if (!watch) chmodSync('dist/engine/unroll.mjs', 0o755);
