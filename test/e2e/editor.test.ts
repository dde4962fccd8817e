// An experiment in the editor: counts before any run, one squiggle and one sentence a fault, completion while typing;
// what cannot be trained is refused with one sentence, and nothing is written.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { endless, runFolders, until, writeExperiment } from './runs.ts';
import { Workbench } from './workbench.ts';

describe('an experiment in the editor', () => {
  let workbench: Workbench;
  const unroll = () => path.join(workbench.folder, '.unroll');

  before(async () => {
    workbench = await Workbench.start();
  });
  after(() => workbench?.stop());

  it('has train, compare and parameter counts above its model, before any run', async () => {
    await workbench.openFile('emma.rnn.json');
    await workbench.lens('Train').waitFor();
    await workbench.lens('Compare RNN · GRU · LSTM').waitFor();
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
    await workbench.quickPick.filter({ hasText: 'Train broken.rnn.json' }).waitFor();
    await workbench.screenshot('train-front');
    await workbench.page.keyboard.press('Enter');
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

  /** Problems of the file in front, in one text each. */
  async function problemsOf(file: string): Promise<string[]> {
    await workbench.runCommand('Problems: Focus on Problems View');
    const rows = workbench.page.locator('.markers-panel .monaco-list-row');
    const texts = await rows.allInnerTexts();
    const from = texts.findIndex(text => text.startsWith(file));
    const rest = texts.slice(from + 1);
    const to = rest.findIndex(text => /\.rnn\.json/.test(text.split('\n')[0]!));
    return from < 0 ? [] : rest.slice(0, to < 0 ? rest.length : to);
  }

  it('says a misspelt word once, with the right one as a fix', async () => {
    const misspelt = { ...endless, model: { layers: [{ type: 'lsmt', units: 8 }, { type: 'dense' }] } };
    writeExperiment(workbench.folder, 'misspelt', misspelt);
    await workbench.openFile('misspelt.rnn.json');
    await workbench.page.locator('.squiggly-error').first().waitFor();
    const texts = await until('it is among the problems', async () => {
      const found = await problemsOf('misspelt.rnn.json');
      return found.length > 0 && found;
    });
    assert.equal(texts.length, 1, texts.join('\n'));
    assert.match(texts[0]!, /did you mean "lstm"\?/);
    await workbench.runCommand('View: Toggle Panel Visibility');
    await workbench.page.locator('.view-line', { hasText: '"lsmt"' }).click();
    await workbench.runCommand('Go to Next Problem (Error, Warning, Info)');
    const fix = workbench.page.locator('.action-widget .monaco-list-row', { hasText: 'Change to "lstm"' });
    await until('the fixes are listed', async () => {
      // pressed before the problem's panel has the focus, the key does nothing
      await workbench.page.keyboard.press('Control+.');
      return fix.waitFor({ timeout: 5000 }).then(
        () => true,
        () => false,
      );
    });
    await workbench.screenshot('editor-misspelt');
    await workbench.page.keyboard.press('Enter');
    await workbench.page.locator('.view-line', { hasText: '"lstm"' }).first().waitFor();
    await until('it is gone', async () => (await workbench.page.locator('.squiggly-error').count()) === 0);
    await workbench.runCommand('File: Save');
  });

  it('shows what is wrong with the data, at its place, until the data are mended', async () => {
    const forecast = {
      data: { task: 'forecast', path: 'data/sales.csv', target: 'amount' },
      model: { layers: [{ type: 'lstm', units: 8 }, { type: 'dense' }] },
    };
    writeExperiment(workbench.folder, 'sales', forecast);
    await workbench.openFile('sales.rnn.json');
    await workbench.page.locator('.squiggly-error').first().waitFor();
    const missing = await until('the missing file is told', async () => {
      const found = await problemsOf('sales.rnn.json');
      return found.length > 0 && found;
    });
    assert.match(missing.join('\n'), /sales\.csv/);
    await workbench.screenshot('editor-data-missing');
    const rows = Array.from({ length: 300 }, (_, day) => `${day},shop,${Math.sin(day)}`).join('\n');
    const file = path.join(workbench.folder, 'data/sales.csv');
    writeFileSync(file, `day,amount,size\n${rows}\n`);
    const words = await until('the column without numbers is told', async () => {
      const found = await problemsOf('sales.rnn.json');
      return found.some(text => /amount/.test(text)) && found;
    });
    assert.equal(words.length, 1, words.join('\n'));
    await workbench.screenshot('editor-data-column');
    writeFileSync(file, `day,size,amount\n${rows}\n`);
    await until('nothing is wrong', async () => (await problemsOf('sales.rnn.json')).length === 0);
    await workbench.runCommand('View: Toggle Panel Visibility');
  });

  it('completes data files, and the columns of the file', async () => {
    await workbench.openFile('sales.rnn.json');
    const completed = async (line: string, end: string, word: string) => {
      await workbench.page.locator('.view-line', { hasText: line }).click();
      await workbench.page.keyboard.press('End');
      // to where the value begins, behind its quote
      for (const _ of end) await workbench.page.keyboard.press('ArrowLeft');
      await workbench.page.keyboard.press('Control+Space');
      const rows = workbench.page.locator('.suggest-widget .monaco-list-row', { hasText: word });
      await rows.first().waitFor();
      const first = await workbench.page.locator('.suggest-widget .monaco-list-row').first().innerText();
      assert.notEqual(first.trim(), '""', 'the empty text stands before the values');
      await workbench.screenshot(`editor-completion-${word.replace(/\W/g, '-')}`);
      await workbench.page.keyboard.press('Escape');
    };
    await completed('"path"', 'data/sales.csv",', 'data/co2-concentration.csv');
    await completed('"target"', 'amount"', 'size');
  });

  it('is not trained without the data, naming the file', async () => {
    const data = { task: 'char-lm', path: 'nowhere.txt' };
    const layers = [{ type: 'lstm', units: 8 }, { type: 'dense' }];
    writeExperiment(workbench.folder, 'no-data', { data, model: { layers } });
    await workbench.openFile('no-data.rnn.json');
    await workbench.lens('Train').click();
    await workbench.notification('nowhere.txt').waitFor();
    await workbench.screenshot('refused-no-data');
    await workbench.clearNotifications();
    assert.deepEqual(runFolders(workbench.folder), []);
  });

  it('is not trained where runs cannot be written, naming the folder', async () => {
    writeExperiment(workbench.folder, 'endless', endless);
    if (process.getuid?.() === 0)
      writeFileSync(unroll(), ''); // root may write anywhere, but not into a file
    else chmodSync(workbench.folder, 0o555);
    try {
      await workbench.openFile('endless.rnn.json');
      await workbench.lens('Train').click();
      await workbench.notification(unroll()).waitFor();
      await workbench.screenshot('refused-read-only');
      await workbench.clearNotifications();
    } finally {
      chmodSync(workbench.folder, 0o755);
    }
    assert.deepEqual(runFolders(workbench.folder), []);
  });

  it('is not trained with more units than memory, telling how much it would take', async () => {
    writeExperiment(workbench.folder, 'huge', {
      ...endless,
      model: { layers: [{ type: 'lstm', units: 1e9 }, { type: 'dense' }] },
    });
    await workbench.openFile('huge.rnn.json');
    await workbench.lens('Train').click();
    await workbench.notification(/[MGTPE]B/).waitFor();
    await workbench.screenshot('refused-too-large');
    assert.deepEqual(runFolders(workbench.folder), []);
  });

  it('leaves no error in the window', () => assert.deepEqual(workbench.problems, []));
});
