// Builds everything that runs, one block a bundle. `--watch` rebuilds on change; `--sets` chooses the native engine's
// instruction sets (scripts/build-native.mjs); `--bundles` leaves both engines out.
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import * as esbuild from 'esbuild';
import { buildNativeOrSay, setsAsked } from './scripts/build-native.mjs';
import { buildWasm } from './scripts/build-wasm.mjs';
import { writeSchema } from './scripts/schema.mjs';

const watch = process.argv.includes('--watch');
const shared = {
  bundle: true,
  sourcemap: true,
  sourcesContent: false,
  minify: !watch,
  logLevel: 'warning',
  legalComments: 'none',
};

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** CommonJS, `vscode` comes from the host. */
const extension = {
  ...shared,
  // the schema library asks for it when it is loaded, which the host reports as a fault of the extension
  define: { navigator: 'undefined' },
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'], // jsonc-parser's main is UMD, which no bundler can follow
  external: ['vscode'],
};

const bundles = [
  {
    // what VS Code loads: shows the dashboard's last picture, and requires the rest
    ...extension,
    entryPoints: { extension: 'src/extension/extension.ts' },
    // `require`: the host hands out `vscode` to nothing that `import()` loads
    supported: { 'dynamic-import': false },
    plugins: [
      {
        name: 'the rest stays a file of its own',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.\/main\.ts$/ }, () => ({ path: './main.cjs', external: true })),
      },
    ],
  },
  { ...extension, entryPoints: { main: 'src/extension/main.ts' } },
  {
    // the trainer: worker process and the command `unroll`, in parts so that `--help` loads no engine
    ...shared,
    entryPoints: { unroll: 'src/trainer/main.ts' },
    outdir: 'dist/engine',
    outExtension: { '.js': '.mjs' },
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    metafile: true,
    define: { UNROLL_VERSION: JSON.stringify(version) },
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
  else removeOldParts(await esbuild.build(options));
}
await writeSchema('dist/experiment.schema.json');
if (!process.argv.includes('--bundles')) {
  await buildNativeOrSay({ sets: setsAsked(process.argv) });
  await buildWasm();
}

/** Parts carry a hash of their content in their name: what this build did not write is of an older one. */
function removeOldParts({ metafile }) {
  if (!metafile) return;
  const written = new Set(Object.keys(metafile.outputs).map(file => path.basename(file)));
  for (const file of readdirSync('dist/engine/parts'))
    if (!written.has(file)) rmSync(path.join('dist/engine/parts', file));
}

mkdirSync('dist/webview', { recursive: true });
for (const file of ['codicon.css', 'codicon.ttf'])
  cpSync(`node_modules/@vscode/codicons/dist/${file}`, `dist/webview/${file}`);
// the parser of definitions: the grammars that are read, and no others
mkdirSync('dist/engine/grammars', { recursive: true });
const grammars = 'node_modules/@vscode/tree-sitter-wasm/wasm';
cpSync(`${grammars}/tree-sitter.js`, 'dist/engine/grammars/tree-sitter.cjs');
for (const name of [
  'tree-sitter',
  ...['python', 'javascript', 'typescript', 'tsx'].map(each => `tree-sitter-${each}`),
])
  cpSync(`${grammars}/${name}.wasm`, `dist/engine/grammars/${name}.wasm`);
if (!watch) chmodSync('dist/engine/unroll.mjs', 0o755);
