// What a run found, in the window: at the layer that was trained, with edits that can be made, and said when it is over.
import assert from 'node:assert/strict';
import process from 'node:process';
import { parseExperiment } from '../../src/experiment/parse.ts';
import { createRun } from '../../src/runs/create.ts';
import type { DefinitionSource, Fix } from '../../src/runs/format.ts';
import { RunWriter } from '../../src/runs/writer.ts';
import { endless, runAtStep, stateOf, until, workerOf, writeExperiment } from './runs.ts';
import { Workbench } from './workbench.ts';

const vanishing = { ...endless, model: { layers: [{ type: 'rnn', units: 64 }, { type: 'dense' }] } };
const text = `${JSON.stringify(vanishing, null, 2)}\n`;
const fixes: Fix[] = [
  { title: 'Use an LSTM', edits: [{ path: ['model', 'layers', 0, 'type'], value: 'lstm' }] },
  { title: 'Use a GRU', edits: [{ path: ['model', 'layers', 0, 'type'], value: 'gru' }] },
];

/** A finished run whose first layer's gradient vanished at step 40 of 400. */
function runWithFinding(workspace: string, name: string, definition: DefinitionSource | null): void {
  const folder = createRun(
    { workspace },
    {
      name,
      experiment: parseExperiment(text).experiment!,
      definition,
      group: null,
      engine: 'auto',
      threads: null,
      base: workspace,
      workspace,
      allowedPaths: [],
    },
  );
  const writer = RunWriter.open(folder);
  writer.event({ kind: 'started', step: 0, time: 0 });
  writer.event({
    kind: 'finding',
    step: 40,
    time: 1,
    finding: {
      id: 'vanishing',
      severity: 'warning',
      message:
        'The gradient vanishes: after 40 updates its norm at the first of 20 steps is 4e-6 of that at the last.',
      layer: 'layers.0',
      evidence: { valLoss: 0.0497, baseline: 1 / 6 },
      fixes,
    },
  });
  writer.status({ state: 'finished', step: 400, steps: 400, last: { valLoss: 0.157 } });
  writer.close();
}

describe('a finding in the window', () => {
  let workbench: Workbench;

  before(async () => {
    workbench = await Workbench.start({ size: { width: 1500, height: 1000 } });
  });
  after(() => workbench?.stop());

  it('covers the layer alone, follows what came after, and goes with another model', async () => {
    const { page, folder } = workbench;
    writeExperiment(folder, 'found', vanishing);
    runWithFinding(folder, 'found', { path: 'found.rnn.json', line: 1, language: 'rnn-json', text });
    await workbench.openFile('found.rnn.json');
    await workbench.lensText(/last: val 0\.16/).waitFor();
    await page.locator('.squiggly-warning').first().waitFor();
    await workbench.runCommand('Problems: Focus on Problems View');
    const row = page.locator('.markers-panel .monaco-list-row', { hasText: 'vanishes' });
    await row.filter({ hasText: 'Since then the validation loss went to 0.157 (step 400).' }).waitFor();
    await workbench.screenshot('finding-editor');
    await page.locator('.view-line', { hasText: '"units": 64' }).click();
    await page.keyboard.press('End');
    await page.keyboard.press('Backspace');
    await page.keyboard.type('0');
    await workbench.lensText(/before this edit: val 0\.16/).waitFor();
    assert.equal(await workbench.lens(/before this edit/).count(), 0, 'it can be clicked');
    await row.waitFor({ state: 'detached' });
    await workbench.screenshot('finding-before-edit');
    await workbench.runCommand('File: Revert File');
    await workbench.runCommand('View: Toggle Panel Visibility');
  });

  it('of a run that no file stands for opens a copy with the edit made', async () => {
    const { page, folder } = workbench;
    runWithFinding(folder, 'from the palette', { path: null, line: 0, language: 'rnn-json', text });
    await workbench.runCommand('Unroll: Open Dashboard');
    await workbench.webview.getByRole('button', { name: 'Use a GRU' }).first().click();
    await page.locator('.tabs-container .tab.active', { hasText: 'from-the-palette.rnn.json' }).waitFor();
    await page.locator('.view-line', { hasText: '"gru"' }).first().waitFor();
    await workbench.notification(/"Use a GRU" is made in a copy of what from the palette trained/).waitFor();
    await page.getByRole('button', { name: 'Save as Experiment…' }).first().waitFor();
    await workbench.screenshot('finding-copy');
    await workbench.clearNotifications();
  });

  it('is not needed to learn that a worker was killed', async () => {
    const { folder } = workbench;
    writeExperiment(folder, 'endless', endless);
    await workbench.openFile('endless.rnn.json');
    await workbench.lens('Train').click();
    const run = await runAtStep(folder, 700);
    await workbench.statusBar('endless').waitFor();
    process.kill(workerOf(run)!, 'SIGKILL');
    await workbench.notification(/endless ended unexpectedly at step/).waitFor();
    await workbench.screenshot('worker-killed');
    await workbench.page.getByRole('button', { name: 'Resume', exact: true }).first().click();
    await until('it trains again', () => (workerOf(run) ?? 0) > 0);
    await workbench.runCommand('Unroll: Stop Training', () => stateOf(run) === 'stopped');
  });

  it('leaves no error in the window', () => assert.deepEqual(workbench.problems, []));
});
