// A folder that is not trusted: everything can be read, nothing trains, and the reason is said.
import assert from 'node:assert/strict';
import { endless, runAtStep, runFolders, stateOf, until, writeExperiment } from './runs.ts';
import { Workbench } from './workbench.ts';

describe('a workspace that is not trusted', () => {
  let workbench: Workbench;

  before(async () => {
    workbench = await Workbench.start({
      workspaceTrust: true,
      settings: { 'security.workspace.trust.startupPrompt': 'never' },
    });
  });
  after(() => workbench?.stop());

  it('shows lenses and parameter counts', async () => {
    await workbench.statusBar('Restricted Mode').waitFor();
    await workbench.openFile('emma.rnn.json');
    await workbench.lens('Train').waitFor();
    await workbench.lensText(/LSTM 82,944 · GRU 62,208/).waitFor();
  });

  it('refuses to train, by lens and by palette, with the reason', async () => {
    for (const start of [
      () => workbench.lens('Train').click(),
      () => workbench.runCommand('Unroll: Train RNN'),
    ]) {
      await start();
      await workbench.notification('this workspace is not trusted').waitFor();
      await workbench.screenshot('not-trusted');
      await workbench.clearNotifications();
    }
    assert.deepEqual(runFolders(workbench.folder), []);
  });

  it('says so in the dashboard, without a way around', async () => {
    await workbench.runCommand('Unroll: Open Dashboard');
    await workbench.webview.getByText('this workspace is not trusted').first().waitFor();
    await workbench.screenshot('not-trusted-dashboard');
    assert.equal(await workbench.webview.getByRole('button', { name: /^(Train|Compare)/ }).count(), 0);
  });

  it('trains as soon as it is trusted', async () => {
    await workbench.runCommand('Workspaces: Manage Workspace Trust');
    await workbench.page.getByRole('button', { name: 'Trust', exact: true }).first().click();
    await workbench.statusBar('Restricted Mode').waitFor({ state: 'hidden' });
    await workbench.page.keyboard.press('Escape');
    // one that does not end before it is stopped
    writeExperiment(workbench.folder, 'endless', endless);
    await workbench.openFile('endless.rnn.json');
    await workbench.lens('Train').click();
    const run = await runAtStep(workbench.folder, 1);
    const stopped = () => stateOf(run) === 'stopped';
    await workbench.runCommand('Unroll: Stop Training', stopped);
    await until('the run is stopped', stopped);
  });

  it('leaves no error in the window', () => assert.deepEqual(workbench.problems, []));
});
