// Takes a picture of every open window when a test fails.
import type { Context } from 'mocha';
import { openWorkbenches } from './workbench.ts';

export const mochaHooks = {
  async afterEach(this: Context): Promise<void> {
    if (this.currentTest?.state !== 'failed') return;
    const name = this.currentTest.fullTitle().replace(/\W+/g, '-').slice(0, 80);
    for (const workbench of openWorkbenches) await workbench.screenshot(`failed-${name}`).catch(() => {});
  },
};
