// The list of runs as a person uses it: by keys and menu, with the dashboard open beside it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { type MadeRun, makeRun } from '../host/suite/made-runs.ts';
import { until } from './runs.ts';
import { Workbench } from './workbench.ts';

describe('the list of runs', () => {
  let workbench: Workbench;
  const folders = new Map<string, string>();
  const ends: (() => void)[] = [];

  before(async () => {
    workbench = await Workbench.start();
    const made: MadeRun[] = [
      { name: 'alpha', state: 'training' },
      { name: 'beta', state: 'finished', valLoss: 0.5 },
      { name: 'gamma', state: 'finished', valLoss: 0.25 },
      { name: 'delta', state: 'diverged' },
      { name: 'epsilon', state: 'stopped' },
      { name: 'zeta', state: 'failed', message: 'The data is not there.' },
    ];
    for (const [index, run] of made.entries()) {
      const { folder, end } = makeRun(workbench.folder, { ...run, minutesAgo: index * 90 });
      folders.set(run.name, folder);
      ends.push(end);
    }
    await workbench.runCommand('Unroll: Open Dashboard');
    await row('zeta').waitFor();
  });
  after(async () => {
    // else this process would be ended as the worker that it stands for
    for (const end of ends) end();
    await workbench?.stop();
  });

  const row = (name: string): Locator =>
    workbench.page.locator('.pane-body .monaco-list-row', { hasText: name }).first();
  const press = (key: string) => workbench.page.keyboard.press(key);
  const shown = (name: string) => workbench.webview.locator('h1, h2', { hasText: name }).first().waitFor();
  const isGone = (name: string) => () => !existsSync(folders.get(name)!);

  async function answer(...buttons: string[]): Promise<void> {
    for (const name of buttons)
      await workbench.page.locator('.monaco-dialog-box').getByRole('button', { name, exact: true }).click();
  }

  it('is walked by arrow keys after a click, and F2 renames the run they went to', async () => {
    await row('beta').click();
    await shown('beta');
    await press('ArrowDown');
    await press('F2');
    const input = workbench.page.locator('.quick-input-widget input[type="text"]').first();
    await until('the name is offered', async () => (await input.inputValue()) === 'gamma');
    await input.fill('   ');
    await workbench.page.getByText('A name has at least one character.').waitFor();
    await press('Enter');
    await input.fill('omega');
    await workbench.screenshot('runs-rename');
    await press('Enter');
    await row('omega').waitFor();
    await shown('omega');
    assert.equal(await row('gamma').count(), 0);
    await row('beta').waitFor();
  });

  it('asks before Delete takes the run, and Escape keeps it', async () => {
    await row('omega').click();
    await press('ArrowDown');
    await press('Delete');
    await workbench.page.getByText('Delete the run "delta"?').waitFor();
    await workbench.screenshot('runs-delete');
    await press('Escape');
    await row('delta').waitFor();
    assert.ok(!isGone('delta')());
  });

  it('deletes the run that the dashboard shows, which goes to the newest', async () => {
    await row('omega').click();
    await shown('omega');
    await row('omega').click({ button: 'right' });
    // a menu hears no click in its first moment, so that none is meant for what was there before
    await workbench.page.getByRole('menuitem', { name: 'Delete Run…' }).hover();
    await press('Enter');
    // this machine's server has no trash
    await answer('Move to Trash', 'Delete Permanently');
    await until('it is gone', isGone('gamma'));
    await row('omega').waitFor({ state: 'detached' });
    await shown('alpha');
  });

  it('knows what a key means while the runs go on', async () => {
    const file = path.join(folders.get('alpha')!, 'status.json');
    const status = JSON.parse(readFileSync(file, 'utf8'));
    const training = setInterval(() => {
      status.step++;
      writeFileSync(`${file}.new`, JSON.stringify(status));
      renameSync(`${file}.new`, file);
    }, 20);
    try {
      await row('beta').click();
      for (const name of ['delta', 'beta', 'delta', 'beta', 'delta', 'beta', 'delta', 'beta']) {
        await press(name === 'delta' ? 'ArrowDown' : 'ArrowUp');
        await press('Delete');
        await workbench.page.getByText(`Delete the run "${name}"?`).waitFor();
        await press('Escape');
        await workbench.page.locator('.monaco-dialog-box').waitFor({ state: 'detached' });
      }
    } finally {
      clearInterval(training);
    }
  });

  it('refuses to delete a run that trains', async () => {
    await row('alpha').click();
    await press('Delete');
    await workbench.notification('alpha is training. Stop it before it is deleted.').waitFor();
    await workbench.clearNotifications();
    assert.ok(!isGone('alpha')());
  });

  it('deletes several at once', async () => {
    await row('delta').click();
    await row('epsilon').click({ modifiers: ['Control'] });
    await press('Delete');
    await workbench.page.getByText('Delete 2 runs?').waitFor();
    await answer('Move to Trash', 'Delete Permanently');
    await until('both are gone', () => isGone('delta')() && isGone('epsilon')());
    await row('epsilon').waitFor({ state: 'detached' });
  });

  it('drops a run whose folder is deleted from outside while it is shown', async () => {
    await row('zeta').click();
    await shown('zeta');
    rmSync(folders.get('zeta')!, { recursive: true });
    await row('zeta').waitFor({ state: 'detached' });
    await shown('alpha');
    assert.equal(await workbench.page.locator('.notification-list-item').count(), 0);
  });

  it('counts what trains on its icon, also while another view is shown', async () => {
    const badge = workbench.page.locator('.activitybar .action-item', {
      has: workbench.page.locator('a[aria-label^="Unroll"]'),
    });
    await badge.locator('.badge-content', { hasText: '1' }).waitFor();
    await workbench.runCommand('View: Show Explorer');
    const { folder } = makeRun(workbench.folder, { name: 'iota', state: 'finished' });
    ends.shift()!();
    rmSync(folders.get('alpha')!, { recursive: true });
    await badge.locator('.badge-content:visible').waitFor({ state: 'detached' });
    assert.ok(existsSync(folder));
  });

  it('leaves no error in the window', () => assert.deepEqual(workbench.problems, []));
});
