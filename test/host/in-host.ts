// Runs the suites inside a real extension host: a server, a page on it, and the report they write.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { format } from 'node:util';
import { launchBrowser } from './browser.ts';
import { bundleSuites } from './bundle.ts';
import { HostError } from './command.ts';
import { root } from './paths.ts';
import { type ServerOptions, startServer } from './server.ts';
import { stillSettings } from './settings.ts';

/** As reporter.cjs writes it. */
export interface Report {
  passed: number;
  failed: string[];
  skipped: string[];
}

export interface InHostOptions extends Pick<ServerOptions, 'settings' | 'workspaceTrust' | 'env'> {
  workspace: string;
  /** a picture of the window at the end */
  screenshot?: string;
  /** takes what the tests print; default: standard output */
  write?: (text: Buffer) => void;
}

/** Never trusts the exit code of the page alone: it is 0 when the extension host is killed. */
export async function runInHost(options: InHostOptions): Promise<Report> {
  const tests = await bundleSuites();
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'unroll-in-host-'));
  const output = path.join(scratch, 'output.txt');
  const reportFile = path.join(scratch, 'report.json');
  writeFileSync(output, '');
  // names that begin with VSCODE_ would not reach the extension host
  const env = { ...options.env, UNROLL_TEST_OUTPUT: output, UNROLL_TEST_REPORT: reportFile };
  const server = await startServer({
    ...options,
    settings: { ...stillSettings, ...options.settings },
    env,
    automation: true,
  });
  const write = options.write ?? (text => process.stdout.write(text));
  let printed = 0;
  const print = () => {
    const all = readFileSync(output);
    if (all.length > printed) write(all.subarray(printed));
    printed = all.length;
  };
  const timers: NodeJS.Timeout[] = [setInterval(print, 100)];
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    const errors: string[] = [];
    const verdict = new Promise<string | null>(resolve => {
      page.on('crash', () => resolve('the browser page crashed'));
      server.gone.then(how => resolve(`the VS Code server ended with ${how}`));
      timers.push(setInterval(() => watchForDeath(server.log(), resolve), 500));
      page.exposeFunction('codeAutomationExit', (code: number) =>
        resolve(code === 0 ? null : `exit code ${code}`),
      );
    });
    await page.exposeFunction('codeAutomationLog', (level: string, args: unknown[]) => {
      if (level === 'error' || level === 'critical') errors.push(format(...args));
    });
    page.setDefaultTimeout(600_000); // a busy machine may take minutes
    await page.goto(server.url({ workspace: options.workspace, development: { extension: root, tests } }));
    const problem = await verdict;
    if (options.screenshot) {
      mkdirSync(path.dirname(options.screenshot), { recursive: true });
      await page.screenshot({ path: options.screenshot });
    }
    print();
    if (existsSync(reportFile)) return JSON.parse(readFileSync(reportFile, 'utf8')) as Report;
    const said = [...errors.slice(-8), server.log().slice(-1500)].join('\n');
    throw new HostError(`The tests in the extension host did not run to their end (${problem}).\n${said}`);
  } finally {
    for (const timer of timers) clearInterval(timer);
    await browser.close();
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function watchForDeath(log: string, resolve: (problem: string) => void): void {
  const death = /Extension Host Process exited with code: (\S+), signal: (\S+?)\.?\s/.exec(log);
  // a regular end is reported by the page at about the same time, and then wins
  if (death)
    setTimeout(
      () => resolve(`the extension host ended with code ${death[1]}, signal ${death[2]}`),
      3000,
    ).unref();
}
