// The dashboard's page over runs of each task: samples, forecasts, metrics, and the matrix of runs on several data.
import assert from 'node:assert/strict';
import path from 'node:path';
import { root } from '../host/paths.ts';
import { faults, live, open, page, seesAlignment, seesErrors, settled, usePage } from './page.ts';

const THEMES_AND_WIDTHS = [
  ['dark', 300],
  ['light', 900],
  ['hc-dark', 900],
  ['hc-light', 300],
] as const;

describe('the page of the dashboard for each task', () => {
  usePage();

  it('draws a forecast over dates, with what has no value marked', async () => {
    for (const [theme, width] of [
      ['light', 300],
      ['hc-dark', 900],
    ] as const) {
      await open(`task=forecast&theme=${theme}`, width);
      const sample = page.locator('#sample');
      await sample.locator('.chart').focus();
      await page.keyboard.press('ArrowLeft');
      assert.match(await live(), /^20\d\d-\d\d-01: truth |^19\d\d-\d\d-01: truth /);
      await sample.screenshot({ path: path.join(root, 'test/out', `forecast-${theme}-${width}.png`) });
      await sample.getByRole('button', { name: 'Show the forecast as a data table' }).click();
      assert.match(await sample.locator('table').innerText(), /^date[\s\S]*\d{4}-\d\d-01/);
      if (theme === 'light') await page.context().close();
    }
  });

  for (const task of ['forecast', 'adding'])
    it(`shows samples of ${task}`, async () => {
      await open(`task=${task}`, 900);
      assert.deepEqual(await faults(), []);
      await page.locator('#sample').getByText('prediction').first().waitFor();
    });

  for (const [shows, words] of [
    ['series', [/temp_min/, /error over this stretch: prediction/, /errors as numbers/]],
    ['classes', [/Japanese ✗/, /predictions of [\d,]+ sequences by class/]],
    ['decoded', [/December 3, 1999 ✗/, /1999-12-31/, /2024-05-03 → May 3, 2024/]],
    ['tagged', [/X ✗/, /truth DET/]],
    ['augmented', [/as it was varied/, /the ct sat no the mat/]],
  ] as const)
    it(`shows samples of the type ${shows}`, async () => {
      for (const [theme, width] of THEMES_AND_WIDTHS) {
        await open(`task=adding&runs=1&shows=${shows}&theme=${theme}`, width);
        const section = page.locator('#sample');
        for (const word of words) assert.match(await section.innerText(), word);
        if (shows === 'decoded') await seesAlignment(section);
        if (shows === 'series') await seesErrors(section);
        assert.deepEqual(await faults(), []);
        const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overhang <= 0, `${overhang} pixels beyond the edge at ${width}`);
        await section.screenshot({
          path: path.join(root, 'test/out', `sample-${shows}-${theme}-${width}.png`),
        });
        if (theme !== 'hc-light') await page.context().close();
      }
    });

  it('shows runs on several data as a matrix, and those of one at a time below', async () => {
    for (const [theme, width] of THEMES_AND_WIDTHS) {
      await open(`task=adding&runs=9&matrix=1&state=finished&theme=${theme}`, width);
      const matrix = page.locator('#matrix');
      const rows = await matrix.locator('tbody tr').allInnerTexts();
      assert.equal(rows.length, 3);
      assert.match(rows[0]!, /^RNN(\s+\d+ % ✓){3}$/);
      assert.match(rows[1]!, /^GRU(\s+\d+ % ✗){3}$/);
      assert.match(rows[2]!, /^LSTM(\s+\d+ %){3}$/);
      const drawn = () => page.locator('#loss .chart').getAttribute('aria-label');
      assert.equal((await drawn())!.match(/RNN/g)!.length, 1, 'one of three tasks is on the axis');
      const heads = matrix.locator('th button');
      assert.deepEqual(await heads.evaluateAll(all => all.map(head => head.getAttribute('aria-pressed'))), [
        'true',
        'false',
        'false',
      ]);
      const before = await drawn();
      await heads.nth(2).focus();
      await page.keyboard.press('Enter');
      await settled();
      assert.notEqual(await drawn(), before);
      assert.equal(await heads.nth(2).getAttribute('aria-pressed'), 'true');
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Associative recall');
      assert.deepEqual(await faults(), []);
      const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overhang <= 0, `${overhang} pixels beyond the edge at ${width}`);
      await page.screenshot({ path: path.join(root, 'test/out', `matrix-${theme}-${width}.png`) });
      if (theme !== 'hc-light') await page.context().close();
    }
  });

  it("draws the task's own metrics in place of the loss, with unit and which way is better", async () => {
    for (const [theme, width] of [
      ['dark', 900],
      ['light', 360],
      ['hc-dark', 360],
      ['light', 300],
    ] as const) {
      await open(`task=adding&theme=${theme}`, width);
      const loss = page.locator('#loss');
      await loss.getByRole('radio', { name: 'accuracy' }).click();
      await settled();
      await loss.getByRole('heading', { name: 'Accuracy' }).waitFor();
      assert.match(await loss.innerText(), /% · higher is better/);
      assert.deepEqual(await faults(), []);
      await page.screenshot({ path: path.join(root, 'test/out', `page-metric-${theme}-${width}.png`) });
      const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overhang <= 0, `${overhang} pixels beyond the edge at ${width}`);
      await page.locator('#loss .chart').focus();
      await page.keyboard.press('ArrowLeft');
      assert.match(await live(), /step \d+: .* [\d.]+/);
      if (width !== 300) await page.context().close();
    }
  });

  it('wraps the metrics of a task that has many', async () => {
    for (const width of [300, 700]) {
      await open('task=adding', width);
      const metrics = page.locator('#loss .seg', { hasText: 'accuracy' });
      const height = (await metrics.boundingBox())!.height;
      await metrics.evaluate(group => {
        for (let more = 0; more < 6; more++) {
          const button = group.lastElementChild!.cloneNode(true);
          button.textContent = 'token error rate, free-running';
          group.append(button);
        }
      });
      assert.ok((await metrics.boundingBox())!.height > height, 'they stand in one line');
      const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overhang <= 0, `${overhang} pixels beyond the edge at ${width}`);
      if (width !== 700) await page.context().close();
    }
  });

  it('has a list in place of buttons for many metrics in a narrow page', async () => {
    await open('task=forecast&targets=CO2,half&nan=0', 300);
    const list = page.locator('#loss vscode-single-select');
    await list.click();
    await list.locator('.option', { hasText: 'MASE, half' }).click();
    await settled();
    await page.locator('#loss').getByRole('heading', { name: 'MASE, half' }).waitFor();
    assert.ok((await list.boundingBox())!.height < 40);
    assert.deepEqual(await faults(), []);
    await page.screenshot({ path: path.join(root, 'test/out', 'page-many-metrics-300.png') });
    await list.click();
    await list.locator('.option', { hasText: 'loss' }).click();
    await settled();
    await page.locator('#loss').getByRole('heading', { name: 'Loss' }).waitFor();
    await page.setViewportSize({ width: 900, height: 1000 });
    await page.locator('#loss').getByRole('radio', { name: 'MASE, half' }).waitFor();
    assert.equal(await list.isVisible(), false);
  });
});
