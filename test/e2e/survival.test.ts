// What training and dashboard outlive: a reload, a closed window, a killed worker, a hidden page, a second window, a deleted folder.
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {
  endless,
  eventsOf,
  isAlive,
  runAtStep,
  runFolders,
  stateOf,
  stepOf,
  until,
  workerOf,
  writeExperiment,
} from './runs.ts';
import { Workbench } from './workbench.ts';

/** Steps of the loss table, which has a row for every validation. */
async function shownSteps(workbench: Workbench): Promise<Set<number>> {
  const button = workbench.webview.getByRole('button', { name: 'Show the loss as a data table' });
  const cells = workbench.webview.locator('#loss table tbody tr td:first-child');
  // a page that begins as the last one was left may turn the button between a look and a click
  await until('the table is shown', async () => {
    if ((await button.getAttribute('aria-pressed')) !== 'true') await button.click();
    return (await cells.count()) > 0;
  });
  return new Set((await cells.allInnerTexts()).map(Number));
}

function validations(run: string): number[] {
  return eventsOf(run).flatMap(event =>
    event.kind === 'scalars' && 'valLoss' in event.values ? event.step : [],
  );
}

/** Every validation that the run folder holds stands in the dashboard's table. */
async function assertComplete(workbench: Workbench, run: string): Promise<void> {
  const written = validations(run);
  assert.ok(written.length > 0);
  let missing = written;
  await until('the dashboard shows every validation', async () => {
    const shown = await shownSteps(workbench);
    missing = written.filter(step => !shown.has(step));
    return missing.length === 0;
  }).catch(error => assert.fail(`${error.message} Missing: ${missing.join(' ')}`));
}

describe('training outlives', () => {
  let workbench: Workbench;
  let run: string;

  before(async () => {
    workbench = await Workbench.start();
    writeExperiment(workbench.folder, 'endless', endless);
    await workbench.openFile('endless.rnn.json');
    await workbench.lens('Train').click();
    run = await runAtStep(workbench.folder, 2000);
    await workbench.runCommand('Unroll: Open Dashboard');
  });
  after(async () => {
    const pid = run && workerOf(run);
    if (pid && isAlive(pid)) process.kill(pid, 'SIGTERM');
    await workbench?.stop();
  });

  it('a reload of the window, and the dashboard comes back with nothing missing', async () => {
    await assertComplete(workbench, run);
    const pid = workerOf(run)!;
    const step = stepOf(run);
    // VS Code says so of a tree that is shown for two seconds without one
    await workbench.page.addInitScript(() => {
      const said = window as unknown as { saidNoProvider?: boolean };
      new MutationObserver(() => {
        if (document.body?.innerText.includes('There is no data provider')) said.saidNoProvider = true;
      }).observe(document, { subtree: true, childList: true });
    });
    // what VS Code has kept of the page by now: drawn by the first HTML, before anything is read
    await until('the page begins with the picture of before', async () => {
      // a page that has just been drawn has kept none yet
      const before = stepOf(run);
      await until('training goes on', () => stepOf(run) > before + 5000);
      await workbench.reload();
      // the page may have kept that the loss was shown as a table
      await workbench.webview.locator('#loss :is(canvas, table):visible').first().waitFor();
      return workbench.webview
        .locator('style')
        .evaluateAll(all => all.some(({ textContent }) => /url\("?data:image\/png/.test(textContent)));
    });
    await assertComplete(workbench, run);
    assert.equal(workerOf(run), pid);
    assert.ok(stepOf(run) > step);
    assert.equal(
      await workbench.page.evaluate(() => (window as unknown as { saidNoProvider?: boolean }).saidNoProvider),
      undefined,
    );
    await workbench.screenshot('after-reload');
  });

  it('a closed window', async () => {
    const step = stepOf(run);
    await workbench.close();
    await until('training went on without a window', () => stepOf(run) > step + 100);
    await workbench.open();
    await workbench.runCommand('Unroll: Open Dashboard');
    await assertComplete(workbench, run);
  });

  it('a dashboard that is hidden and shown again', async () => {
    await workbench.runCommand('View: Show Explorer');
    const step = stepOf(run);
    await until('steps were made unseen', () => stepOf(run) > step + 200);
    await workbench.runCommand('Unroll: Open Dashboard');
    await assertComplete(workbench, run);
  });

  it('a second window on the same folder, which shows and controls the same run', async () => {
    const page = await workbench.openPage();
    const first = workbench.page;
    workbench.page = page;
    await workbench.runCommand('Unroll: Open Dashboard');
    await assertComplete(workbench, run);
    await workbench.webview.getByRole('button', { name: 'Pause', exact: true }).first().click();
    await until('the run is paused', () => stateOf(run) === 'paused');
    workbench.page = first;
    await workbench.webview.getByRole('button', { name: 'Resume', exact: true }).first().click();
    await until('the run goes on', () => stateOf(run) === 'training');
    await page.close();
    assert.equal(runFolders(workbench.folder).length, 1);
  });

  it('kill -9: the run is shown as crashed at its step, and goes on from its last checkpoint', async () => {
    await until('there is a checkpoint', () => eventsOf(run).some(({ kind }) => kind === 'checkpoint'));
    const killed = workerOf(run)!;
    process.kill(killed, 'SIGKILL');
    const events = eventsOf(run);
    const checkpoint = events.findLast(({ kind }) => kind === 'checkpoint')!.step;
    await workbench.webview
      .getByText(/ended unexpectedly at step/)
      .first()
      .waitFor();
    await workbench.screenshot('crashed');
    await workbench.webview
      .getByText(/^Resume from step/)
      .first()
      .click();
    const resumed = await until('the run goes on', () =>
      eventsOf(run)
        .slice(events.length)
        .find(event => event.kind === 'resumed'),
    );
    // a checkpoint is on the disk a moment before its event
    assert.ok(resumed.fromStep >= checkpoint, `${resumed.fromStep} < ${checkpoint}`);
    assert.notEqual(workerOf(run), killed);
    await until('it gets beyond where it was', () => stepOf(run) > events.at(-1)!.step);
  });

  it('only until its folder is deleted: then the worker ends, and the window says nothing wrong', async () => {
    const pid = workerOf(run)!;
    const runs = path.join(workbench.folder, '.unroll', 'runs');
    // the worker goes on writing into what is being removed, until it sees that its folder is gone
    await until('the folder is gone', () => {
      try {
        rmSync(runs, { recursive: true, force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
      }
      return !existsSync(runs);
    });
    await until('the worker has ended', () => !isAlive(pid));
    assert.ok(!existsSync(run) || runFolders(workbench.folder).length === 0);
    await workbench.screenshot('deleted-in-mid-run');
  });

  it('leaves no error in the window', () => assert.deepEqual(workbench.problems, []));
});
