// An experiment in the editor: counts before any run, one squiggle and one sentence a fault, completion while typing.
import assert from 'node:assert/strict';
import { endless, runFolders, until, writeExperiment } from './runs.ts';
import { Workbench } from './workbench.ts';

describe('an experiment in the editor', () => {
  let workbench: Workbench;

  before(async () => {
    workbench = await Workbench.start();
  });
  after(() => workbench?.stop());

  it('has train, compare and parameter counts above its model, before any run', async () => {
    await workbench.openFile('emma.rnn.json');
    await workbench.lens('Train').waitFor();
    await workbench.lens('Compare RNN · LSTM · GRU').waitFor();
    await workbench.lensText(/LSTM 82,944 · GRU 62,208 \(−25 %, PyTorch count\)/).waitFor();
    await workbench.screenshot('editor-lenses');
  });

  it('shows each fault with one sentence at its place', async () => {
    const broken = {
      ...endless,
      model: { layers: [{ type: 'lstm', units: 0 }, { type: 'dense' }] },
      colour: 1,
    };
    writeExperiment(workbench.folder, 'broken', broken);
    await workbench.openFile('broken.rnn.json');
    await until('two squiggles stand in the file', async () => {
      return (await workbench.page.locator('.squiggly-error').count()) >= 2;
    });
    await workbench.runCommand('Problems: Focus on Problems View');
    const rows = workbench.page.locator('.markers-panel .monaco-list-row', { hasText: 'unroll' });
    await rows.first().waitFor();
    const texts = await rows.allInnerTexts();
    assert.equal(texts.length, 2, texts.join('\n'));
    assert.ok(
      texts.some(text => text.includes('units') && text.includes('0')),
      texts.join('\n'),
    );
    assert.ok(
      texts.some(text => text.includes('colour')),
      texts.join('\n'),
    );
    await workbench.screenshot('editor-faults');
    await workbench.runCommand('View: Toggle Panel Visibility');
  });

  it('is not trained while it is wrong, and says why', async () => {
    await workbench.openFile('broken.rnn.json');
    await workbench.runCommand('Unroll: Train RNN');
    await workbench.notification(/broken\.rnn\.json|units|colour/).waitFor();
    assert.deepEqual(runFolders(workbench.folder), []);
    await workbench.clearNotifications();
  });

  it('completes keys and values from the schema', async () => {
    await workbench.openFile('emma.rnn.json');
    await workbench.page.locator('.view-line', { hasText: '"name"' }).click();
    for (const key of ['End', 'Enter']) await workbench.page.keyboard.press(key);
    await workbench.page.keyboard.press('Control+Space');
    const suggestion = workbench.page
      .locator('.suggest-widget .monaco-list-row', { hasText: 'probes' })
      .first();
    await suggestion.waitFor();
    await workbench.screenshot('editor-completion');
    await workbench.page.keyboard.press('Escape');
  });

  it('leaves no error in the window', () => assert.deepEqual(workbench.problems, []));
});
