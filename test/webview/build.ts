// Builds the development page of the dashboard and says where it stands: `npx tsx test/webview/build.ts`. Never in
// the VSIX. Open the file it names in a browser; its query chooses theme, layout and state (see fake-host.ts).
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import { root } from '../host/paths.ts';

const standing = path.join(root, '.vscode-test', 'page');

/** The address of the page, without a query. */
export async function buildPage(folder = standing): Promise<string> {
  mkdirSync(folder, { recursive: true });
  await esbuild.build({
    entryPoints: { page: path.join(root, 'test/webview/page.ts') },
    outdir: folder,
    bundle: true,
    sourcemap: 'inline',
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    logLevel: 'warning',
  });
  for (const file of ['codicon.css', 'codicon.ttf'])
    cpSync(path.join(root, 'node_modules/@vscode/codicons/dist', file), path.join(folder, file));
  const index = path.join(folder, 'index.html');
  writeFileSync(index, html);
  return pathToFileURL(index).href;
}

const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<link rel="stylesheet" href="codicon.css" id="vscode-codicon-stylesheet">
<link rel="stylesheet" href="page.css">
<title>Unroll: development page</title>
</head>
<body>
<main id="app"></main>
<script src="page.js"></script>
</body>
</html>
`;

if (process.argv[1] === import.meta.filename) console.log(await buildPage());
