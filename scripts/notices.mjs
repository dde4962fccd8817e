// Collects the licences of all packages whose code or files stand in dist/, read from the source maps.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './install.mjs';

/** Copied into dist/ as files, so no source map names it. */
const copied = ['@vscode/codicons'];

function sourceMaps(folder) {
  return readdirSync(folder, { recursive: true })
    .filter(file => file.endsWith('.map'))
    .map(file => path.join(folder, file));
}

/** "node_modules/@scope/name" or "node_modules/name", the innermost. */
function packageOf(file) {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
}

function bundledPackages() {
  const found = new Set(copied.map(name => `node_modules/${name}`));
  for (const map of sourceMaps(path.join(root, 'dist')))
    for (const source of JSON.parse(readFileSync(map, 'utf8')).sources) {
      const file = path.relative(root, path.resolve(path.dirname(map), source));
      const folder = packageOf(file.split(path.sep).join('/'));
      if (folder) found.add(folder);
    }
  return [...found].sort();
}

function notice(folder) {
  const manifest = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
  const licences = readdirSync(path.join(root, folder)).filter(file =>
    /^(licen[cs]e|notice|copying)/i.test(file),
  );
  const texts = licences.map(file => readFileSync(path.join(root, folder, file), 'utf8').trim());
  if (!texts.length && !manifest.license) throw new Error(`${manifest.name} names no licence.`);
  const home = manifest.homepage ?? manifest.repository?.url ?? manifest.repository ?? '';
  return [`${manifest.name} ${manifest.version} (${manifest.license})`, home, '', ...texts].join('\n').trim();
}

/** The text of THIRD-PARTY-NOTICES.txt. */
export function thirdPartyNotices() {
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  const head = 'Unroll contains code of these packages, each under its own licence.';
  return `${[head, ...bundledPackages().map(notice)].join(rule)}\n`;
}
