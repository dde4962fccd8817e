// The dashboard's page in every theme, width and state: nothing beyond its edge, no fault that axe-core knows.
import assert from 'node:assert/strict';
import path from 'node:path';
import { root } from '../host/paths.ts';
import { faults, open, page, settled, THEMES, usePage } from './page.ts';

const STATES = [
  'empty',
  'queued',
  'waiting',
  'training',
  'paused',
  'finished',
  'stopped',
  'crashed',
  'silent',
  'restricted',
];

describe('the page of the dashboard in every theme', () => {
  usePage();

  for (const theme of THEMES)
    for (const [layout, width] of [
      ['side', 360],
      ['tab', 900],
    ] as const)
      it(`has no fault that axe-core knows: ${theme}, ${layout}`, async () => {
        await open(`theme=${theme}&layout=${layout}&full=1&layers=2`, width);
        assert.deepEqual(await faults(), []);
        await page.screenshot({ path: path.join(root, 'test/out', `page-${layout}-${theme}.png`) });
        for (const button of await page.locator('.icon[aria-label*="data table"]').all())
          if (await button.isVisible()) await button.click();
        await settled();
        assert.deepEqual(await faults(), []);
      });

  for (const [theme, width] of [
    ['light', 300],
    ['dark', 1500],
    ['hc-dark', 1500],
    ['hc-light', 300],
  ] as const)
    it(`draws the seeds of a model as one line in a band: ${theme}, ${width}`, async () => {
      await open(`theme=${theme}&layout=${width > 720 ? 'tab' : 'side'}&runs=9&nan=0&vanishes=1`, width);
      const findings = page.locator('.finding');
      assert.equal(await findings.count(), 1);
      assert.match(await findings.first().innerText(), /^RNN, 3 of 3 seeds: The gradient vanishes/);
      // the second line is followed by what can be done, and the rest opens
      const [words, links] = [findings.locator('.words'), findings.locator('.links')];
      assert.ok((await words.boundingBox())!.height <= 33, 'more than two lines');
      assert.match(await links.innerText(), /Use an LSTM\s*·\s*Use a GRU/);
      assert.deepEqual(await faults(), []);
      const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overhang <= 0, `${overhang} pixels beyond the edge`);
      const table = page.locator('#runs .scroll');
      const cut = await table.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
      assert.ok(cut <= 0, `${cut} pixels of the table are out of sight`);
      await page.screenshot({
        path: path.join(root, 'test/out', `seeds-${width}-${theme}.png`),
        fullPage: true,
      });
      const names = () => page.locator('.chart[aria-label*="RNN"]').first().getAttribute('aria-label');
      assert.doesNotMatch((await names())!, /seed 2/);
      await page.getByRole('radio', { name: 'each', exact: true }).click();
      await settled();
      assert.match((await names())!, /seed 2/);
      await page.screenshot({ path: path.join(root, 'test/out', `seeds-each-${width}-${theme}.png`) });
    });

  for (const [theme, width, runs] of [
    ['dark', 360, 1],
    ['light', 1500, 3],
    ['hc-dark', 1500, 1],
    ['hc-light', 300, 3],
  ] as const)
    it(`draws what recurrent matrices do to lengths, and the cut of truncated BPTT: ${theme}, ${width}`, async () => {
      const layout = width > 720 ? 'tab' : 'side';
      await open(`theme=${theme}&layout=${layout}&runs=${runs}&nan=0&spectrum=1&window=40`, width);
      const section = page.locator('#spectrum');
      assert.match(
        (await section.locator('.chart').getAttribute('aria-label'))!,
        /Largest ρ \d\.\d{3} \((LSTM|RNN)/,
      );
      assert.deepEqual(await faults(), []);
      const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overhang <= 0, `${overhang} pixels beyond the edge`);
      const file = (name: string) => path.join(root, 'test/out', `${name}-${theme}-${width}.png`);
      await page.screenshot({ path: file('spectrum'), fullPage: true });
      await page.getByRole('radio', { name: 'Jacobian', exact: true }).click();
      await settled();
      await page.locator('#flow').screenshot({ path: file('jacobian') });
      await section.getByRole('button', { name: 'Show the spectrum as a data table' }).click();
      await settled();
      assert.match(await section.locator('table').innerText(), /matrix\s+ρ, [\d,]+\s+ρ, [\d,]+\s+σ_max/);
      assert.deepEqual(await faults(), []);
      await section.screenshot({ path: file('spectrum-table') });
    });

  for (const state of STATES)
    it(`shows a run that is ${state} without a fault or anything beyond its edge`, async () => {
      await open(`state=${state}`, 320);
      assert.deepEqual(await faults(), []);
      const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overhang <= 0, `${overhang} pixels beyond the edge`);
    });
});
