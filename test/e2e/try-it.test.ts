// Try It in the real window: a finished run is asked from the palette and from its dashboard, and what it says is shown.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { runFolders, stateOf, until, writeExperiment } from './runs.ts';
import { Workbench } from './workbench.ts';

const training = { steps: 60, batchSize: 8, validation: { every: 30, maxBatches: 1 } };
const read = [
  { type: 'embedding', dim: 8 },
  { type: 'gru', units: 12 },
];

const names = {
  data: { task: 'classify', path: 'kinds.tsv', text: 'text', label: 'kind' },
  model: { layers: [...read, { type: 'dense' }] },
  training,
};

const pairs = {
  data: { task: 'reverse', length: 4 },
  model: {
    encoder: read,
    layers: [...read, { type: 'attention', score: 'general' }, { type: 'dense' }],
  },
  training,
};

const text = {
  data: { task: 'char-lm', path: 'short.txt' },
  model: { layers: [...read, { type: 'dense' }] },
  training: { ...training, seqLen: 16 },
};

describe('Try It', () => {
  let workbench: Workbench;

  before(async () => {
    workbench = await Workbench.start();
    const rows = Array.from({ length: 60 }, (_, i) =>
      i % 2 ? `${'ab'.repeat(1 + (i % 4))}\tab` : `${'cd'.repeat(1 + (i % 3))}\tcd`,
    );
    writeFileSync(path.join(workbench.folder, 'kinds.tsv'), `text\tkind\n${rows.join('\n')}\n`);
    writeFileSync(path.join(workbench.folder, 'short.txt'), 'all is well that ends well. '.repeat(80));
    writeExperiment(workbench.folder, 'names', names);
    writeExperiment(workbench.folder, 'pairs', pairs);
    writeExperiment(workbench.folder, 'text', text);
  });
  after(() => workbench?.stop());

  async function train(name: string): Promise<void> {
    const before = runFolders(workbench.folder).length;
    await workbench.openFile(`${name}.rnn.json`);
    await workbench.lens('Train').click();
    await until(`${name} has learned`, () => {
      const runs = runFolders(workbench.folder);
      return runs.length > before && stateOf(runs.at(-1)!) === 'finished';
    });
  }

  const section = () => workbench.webview.locator('#try');
  const answer = () => section().locator('.body');

  it('classifies what is typed, from the palette and by keys alone', async () => {
    await train('names');
    await workbench.runCommand('View: Close All Editors');
    await workbench.runCommand('Unroll: Open Dashboard to the Side');
    await workbench.runCommand('View: Toggle Primary Side Bar Visibility');
    await workbench.runCommand('Unroll: Try It…');
    const typed = section().getByLabel('Text');
    await until('the text has the focus', () =>
      typed.evaluate(element => element === document.activeElement),
    );
    await workbench.page.keyboard.type('ababab');
    await workbench.page.keyboard.press('Control+Enter');
    await answer().getByText('Answer: ab').waitFor();
    const rows = await answer().getByRole('table', { name: 'Probabilities of the class' }).innerText();
    assert.match(rows, /ab\s+\d+\.\d %[\s\S]*cd\s+\d+\.\d %/);
    await answer().getByText('GRU (layers.1): 12 units').waitFor();
    await answer().getByText('numbers').click();
    await answer()
      .getByRole('table', { name: /States of GRU/ })
      .waitFor();
    await workbench.screenshot('try-classify');
  });

  it('takes a row of the data, with its truth, and says where there is none', async () => {
    const row = section().getByLabel('or sequence of the data');
    await row.fill('3');
    await section().getByText('Answer for This Sequence').click();
    await answer().getByText('row 3 of 60').waitFor();
    await answer()
      .getByText(/^Answer: .*\((right|truth: \w+)\)$/)
      .waitFor();
    await row.fill('61');
    await section().getByText('Answer for This Sequence').click();
    await answer().getByText('There is no sequence 61: the data hold 60 sequences.').waitFor();
  });

  it('writes a target and shows where it looked', async () => {
    await train('pairs');
    await workbench.runCommand('Unroll: Open Dashboard to the Side');
    await workbench.runCommand('View: Toggle Primary Side Bar Visibility');
    const button = workbench.webview.getByRole('button', { name: 'Try it' });
    await until('the newest run is shown', () => section().getByLabel('Source').isVisible());
    await button.click();
    await section().getByLabel('Source').fill('abcd');
    await section().getByText('Answer', { exact: true }).click();
    await answer().getByText('where the decoder looks').waitFor();
    await answer().getByText('GRU (encoder.1): 12 units').scrollIntoViewIfNeeded();
    await workbench.screenshot('try-pairs');
  });

  it('goes on with a text by the temperature that is asked for', async () => {
    await train('text');
    await workbench.runCommand('Unroll: Open Dashboard to the Side');
    await workbench.runCommand('View: Toggle Primary Side Bar Visibility');
    await until('the newest run is shown', () => section().getByLabel('Text to go on with').isVisible());
    await section().getByLabel('Text to go on with').fill('all is ');
    await section().getByLabel('temperature').fill('0');
    await section().getByLabel('length').fill('40');
    await section().getByText('Answer', { exact: true }).click();
    await answer().getByText('next character').first().waitFor();
    const steps = answer().getByRole('table', { name: 'Answer step by step' });
    assert.equal(await steps.locator('tbody tr').count(), 40);
    await steps.scrollIntoViewIfNeeded();
    // always the likeliest
    assert.equal(await steps.locator('tbody tr td:nth-child(3)').first().innerText(), '1');
    await workbench.screenshot('try-text');
  });

  it('has no fault that axe-core knows, and leaves no error in the window', async () => {
    assert.deepEqual(await workbench.accessibilityFaults(), []);
    assert.deepEqual(workbench.problems, []);
  });
});
