// Models in the user's own code: PyTorch, Keras and TensorFlow.js read where they stand, and trained from there.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
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
    await (await workbench.searchInQuickPick('The adding problem')).click();
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
    // a fast machine is through with it by itself
    await workbench.runCommand('Unroll: Stop Training', () => ended(run));
    await until('it has ended', () => ended(run));
    await rows.locator('a', { hasText: 'Train' }).first().click();
    await until('the second run starts without a question', () => runFolders(workbench.folder).length === 2);
    const allEnded = () => runFolders(workbench.folder).every(ended);
    await workbench.runCommand('Unroll: Stop Training', allEnded);
    await until('it has ended too', allEnded);
  });

  it('shows the settings of its code before the first run, and trains with them', async function () {
    this.timeout(90_000);
    const rows = Array.from({ length: 400 }, (_, day) => `${day},${Math.sin(day / 9)},${Math.cos(day / 9)}`);
    writeFileSync(path.join(workbench.folder, 'waves.csv'), `day,sine,cosine\n${rows.join('\n')}\n`);
    writeFileSync(
      path.join(workbench.folder, 'waves.py'),
      `import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader

WINDOW = 12
frame = pd.read_csv("waves.csv", usecols=["sine", "cosine"])
target = "sine"

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(2, 8, batch_first=True)
        self.out = nn.Linear(8, 1)

    def forward(self, x):
        x, _ = self.rnn(x)
        return self.out(x[:, -1])

model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-4)
for epoch in range(30):
    for x, y in DataLoader(windows(frame), batch_size=16):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
`,
    );
    writeFileSync(path.join(workbench.folder, 'notes.txt'), 'Too little to learn from.\n');
    await workbench.openFile('waves.py');
    await workbench.lens('Train').click();
    const focused = workbench.page.locator('.quick-input-list .monaco-list-row.focused');
    await focused.filter({ hasText: 'waves.csv' }).waitFor();
    await workbench.screenshot('code-data');
    // what does not fit stands at the end, where the list may not have drawn it
    const tells = async (typed: string, reason: string) => {
      await workbench.page.keyboard.type(typed);
      await workbench.quickPick.filter({ hasText: reason }).first().waitFor();
      for (const _ of typed) await workbench.page.keyboard.press('Backspace');
    };
    await tells('notes', 'too short: 26 characters');
    await tells('temporal', 'gives 6 numbers a step');
    await workbench.page.keyboard.type('waves');
    await focused.filter({ hasText: 'waves.csv' }).waitFor();
    await workbench.page.keyboard.press('Enter');
    await focused.filter({ hasText: 'sine' }).waitFor();
    await workbench.page.keyboard.press('Enter');
    await workbench.quickPick.filter({ hasText: 'Optimizer: Adam, learning rate 0.01' }).waitFor();
    await workbench.quickPick.filter({ hasText: 'weight_decay=0.0001 of Adam is left out' }).waitFor();
    await workbench.screenshot('code-settings');
    const before = runFolders(workbench.folder).length;
    await workbench.quickPick.filter({ hasText: 'Train waves' }).first().click();
    await until('it has a run', () => runFolders(workbench.folder).length > before);
    const { experiment, name } = requestOf(runFolders(workbench.folder).at(-1)!);
    assert.equal(name, 'waves');
    assert.deepEqual(
      [
        experiment.training.optimizer.learningRate,
        experiment.training.batchSize,
        experiment.training.clipNorm,
      ],
      [0.01, 16, null],
    );
    // 280 training rows less a window of 12, in batches of 16, thirty times
    assert.equal(experiment.training.steps, 30 * 16);
    assert.deepEqual('window' in experiment.data && [experiment.data.window, experiment.data.features], [
      12,
      ['sine', 'cosine'],
    ]);
    const ended = (folder: string) => ['stopped', 'finished'].includes(stateOf(folder) ?? '');
    await until('it has ended', () => runFolders(workbench.folder).every(ended), 60);
    await workbench.openFile('models/torch_model.py');
  });

  it('has the sizes of a configuration that is written after it was opened', async () => {
    // in a folder that stood before: VS Code may miss what is made in a new one
    const at = (name: string) => path.join(workbench.folder, 'models', name);
    const main = '@hydra.main(config_path=".", config_name="config")\ndef main(cfg):\n    Net(cfg)\n';
    writeFileSync(at('main.py'), `import hydra\nfrom net import Net\n\n${main}`);
    const init = 'def __init__(self, cfg):\n        self.rnn = nn.GRU(cfg.inputs, cfg.hidden)\n';
    writeFileSync(at('net.py'), `from torch import nn\n\nclass Net(nn.Module):\n    ${init}`);
    await workbench.openFile('models/net.py');
    await workbench.lensText('GRU, units from outside').waitFor();
    writeFileSync(at('config.yaml'), 'inputs: 7\nhidden: 128\n');
    await workbench.lensText(/128 units by default in config\.yaml:2/).waitFor();
    await workbench.screenshot('code-configured');
    await workbench.openFile('models/torch_model.py');
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
