// Starts the browser that drives the workbench.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { type Browser, chromium as playwrightChromium } from 'playwright-core';
import { findChromium } from './chromium.ts';
import { HostError } from './command.ts';
import { chromium } from './paths.ts';

const quiet = [
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new HostError('No Chromium found: call fetchChromium first.');
  const env = executablePath === chromium.executable ? fetchedEnvironment() : process.env;
  const launch = (args: string[]) =>
    playwrightChromium.launch({
      executablePath,
      headless: true,
      args: [...quiet, ...args],
      env: env as Record<string, string>,
      handleSIGINT: false, // cleanup.ts ends this process, and the browser with it
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
  if (process.getuid?.() === 0) return launch(['--no-sandbox']);
  try {
    return await launch([]);
  } catch (error) {
    // many containers have no user namespaces; the browser opens nothing but our own page
    if (String(error).includes('sandbox')) return launch(['--no-sandbox']);
    throw error;
  }
}

/** The fetched Chromium brings libraries and fonts; they are used only where the machine lacks its own. */
function fetchedEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  const ldd = spawnSync('ldd', [chromium.executable], { encoding: 'utf8' }).stdout ?? '';
  if (!ldd || ldd.includes('not found'))
    env['LD_LIBRARY_PATH'] = [path.join(chromium.folder, 'lib'), env['LD_LIBRARY_PATH']]
      .filter(Boolean)
      .join(':');
  if (!existsSync('/usr/share/fonts')) env['FONTCONFIG_FILE'] = path.join(chromium.folder, 'fonts.conf');
  return env;
}
