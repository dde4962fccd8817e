// Layers of every family in the real window: named while typing, told by a hover, trained, and each in the gradient map.
import assert from 'node:assert/strict';
import { LAYER_TYPES } from '../../src/experiment/layers/index.ts';
import { runFolders, stateOf, until, writeExperiment } from './runs.ts';
import { Workbench } from './workbench.ts';

const training = { steps: 20, batchSize: 4, validation: { every: 10, maxBatches: 1 } };

const families = {
  data: { task: 'copy-memory', length: 6, items: 2 },
  model: {
    layers: [
      { type: 'dense', units: 8 },
      { type: 'min-gru', units: 8 },
      { type: 'mamba', units: 8, stateSize: 4 },
      { type: 'deltanet', units: 8, heads: 2 },
      { type: 'ind-rnn', units: 8 },
      { type: 'wavenet', units: 8, layers: 2 },
      { type: 'transformer', heads: 2 },
      { type: 'dense' },
    ],
  },
  training,
  probes: { gradientFlow: { every: 5 } },
};

const pairs = {
  data: { task: 'reverse', length: 4 },
  model: {
    encoder: [
      { type: 'embedding', dim: 8 },
      { type: 'gru', units: 8 },
    ],
    layers: [
      { type: 'embedding', dim: 8 },
      { type: 'gru', units: 8 },
      { type: 'attention', score: 'general' },
      { type: 'dense' },
    ],
  },
  training: { ...training, sample: { every: 10 } },
};

describe('layers of every family', () => {
  let workbench: Workbench;

  before(async () => {
    workbench = await Workbench.start({ settings: { 'editor.minimap.enabled': false } });
    writeExperiment(workbench.folder, 'families', families);
    writeExperiment(workbench.folder, 'pairs', pairs);
  });
  after(() => workbench?.stop());

  it('are told by their equations and their paper', async () => {
    await workbench.openFile('families.rnn.json');
    await workbench.lensText(/minGRU → … → Transformer, 3,365 parameters/).waitFor();
    const word = workbench.page.locator('.view-line', { hasText: '"mamba"' }).locator('span span');
    await word.last().hover();
    const hover = workbench.page.locator('.monaco-hover:visible').first();
    await hover.getByText(/arXiv 2312\.00752/).waitFor();
    await hover.getByText(/h_t = exp\(Δ A\)/).waitFor();
    await workbench.screenshot('kinds-hover');
    await workbench.page.keyboard.press('Escape');
  });

  it('are all named by completion', async () => {
    const { page } = workbench;
    await page.locator('.view-line', { hasText: '"mamba"' }).click();
    await page.keyboard.press('End');
    for (const _ of 'mamba",') await page.keyboard.press('ArrowLeft');
    for (const _ of 'mamba') await page.keyboard.press('Delete');
    await page.keyboard.press('Control+Space');
    const focused = page.locator('.suggest-widget .monaco-list-row.focused');
    const name = async () => /"([\w-]+)"/.exec((await focused.first().getAttribute('aria-label')) ?? '')?.[1];
    const found = new Set<string>();
    // the list has no more rows in the page than are seen, and begins anew after its end
    for (let next = await until('a type is offered', name); !found.has(next); ) {
      found.add(next);
      await page.keyboard.press('ArrowDown');
      const before = next;
      next = await until('the next one is in focus', async () => {
        const now = await name();
        return now !== before && now;
      });
    }
    await workbench.screenshot('kinds-completion');
    assert.deepEqual([...found].sort(), [...LAYER_TYPES].sort());
    await page.keyboard.press('Escape');
    await workbench.runCommand('File: Revert File');
  });

  async function train(name: string): Promise<void> {
    const before = runFolders(workbench.folder).length;
    await workbench.openFile(`${name}.rnn.json`);
    await workbench.lens('Train').click();
    await until(`${name} has learned`, () => {
      const runs = runFolders(workbench.folder);
      return runs.length > before && stateOf(runs.at(-1)!) === 'finished';
    });
  }

  it('have a map of the gradient each, and keep their name in another one', async () => {
    await train('families');
    await workbench.runCommand('View: Close All Editors');
    await workbench.runCommand('Unroll: Open Dashboard to the Side');
    await workbench.runCommand('View: Toggle Primary Side Bar Visibility');
    const flow = workbench.webview.locator('#flow');
    const options = flow.locator('vscode-single-select > vscode-option');
    await until('the layers are offered', async () => (await options.count()) > 0);
    assert.deepEqual(await options.allTextContents(), [
      'Dense',
      'minGRU',
      'Mamba',
      'DeltaNet',
      'IndRNN',
      'WaveNet',
      'Transformer',
    ]);
    await flow.locator('vscode-single-select').click();
    await flow.locator('vscode-single-select .option', { hasText: 'DeltaNet' }).click();
    await flow.getByText(/T, DeltaNet/).waitFor();
    await workbench.screenshot('kinds-flow');
    await flow.getByRole('radio', { name: 'Jacobian' }).click();
    await flow.getByText(/T, DeltaNet/).waitFor();
    await workbench.setTheme('Light High Contrast');
    assert.deepEqual(await workbench.accessibilityFaults(), []);
    await workbench.screenshot('kinds-high-contrast');
    await workbench.setTheme('Dark Modern');
  });

  it('leave nothing of eight metrics and an alignment beyond the edge of side bar and tab', async () => {
    await train('pairs');
    await workbench.runCommand('View: Close All Editors');
    await workbench.runCommand('Unroll: Open Dashboard to the Side');
    await workbench.page.setViewportSize({ width: 760, height: 2400 });
    const metrics = workbench.webview.locator('#loss vscode-option');
    await metrics.filter({ hasText: 'BLEU over units, free-running' }).first().waitFor({ state: 'attached' });
    await workbench.webview.locator('.alignment canvas').first().waitFor();
    const overhang = () =>
      workbench.webview.locator('html').evaluate(page => page.scrollWidth - page.clientWidth);
    await until('nothing is beyond the edge of the side bar', async () => (await overhang()) <= 0);
    await workbench.screenshot('kinds-pairs');
    await workbench.runCommand('View: Toggle Primary Side Bar Visibility');
    await until('nothing is beyond the edge of the tab', async () => (await overhang()) <= 0);
    await workbench.screenshot('kinds-pairs-tab');
  });

  it('leave no error in the window', () => assert.deepEqual(workbench.problems, []));
});
