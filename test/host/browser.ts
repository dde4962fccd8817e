// Starts the browser that drives the workbench.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { type Browser, chromium as playwrightChromium } from 'playwright-core';
import { findChromium } from './chromium.ts';
import { HostError } from './command.ts';
import { chromium } from './paths.ts';

export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new HostError('No Chromium found: call fetchChromium first.');
  const args = ['--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run'];
  args.push('--disable-background-networking', '--disable-component-update', '--disable-sync');
  if (process.getuid?.() === 0 || process.env['CI']) args.push('--no-sandbox');
  const env = executablePath === chromium.executable ? fetchedEnvironment() : process.env;
  return playwrightChromium.launch({
    executablePath,
    headless: true,
    args,
    env: env as Record<string, string>,
    handleSIGINT: false, // cleanup.ts ends this process, and the browser with it
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
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
