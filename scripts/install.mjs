// Installs the dependencies if they are not what package-lock.json says. Node's own modules only:
// this runs in a fresh clone.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { withProgress } from './progress.mjs';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const lockedPackages = () => JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages;

/** Compares the lock file with npm's own record of what it installed. */
function isInstalled() {
  const record = path.join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const present = JSON.parse(readFileSync(record, 'utf8')).packages;
  return Object.entries(lockedPackages()).every(
    // optional ones are left out on other platforms
    ([place, { version, optional }]) => place === '' || optional || present[place]?.version === version,
  );
}

/** How many of the packages are unpacked by now: npm makes all the folders first. */
function countInstalled(places) {
  return places.filter(place => existsSync(path.join(root, place, 'package.json'))).length;
}

function runNpmCi(report) {
  const command = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const places = Object.entries(lockedPackages())
    .filter(([place, { optional }]) => place !== '' && !optional)
    .map(([place]) => place);
  return new Promise(resolve => {
    const child = spawn(command, ['ci', '--no-audit', '--no-fund'], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
    });
    const timer = setInterval(() => report(`${countInstalled(places)} of ${places.length} packages`), 1000);
    const end = status => {
      clearInterval(timer);
      resolve(status);
    };
    child.once('error', () => end(1));
    child.once('exit', end);
  });
}

export async function ensureInstalled() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) {
    console.error(`Unroll needs Node 20 or later; this is ${process.version}.`);
    process.exit(1);
  }
  if (isInstalled()) return;
  console.log('Installing the dependencies (npm ci) …');
  if ((await withProgress('dependencies', runNpmCi)) === 0) return;
  console.error(
    'npm ci failed (see above): the dependencies could not be installed from the npm registry. Check the connection, or the registry that npm is set to, and try again.',
  );
  process.exit(1);
}
