// From the click to the run: palette, lenses, status bar, and what pauses and stops.
import assert from 'node:assert/strict';
import {
  endless,
  requestOf,
  runAtStep,
  runFolders,
  stateOf,
  stepOf,
  until,
  writeExperiment,
} from './runs.ts';
import { Workbench } from './workbench.ts';

/** How long it takes is measured in bench/ (npm run bench -- --only response). */
async function followed(what: string, act: () => Promise<unknown>, probe: () => boolean): Promise<void> {
  await act();
  await until(what, probe);
}

describe('training from the window', () => {
  let workbench: Workbench;
  const newest = () => runFolders(workbench.folder).at(-1)!;
  const stop = async () => {
    // a fast machine is through with it by itself
    const ended = () =>
      runFolders(workbench.folder).every(run => !['training', 'starting'].includes(stateOf(run) ?? ''));
    await workbench.runCommand('Unroll: Stop Training', ended);
    await until('every run has ended', ended);
  };

  const train = async () => {
    const before = runFolders(workbench.folder).length;
    await workbench.lens('Train').click();
    await until('a run is there', () => runFolders(workbench.folder).length > before);
  };

  before(async () => {
    workbench = await Workbench.start();
    writeExperiment(workbench.folder, 'endless', endless);
  });
  after(() => workbench?.stop());

  it('starts from the palette in a few steps, with a way back', async () => {
    await workbench.runCommand('Unroll: Train RNN');
    const choose = (text: string) => workbench.quickPick.filter({ hasText: text }).first().click();
    const title = workbench.page.locator('.quick-input-title');
    await title.getByText('1/3').waitFor();
    await workbench.screenshot('palette-data');
    await (await workbench.searchInQuickPick('The adding problem')).click();
    await title.getByText('2/3').waitFor();
    await workbench.page.locator('.quick-input-titlebar .action-label[aria-label*="Back"]').first().click();
    await title.getByText('1/3').waitFor();
    await (await workbench.searchInQuickPick('The adding problem')).click();
    await choose('GRU');
    await title.getByText('3/3').waitFor();
    await workbench.typeInQuickPick('abc');
    await workbench.quickPick.filter({ hasText: '"abc" is no size' }).waitFor();
    await workbench.screenshot('palette-size-wrong');
    await workbench.typeInQuickPick('16');
    await workbench.screenshot('palette-size');
    await choose('16 units');
    const run = await runAtStep(workbench.folder, 1);
    const { experiment } = requestOf(run);
    assert.equal(experiment.data.task, 'adding');
    assert.deepEqual(
      experiment.model.layers.map(layer => [layer.type, 'units' in layer ? layer.units : undefined]),
      [
        ['gru', 16],
        ['dense', undefined],
      ],
    );
    await workbench.statusBar('adding').waitFor();
    await stop();
  });

  it('remembers the last choice', async () => {
    await workbench.runCommand('Unroll: Train RNN');
    const focused = workbench.page.locator('.quick-input-list .monaco-list-row.focused');
    await focused.filter({ hasText: 'The adding problem' }).waitFor();
    await workbench.page.keyboard.press('Enter');
    await focused.filter({ hasText: 'GRU' }).waitFor();
    await workbench.page.keyboard.press('Enter');
    await focused.filter({ hasText: '16 units' }).waitFor();
    await workbench.page.keyboard.press('Escape');
    await workbench.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  });

  it('starts from the lens, and pauses, resumes and stops', async () => {
    await workbench.openFile('endless.rnn.json');
    await train();
    const run = newest();
    await until('it has made steps', () => stepOf(run) > 50);
    await workbench.statusBar('endless').waitFor();
    const button = (name: string) => workbench.webview.getByRole('button', { name, exact: true }).first();
    await button('Pause').waitFor();
    await followed(
      'the run is paused',
      () => button('Pause').click(),
      () => stateOf(run) === 'paused',
    );
    const paused = stepOf(run);
    await workbench.screenshot('paused');
    await button('Resume').waitFor();
    await followed(
      'the run goes on',
      () => button('Resume').click(),
      () => stepOf(run) > paused,
    );
    await button('Stop, keep the checkpoint').waitFor();
    await followed(
      'the run is stopped',
      () => button('Stop, keep the checkpoint').click(),
      () => stateOf(run) === 'stopped',
    );
  });

  it('compares RNN, LSTM and GRU side by side from the lens', async () => {
    const runsBefore = runFolders(workbench.folder).length;
    await workbench.openFile('endless.rnn.json');
    await workbench.lens('Compare RNN · GRU · LSTM').click();
    await until('three runs make steps', () => {
      const runs = runFolders(workbench.folder).slice(runsBefore);
      return runs.length === 3 && runs.every(run => stepOf(run) > 50);
    });
    const runs = runFolders(workbench.folder).slice(runsBefore);
    assert.equal(new Set(runs.map(run => requestOf(run).group?.id)).size, 1);
    assert.deepEqual(runs.map(run => requestOf(run).group?.label).sort(), ['GRU', 'LSTM', 'RNN']);
    for (const label of ['RNN', 'GRU', 'LSTM'])
      await workbench.webview.getByText(label, { exact: true }).first().waitFor();
    await workbench.screenshot('comparison');
    await stop();
  });

  it('shows a run that waited as soon as it is started by hand', async () => {
    writeExperiment(workbench.folder, 'waiter', { ...endless, name: 'waiter' });
    writeExperiment(workbench.folder, 'late', { ...endless, name: 'late' });
    const shown = (name: string) => workbench.webview.locator('h1', { hasText: name }).waitFor();
    await workbench.openFile('endless.rnn.json');
    await train();
    await until('it trains', () => stateOf(newest()) === 'training');
    await shown('endless');
    for (const [name, start] of [
      [
        'waiter',
        async () => {
          await workbench.page
            .locator('.notification-toast')
            .getByRole('button', { name: 'Start Now' })
            .click();
        },
      ],
      [
        'late',
        async () => {
          const row = workbench.page.locator('.pane-body .monaco-list-row', { hasText: 'late' }).first();
          await row.hover();
          await row.getByRole('button', { name: 'Start Run Now' }).click();
        },
      ],
    ] as const) {
      await workbench.openFile(`${name}.rnn.json`);
      await train();
      await workbench.notification(`${name} is queued`).waitFor();
      await start();
      await shown(name);
      await workbench.clearNotifications();
    }
    await stop();
  });

  it('shows the last result above the model', async () => {
    await workbench.openFile('endless.rnn.json');
    await workbench.lens(/last: /).waitFor();
  });

  it('leaves no error in the window', () => assert.deepEqual(workbench.problems, []));
});
