// A headless Chromium: the one that is installed, else one from the npm registry with the libraries it needs.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { brotliDecompressSync } from 'node:zlib';
import { HostError, npmPack, run, unpack } from './command.ts';
import type { Log } from './fetch.ts';
import { chromium, chromiumVersion } from './paths.ts';

const installed = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
];

/** The executable of an installed Chromium, or of the fetched one; null if there is neither. */
export function findChromium(): string | null {
  const named = process.env['CHROMIUM_PATH'];
  if (named && !existsSync(named)) throw new HostError(`CHROMIUM_PATH names ${named}, which is not there.`);
  return [named, ...installed, chromium.executable].find(file => file && existsSync(file)) ?? null;
}

export function fetchChromium(log: Log = console.log): void {
  if (findChromium()) return;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new HostError(
      'The Chromium on npm is for Linux on x64 only: install a Chromium and name it in CHROMIUM_PATH.',
    );
  log(`download @sparticuz/chromium@${chromiumVersion}`);
  const fresh = `${chromium.folder}.new-${process.pid}`;
  const packed = path.join(fresh, 'packed');
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(packed, { recursive: true });
  try {
    const archive = npmPack(`@sparticuz/chromium@${chromiumVersion}`, fresh);
    unpack(archive, packed, ['--strip-components=2', 'package/bin'], 'unpack Chromium');
    const inflate = (name: string) => brotliDecompressSync(readFileSync(path.join(packed, name)));
    writeFileSync(path.join(fresh, 'chromium'), inflate('chromium.br'), { mode: 0o755 });
    for (const name of ['al2023.tar.br', 'fonts.tar.br'])
      run('tar', ['-x', '-C', fresh], { input: inflate(name), purpose: `unpack ${name}` });
    writeFileSync(path.join(fresh, 'fonts.conf'), fontConfiguration());
    rmSync(packed, { recursive: true });
    for (const file of readdirSync(fresh)) if (file.endsWith('.tgz')) rmSync(path.join(fresh, file));
    rmSync(chromium.folder, { recursive: true, force: true });
    renameSync(fresh, chromium.folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function fontConfiguration(): string {
  const folders = `<dir>${chromium.folder}/fonts</dir><cachedir>${chromium.folder}/fontcache</cachedir>`;
  return `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>${folders}</fontconfig>`;
}
