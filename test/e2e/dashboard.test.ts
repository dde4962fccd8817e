// The dashboard in the real window: live, in every theme, by keyboard alone, and without a fault that axe-core knows.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { endless, runFolders, stateOf, stepOf, until, writeExperiment, yieldToWindows } from './runs.ts';
import { Workbench } from './workbench.ts';

const themes = {
  dark: 'Dark Modern',
  light: 'Light Modern',
  'high-contrast': 'Dark High Contrast',
  'high-contrast-light': 'Light High Contrast',
};

async function isTraining(workbench: Workbench): Promise<void> {
  await until('all runs make steps', () => {
    const runs = runFolders(workbench.folder);
    return runs.length === 3 && runs.every(run => stepOf(run) > 50);
  });
  for (const run of runFolders(workbench.folder)) yieldToWindows(run);
}

describe('the dashboard', () => {
  let workbench: Workbench;

  before(async () => {
    workbench = await Workbench.start();
    writeExperiment(workbench.folder, 'live', {
      ...endless,
      data: { task: 'adding', length: 60 },
      compare: { cell: ['rnn', 'gru', 'lstm'] },
      probes: { gradientFlow: { every: 20 } },
    });
    await workbench.openFile('live.rnn.json');
    await workbench.lens('Train').click();
    await isTraining(workbench);
    await workbench.runCommand('Unroll: Open Dashboard');
  });
  after(() => workbench?.stop());

  const picture = async (selector: string) =>
    createHash('sha1')
      .update(await workbench.webview.locator(selector).first().screenshot())
      .digest('hex');

  it('draws loss and gradient flow while it trains', async () => {
    for (const chart of ['#loss canvas', '#flow canvas']) {
      await workbench.webview.locator(chart).first().waitFor();
      const before = await picture(chart);
      await until(`${chart} changes`, async () => (await picture(chart)) !== before);
    }
  });

  it('counts the parameters of RNN, GRU and LSTM', async () => {
    // 8 units, 2 inputs, PyTorch: (2 · 8 + 8 · 8 + 2 · 8) per gate
    for (const count of ['96', '288', '384'])
      await workbench.webview.locator('#parameters').getByText(count, { exact: true }).first().waitFor();
  });

  it('pauses by keyboard', async () => {
    const pause = workbench.webview.getByRole('button', { name: 'Pause', exact: true }).first();
    await pause.focus();
    await workbench.page.keyboard.press('Enter');
    await until('all runs are paused', () =>
      runFolders(workbench.folder).every(run => stateOf(run) === 'paused'),
    );
  });

  for (const [name, theme] of Object.entries(themes))
    it(`is legible and free of axe-core's faults in ${name}`, async () => {
      await workbench.setTheme(theme);
      assert.deepEqual(await workbench.accessibilityFaults(), []);
      await workbench.screenshot(`dashboard-${name}`);
    });

  it('opens as an editor tab beside the code', async () => {
    await workbench.setTheme(themes.dark);
    await workbench.runCommand('Unroll: Open Dashboard to the Side');
    await workbench.runCommand('View: Toggle Primary Side Bar Visibility');
    await workbench.webview.locator('#flow canvas').first().waitFor();
    await workbench.screenshot('dashboard-tab');
    await workbench.runCommand('View: Close Editor');
    await workbench.runCommand('Unroll: Open Dashboard');
  });

  it('is walked through by keyboard alone', async () => {
    await workbench.webview.locator('#loss h2').click();
    const seen = new Set<string>();
    for (let i = 0; i < 60 && seen.size < 60; i++) {
      await workbench.page.keyboard.press('Tab');
      const focused = await workbench.webview.locator('body').evaluate(body => {
        const element = body.ownerDocument.activeElement;
        if (!element || element === body || !body.ownerDocument.hasFocus()) return null;
        const { outlineStyle, boxShadow } = getComputedStyle(element);
        return {
          name: element.getAttribute('aria-label') ?? element.textContent ?? '',
          outlined: outlineStyle !== 'none' || boxShadow !== 'none',
        };
      });
      if (!focused) break;
      assert.ok(focused.outlined, `focus on "${focused.name}" cannot be seen`);
      seen.add(focused.name.trim());
    }
    for (const name of [/data table/, /Gradient flow/i])
      assert.ok(
        [...seen].some(label => name.test(label)),
        [...seen].join(' | '),
      );
    await workbench.screenshot('dashboard-focus');
    const resume = workbench.webview.getByRole('button', { name: 'Resume', exact: true }).first();
    await resume.focus();
    await workbench.page.keyboard.press('Enter');
    await until('they go on', () => runFolders(workbench.folder).every(run => stateOf(run) === 'training'));
  });

  it('has a table behind the gradient flow', async () => {
    await workbench.webview.getByRole('button', { name: 'Show the gradient flow as a data table' }).click();
    const rows = workbench.webview.locator('#flow table tbody tr');
    await rows.first().waitFor();
    assert.ok((await rows.count()) > 1);
    await workbench.webview.getByRole('button', { name: 'Show the gradient flow as a data table' }).click();
  });

  /** What an animation or a transition moves in the page. */
  const moving = () =>
    // no named functions in here: they would not exist in the page
    workbench.webview.locator('body').evaluate(body =>
      [...body.querySelectorAll('*')]
        .map(element => ({ element, style: getComputedStyle(element) }))
        .filter(
          ({ style }) =>
            (style.animationName !== 'none' && Number.parseFloat(style.animationDuration) > 0.01) ||
            (style.transitionProperty !== 'none' &&
              style.transitionDuration.split(',').some(seconds => Number.parseFloat(seconds) > 0.01)),
        )
        .map(({ element }) => element.outerHTML.slice(0, 80)),
    );

  it('moves nothing by itself under reduced motion', async () => {
    await workbench.webview.locator('#loss canvas').first().waitFor();
    assert.notDeepEqual(await moving(), []);
    await workbench.page.emulateMedia({ reducedMotion: 'reduce' });
    await until('the page knows it', () =>
      workbench.webview
        .locator('body')
        .evaluate(() => matchMedia('(prefers-reduced-motion: reduce)').matches),
    );
    assert.deepEqual(await moving(), []);
  });

  it('has the curves of nine runs when it is opened after they ended', async () => {
    const { webview } = workbench;
    const stopped = () => runFolders(workbench.folder).every(run => stateOf(run) === 'stopped');
    await workbench.runCommand('Unroll: Stop Training', stopped);
    const before = runFolders(workbench.folder).length;
    writeExperiment(workbench.folder, 'nine', {
      ...endless,
      training: { ...endless.training, steps: 60, validation: { every: 20, maxBatches: 1 } },
      compare: { cell: ['rnn', 'gru', 'lstm'], seeds: 3 },
    });
    await workbench.openFile('nine.rnn.json');
    await workbench.lens('Train 9 runs').click();
    await until('all have ended', () => {
      const runs = runFolders(workbench.folder).slice(before);
      return runs.length === 9 && runs.every(run => stateOf(run) === 'finished');
    });
    await workbench.runCommand('View: Show Explorer');
    await workbench.runCommand('Unroll: Open Dashboard');
    await webview.getByRole('button', { name: 'Show the loss as a data table' }).click();
    const rows = webview.locator('#loss table tbody tr');
    await rows.first().waitFor();
    const last = (await rows.allInnerTexts()).find(row => row.startsWith('60\t'));
    // the validation of each cell, whose curves come after those of the cells before it
    assert.match(last ?? 'no row', /^60(\s+\d\S*){3,}$/);
    await workbench.screenshot('dashboard-nine');
  });

  it('leaves no error in the window', () => assert.deepEqual(workbench.problems, []));
});
