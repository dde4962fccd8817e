// npm run package [-- --out DIR] [--built]: the VSIX for all systems, one with the native engine for systems like this
// one, and the command line as an archive for
// `npm i -g FILE`; with --built, from dist/ as it is.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { ensureInstalled, root } from './install.mjs';
import { thirdPartyNotices } from './notices.mjs';

// three instruction sets take 2.7 MB, HDF5 takes 1
const limit = 8e6;
const native = path.join(root, 'dist/engine/unroll.node');

const { values } = parseArgs({
  options: { out: { type: 'string', default: root }, built: { type: 'boolean', default: false } },
});
const out = path.resolve(process.env.INIT_CWD ?? process.cwd(), values.out);
process.chdir(root);
await ensureInstalled();
mkdirSync(out, { recursive: true });

function run(command, args, cwd = root) {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (result.status === 0) return result.stdout;
  console.error(`${command} ${args.join(' ')} failed:\n${result.stdout}${result.stderr}`);
  process.exit(1);
}

function report(file) {
  const { size } = statSync(file);
  console.log(`${file}  ${(size / 1e6).toFixed(2)} MB`);
  if (size < limit) return;
  console.error(`It is larger than ${limit / 1e6} MB: something that is not needed went in.`);
  process.exit(1);
}

/** One for every system, which computes on WASM, and where the native engine was built one for systems like this. */
function packVsix({ name, version }, platform) {
  const file = path.join(out, [name, platform, version].filter(Boolean).join('-').concat('.vsix'));
  const flags = ['--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links'];
  if (platform) flags.push('--target', platform);
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'unroll-vsix-'));
  try {
    // dist/ stays as it is: others may run from it meanwhile
    const ignored = path.join(scratch, 'ignored');
    const named = readFileSync(path.join(root, '.vscodeignore'), 'utf8');
    writeFileSync(ignored, platform ? named : named.replace('!(*.map)', '!(*.map|unroll.node)'));
    run(path.join(root, 'node_modules/.bin/vsce'), [
      'package',
      ...flags,
      ...['--ignoreFile', ignored, '--out', file],
    ]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return file;
}

/** dist/engine with a manifest of its own: everything is bundled, so it depends on nothing. */
function packCommandLine({ name, version, description, license, engines }) {
  const stage = mkdtempSync(path.join(os.tmpdir(), 'unroll-package-'));
  try {
    cpSync(path.join(root, 'dist/engine'), stage, {
      recursive: true,
      filter: file => !file.endsWith('.map'),
    });
    for (const file of ['LICENSE', 'README.md', 'dist/THIRD-PARTY-NOTICES.txt'])
      cpSync(path.join(root, file), path.join(stage, path.basename(file)));
    const bin = { unroll: 'unroll.mjs' };
    const manifest = {
      name,
      version,
      description,
      license,
      type: 'module',
      bin,
      engines: { node: engines.node },
    };
    writeFileSync(path.join(stage, 'package.json'), JSON.stringify(manifest, null, 2));
    run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', out], stage);
    return path.join(out, `${name}-${version}.tgz`);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

if (!values.built) {
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  run(process.execPath, ['esbuild.js', '--sets', 'all']);
  run(process.execPath, ['scripts/build-wasm.mjs', '--check']);
}
writeFileSync(path.join(root, 'dist/THIRD-PARTY-NOTICES.txt'), thirdPartyNotices());
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const { 'extension.description': description } = JSON.parse(
  readFileSync(path.join(root, 'package.nls.json'), 'utf8'),
);
report(packVsix(manifest));
if (existsSync(native)) report(packVsix(manifest, `${process.platform}-${process.arch}`));
report(packCommandLine({ ...manifest, description }));
