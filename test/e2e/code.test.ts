// Models in the user's own code: PyTorch, Keras and TensorFlow.js read where they stand, and trained from there.
import assert from 'node:assert/strict';
import { requestOf, runAtStep, runFolders, stateOf, until } from './runs.ts';
import { Workbench } from './workbench.ts';

describe('a model in code', () => {
  let workbench: Workbench;

  before(async () => {
    workbench = await Workbench.start();
  });
  after(() => workbench?.stop());

  it('has its row, counts and shapes in Python with PyTorch', async () => {
    await workbench.openFile('models/torch_model.py');
    await workbench.lens('Train').waitFor();
    await workbench.lensText(/25,088 params · GRU −25 %/).waitFor();
    await workbench.lensText(/1,152 params/).waitFor();
    await workbench.page.getByText('[B, T, 64]').first().waitFor();
    await workbench.screenshot('code-torch');
  });

  it('has a hover with equations and counts in three conventions', async () => {
    const line = workbench.page.locator('.view-line', { hasText: 'nn.LSTM(' });
    await line.locator('span span', { hasText: 'LSTM' }).last().hover();
    const hover = workbench.page.locator('.monaco-hover:visible').first();
    await hover.getByText(/of PyTorch: \[B, T, 32\] → \[B, T, 64\]/).waitFor();
    const last = hover.getByText(/multiply-adds/);
    await last.waitFor();
    await workbench.screenshot('code-hover');
    await hover.getByText(/PyTorch 25,088 · Keras 24,832 · TensorFlow\.js 24,832/).waitFor();
    const [row, box] = [await last.boundingBox(), await hover.boundingBox()];
    assert.ok(row!.y + row!.height <= box!.y + box!.height, 'its end is seen by scrolling only');
    await workbench.page.keyboard.press('Escape');
  });

  it('keeps its row as dim text while its code makes no sense', async () => {
    const { page } = workbench;
    const row = workbench.lensText(/25,088 params/);
    await page.locator('.view-line', { hasText: 'return self.out(x)' }).first().click();
    await page.keyboard.press('End');
    await page.keyboard.type(' +');
    await workbench.lensText(/25,088 params .* as last read, before the syntax error/).waitFor();
    assert.equal(await row.locator('a').count(), 0, 'it can be clicked');
    await workbench.screenshot('code-broken');
    await page.keyboard.press('Backspace');
    await page.keyboard.press('Backspace');
    await row.locator('a', { hasText: 'Train' }).waitFor();
    await workbench.runCommand('File: Save');
  });

  it('trains from its lens, with data that is asked for once', async () => {
    const rows = workbench.page.locator('.codelens-decoration', { hasText: '1,152 params' });
    await rows.locator('a', { hasText: 'Train' }).first().click();
    await workbench.quickPick.filter({ hasText: 'The adding problem' }).first().click();
    const run = await runAtStep(workbench.folder, 5);
    const { definition, experiment } = requestOf(run);
    assert.deepEqual(
      [definition?.path, definition?.model, definition?.language],
      ['models/torch_model.py', 'Adder', 'python'],
    );
    assert.equal(experiment.model.layers[0]?.type, 'rnn');
    await workbench.webview.getByText('Adder').first().waitFor();
    await workbench.lensText(/(now|last): .*1 run/).waitFor();
    await workbench.screenshot('code-training');
    const ended = (folder: string) => ['stopped', 'finished'].includes(stateOf(folder) ?? '');
    await workbench.runCommand('Unroll: Stop Training');
    await until('it has ended', () => ended(run));
    await rows.locator('a', { hasText: 'Train' }).first().click();
    await until('the second run starts without a question', () => runFolders(workbench.folder).length === 2);
    await workbench.runCommand('Unroll: Stop Training');
    await until('it has ended too', () => runFolders(workbench.folder).every(ended));
  });

  it('can be read in every theme', async () => {
    for (const theme of ['Light Modern', 'Dark High Contrast', 'Light High Contrast', 'Dark Modern']) {
      await workbench.setTheme(theme);
      await workbench.lensText(/25,088 params/).waitFor();
      await workbench.screenshot(`code-torch-${theme.toLowerCase().replaceAll(' ', '-')}`);
    }
  });

  it('has its row in Python with Keras, and opens as PyTorch', async () => {
    await workbench.openFile('models/keras_model.py');
    await workbench.lensText(/11,680 params · LSTM/).waitFor();
    await workbench.screenshot('code-keras');
    await workbench.runCommand('Unroll: Open as PyTorch');
    await workbench.page.locator('.view-line', { hasText: 'class Forecaster(nn.Module)' }).first().waitFor();
    await workbench.screenshot('code-converted');
  });

  it('has its row in TypeScript with TensorFlow.js', async () => {
    await workbench.openFile('models/tfjs-model.ts');
    await workbench.lensText(/4,352 params · GRU −25 %/).waitFor();
    await workbench.screenshot('code-tfjs');
  });

  it('leaves no error in the window', () => assert.deepEqual(workbench.problems, []));
});
