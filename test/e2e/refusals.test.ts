// What cannot be trained is refused with one sentence, and nothing is written.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { endless, runFolders, writeExperiment } from './runs.ts';
import { Workbench } from './workbench.ts';

describe('training is refused', () => {
  let workbench: Workbench;
  const unroll = () => path.join(workbench.folder, '.unroll');

  before(async () => {
    workbench = await Workbench.start();
    writeExperiment(workbench.folder, 'endless', endless);
  });
  after(() => workbench?.stop());

  it('without the data, naming the file', async () => {
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

  it('where runs cannot be written, naming the folder', async () => {
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

  it('with more units than memory, telling how much it would take', async () => {
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
