// Takes a picture of every open window when a test fails, says so at once, and leaves out the tests that build on it.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Context } from 'mocha';
import { openWorkbenches } from './workbench.ts';

/** The tests of a file walk through one window: what comes after a failure would wait for what is not there. */
const failed = new Map<string | undefined, string>();
/** says which test is under way, to who ends a stage that hangs */
const folder = process.env['UNROLL_TESTS_RUNNING'];
const running = folder ? path.join(folder, String(process.pid)) : null;
if (folder) mkdirSync(folder, { recursive: true });

export const mochaHooks = {
  beforeEach(this: Context): void {
    const test = this.currentTest!;
    const cause = failed.get(test.file);
    if (cause) {
      console.error(`Not run, since "${cause}" failed: ${test.fullTitle()}`);
      this.skip();
    }
    if (running) writeFileSync(running, test.fullTitle());
  },

  async afterEach(this: Context): Promise<void> {
    const test = this.currentTest;
    if (running) rmSync(running, { force: true });
    if (test?.state !== 'failed') return;
    failed.set(test.file, test.title);
    // where files run side by side, their own report comes when the whole file has ended
    console.error(`Failed: ${test.fullTitle()}\n${test.err?.stack ?? test.err?.message ?? ''}`);
    const name = test.fullTitle().replace(/\W+/g, '-').slice(0, 80);
    for (const workbench of openWorkbenches) await workbench.screenshot(`failed-${name}`).catch(() => {});
  },
};
