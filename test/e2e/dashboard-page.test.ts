// The dashboard's page in use: choosing, comparing, zooming, by keyboard and screen reader, and ten long runs.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../host/paths.ts';
import { advance, type Fake, faults, live, open, page, requests, settled, usePage } from './page.ts';

describe('the page of the dashboard', () => {
  usePage();

  it('asks a trained run by keys, and shows all that it says as text', async () => {
    await open('state=finished&runs=1&theme=dark', 500);
    const section = page.locator('#try');
    await section.getByLabel('Text to go on with').fill('<img src=x onerror=alert(1)>');
    await section.getByLabel('temperature').fill('0.5');
    await section.getByLabel('Text to go on with').press('Control+Enter');
    await section.getByText('dcb').first().waitFor();
    const asked = (await requests()).findLast(({ name }) => name === 'run/try')!.params as { given: object };
    assert.deepEqual(asked.given, { text: '<img src=x onerror=alert(1)>', temperature: 0.5, length: 200 });
    assert.match(await live(), /Answer: dcb, 75 %/);
    await section.getByText('numbers').last().click();
    assert.match(await section.innerText(), /row 2 of 20[\s\S]*␣⏎[\s\S]*Two pairs are left out/);
    assert.deepEqual(await faults(), []);
    await page.screenshot({ path: path.join(root, 'test/out', 'page-try.png'), fullPage: true });
    await section.getByLabel('Text to go on with').fill('wrong');
    await section.getByText('Answer', { exact: true }).click();
    await section.getByRole('alert').getByText('Type a text.').waitFor();
  });

  it('never begins or ends a line with a dot between parts', async () => {
    let wrapped = 0;
    for (const [query, width] of [
      ['grid=1&runs=6&vanishes=1', 300],
      ['vanishes=1', 330],
      ['runs=1&alone=0.4&begins=1', 330],
      ['grid=1&runs=6', 460],
    ] as const) {
      await open(query, width);
      const lines = await page.locator('.dotted').evaluateAll(all =>
        all.flatMap(element => {
          const edge =
            element.getBoundingClientRect().left + Number.parseFloat(getComputedStyle(element).fontSize);
          const parts = [...element.querySelectorAll(':scope > .part')].filter(
            part => part.getClientRects().length,
          );
          return parts.slice(1).map((part, index) => {
            const before = parts[index]!.getBoundingClientRect();
            const dot = part.querySelector('.dot')!.getBoundingClientRect();
            return {
              text: element.textContent,
              isFirst: dot.left < before.right - 1 && dot.top > before.top + 2,
              isHidden: dot.right <= edge + 0.5,
              isSeen: dot.left >= edge - 0.5,
            };
          });
        }),
      );
      wrapped += lines.filter(({ isFirst }) => isFirst).length;
      for (const { isFirst, isHidden, isSeen, text } of lines)
        assert.deepEqual([isHidden, isSeen], [isFirst, !isFirst], `${query}, ${width}: ${text}`);
      assert.ok(lines.length > 0);
      await page.screenshot({ path: path.join(root, 'test/out', `page-dots-${width}.png`), fullPage: true });
    }
    // a part of several lines is cut nowhere
    await open('runs=6', 300);
    const subtitle = page.locator('header .dotted').first();
    assert.equal(await subtitle.innerText(), 'compare 6 runs, 128 units');
    const cut = await subtitle.evaluate(element => {
      const text = document.createRange();
      text.selectNodeContents(element.querySelector('.part')!.lastChild!);
      const size = Number.parseFloat(getComputedStyle(element).fontSize);
      return [...text.getClientRects()].map(({ left }) => left - element.getBoundingClientRect().left - size);
    });
    assert.ok(cut.length > 1 && cut.every(left => left > -0.5), String(cut));
    assert.ok(wrapped >= 3, `${wrapped} lines begin with a part`);
  });

  it('says what other programs took of its processors, and where its weights came from', async () => {
    for (const [width, layout] of [
      [300, 'side'],
      [1500, 'tab'],
    ] as const) {
      await open(`runs=1&alone=0.4&begins=1&layout=${layout}`, width);
      const header = page.locator('header').first();
      await header
        .getByText(
          'For 40 % of its time one thread did the work of 2, since other programs held the processors.',
        )
        .waitFor();
      await header.getByText('began with emma-lstm.safetensors (SHA-256 1a2b3c4d5e6f…)').click();
      await header.getByText('Taken: layers.1 from "rnn" (4 tensors).').waitFor();
      await header.getByText('Left: 2 tensors, head.weight, head.bias.').waitFor();
      assert.deepEqual(await faults(), []);
      await page.screenshot({ path: path.join(root, 'test/out', `page-origin-${width}.png`) });
    }
    await open('runs=1&alone=0.04');
    assert.doesNotMatch(await page.locator('header').first().innerText(), /other programs|began with/);
  });

  it('hides, shows alone and highlights a run from legend, table and tile alike', async () => {
    for (const width of [360, 1500]) {
      await open(`nan=0&layout=${width > 720 ? 'tab' : 'side'}`, width);
      const drawn = () => page.locator('#loss .chart').getAttribute('aria-label');
      const hiddenIds = () => page.evaluate(() => JSON.parse(sessionStorage.getItem('unroll')!).hidden);
      // the legend is a row of switches
      const legend = page.getByRole('group', { name: 'Runs in the chart' });
      await legend.getByRole('button', { name: 'GRU' }).click();
      await settled();
      assert.doesNotMatch((await drawn())!, /GRU/);
      assert.match(await live(), /GRU is hidden/);
      assert.deepEqual(await faults(), []);
      // the table shows it again, and its name alone hides the others
      const table = page.getByRole('table', { name: 'Runs' });
      await table.getByRole('button', { name: 'Show GRU' }).click();
      await settled();
      assert.match((await drawn())!, /GRU/);
      await table.getByRole('button', { name: 'LSTM', exact: true }).click({ modifiers: ['Shift'] });
      await settled();
      assert.match((await drawn())!, /LSTM/);
      assert.doesNotMatch((await drawn())!, /GRU|RNN/);
      assert.equal((await hiddenIds()).length, 2);
      // once more, and all are back
      await page.locator('.multi').getByRole('radio', { name: /^LSTM/ }).focus();
      await page.keyboard.press('s');
      await settled();
      assert.deepEqual(await hiddenIds(), []);
      await page
        .locator('.multi')
        .getByRole('radio', { name: /^RNN/ })
        .click({ modifiers: ['Alt'] });
      await settled();
      assert.doesNotMatch((await drawn())!, /RNN/);
      assert.match(
        (await page.locator('.multi').getByRole('radio', { name: /^RNN/ }).getAttribute('aria-label'))!,
        /hidden/,
      );
      const pixels = () =>
        page
          .locator('#loss canvas')
          .first()
          .evaluate(canvas => (canvas as HTMLCanvasElement).toDataURL());
      const before = await pixels();
      await legend.getByRole('button', { name: 'GRU' }).hover();
      await settled();
      assert.notEqual(await pixels(), before, 'the others are dim');
      await page.context().close();
    }
    await open('', 360);
  });

  it('compares in a table that is sorted, and with the run that is pinned', async () => {
    await open('runs=9&nan=0&layout=tab', 1500);
    const table = page.getByRole('table', { name: 'Runs' });
    const names = async () =>
      (await table.locator('tbody td:first-child').allInnerTexts()).map(text => text.trim());
    assert.deepEqual(await names(), ['RNN', 'GRU', 'LSTM']);
    assert.match(await table.innerText(), /best[\s\S]*to best/);
    assert.match(await table.innerText(), /\d\.\d+ ± 0\.0\d+/);
    await table.getByRole('button', { name: 'best', exact: true }).click();
    await settled();
    assert.deepEqual(await names(), ['GRU', 'LSTM', 'RNN']);
    await table.getByRole('button', { name: 'best ↑' }).click();
    await settled();
    assert.deepEqual(await names(), ['RNN', 'LSTM', 'GRU']);
    await table.getByRole('button', { name: 'Compare the others with RNN' }).click();
    await settled();
    const words = await table.innerText();
    assert.match(words, /to RNN/);
    assert.match(words, /−0\.\d+ \(−\d+ %\), p 0\.25/);
    assert.deepEqual(await faults(), []);
    await page.getByRole('radio', { name: 'each', exact: true }).click();
    await settled();
    assert.equal((await names()).length, 9);
  });

  it('tells the own effect of each factor of a grid', async () => {
    await open('runs=6&grid=1&nan=0&layout=tab', 1200);
    const effects = page.locator('#runs .effects');
    const lines = (await effects.innerText()).split('\n').filter(line => / · /.test(line));
    assert.equal(lines.length, 2, lines.join(' | '));
    const valuesOf = (line: string) =>
      line.split(' · ').map(level => Number(/[+−][\d.e-]+$/.exec(level)![0].replace('−', '-')));
    const cells = lines.find(line => /RNN|rnn/.test(line))!;
    const sizes = lines.find(line => line !== cells)!;
    for (const line of [cells, sizes])
      assert.ok(Math.abs(valuesOf(line).reduce((sum, value) => sum + value, 0)) < 0.01, line);
    // the made-up losses of the cells lie far apart
    assert.ok(valuesOf(cells)[0]! > 0.1 && valuesOf(cells)[2]! < valuesOf(cells)[0]!, cells);
    assert.ok(Math.abs(valuesOf(sizes)[0]!) < 0.1, sizes);
    assert.deepEqual(await faults(), []);
    await page.screenshot({ path: path.join(root, 'test/out', 'page-effects.png') });
  });

  it('hides a run by a click that lasts while its figures change', async () => {
    await open('nan=0&layout=tab', 1500);
    const button = page.getByRole('table', { name: 'Runs' }).getByRole('button', { name: 'Hide GRU' });
    const box = (await button.boundingBox())!;
    await page.mouse.move(box.x + 5, box.y + 5);
    await page.mouse.down();
    await advance(80);
    await page.mouse.up();
    await settled();
    assert.match(await live(), /GRU is hidden/);
  });

  it('draws runs of different tasks in charts of their own, and gives no differences between them', async () => {
    await open('runs=4&mixed=1&nan=0&layout=tab', 1500);
    assert.equal(await page.locator('section.loss').count(), 2);
    assert.match((await page.locator('#loss .chart').getAttribute('aria-label'))!, /RNN.*LSTM/);
    assert.match((await page.locator('#loss-2 .chart').getAttribute('aria-label'))!, /GRU/);
    await page.getByText('These runs measure different losses').waitFor();
    assert.deepEqual(await faults(), []);
  });

  it('begins as the last page was left', async () => {
    await open('nan=0', 900);
    await page.getByRole('radio', { name: 'linear' }).click();
    await page.getByRole('radio', { name: 'equal parameters' }).click();
    await page.getByRole('radio', { name: 'time' }).click();
    const names = () => page.locator('#loss .legend .name').first();
    await names().click();
    await settled();
    const kept = (await requests()).filter(({ name }) => name === 'choices/save').at(-1)!.params;
    await page.context().close();
    await open('nan=0', 900, kept as { choices: string });
    for (const name of ['linear', 'equal parameters', 'time'])
      assert.equal(await page.getByRole('radio', { name, exact: true }).getAttribute('aria-checked'), 'true');
    assert.equal(await names().getAttribute('aria-pressed'), 'false', 'a hidden run is shown again');
    // the table goes by the axis that was chosen
    await page.getByRole('button', { name: 'Show the loss as a data table' }).click();
    assert.match(await page.locator('#loss table').innerText(), /^time\s/);
    await page.context().close();
    // the same id, alone: there is no legend that would show it again
    await open('nan=0&runs=1', 900, kept as { choices: string });
    assert.match((await page.locator('#loss .chart').getAttribute('aria-label'))!, /LSTM \d/);
  });

  it('saves every chart as PNG, SVG and CSV', async () => {
    await open('task=forecast&nan=0', 900);
    const charts = ['the chart', 'the gradient flow', 'the gates', 'the parameters', 'the forecast'];
    for (const what of charts)
      for (const format of ['PNG', 'SVG', 'CSV']) {
        await page.getByRole('button', { name: `Save ${what} as PNG, SVG or CSV` }).click();
        await page.locator('vscode-context-menu[show] vscode-context-menu-item', { hasText: format }).click();
        const saved = (await requests()).filter(({ name }) => name === 'chart/save').at(-1)!.params as {
          name: string;
          format: string;
          content: string;
        };
        assert.equal(saved.format, format.toLowerCase(), what);
        if (format === 'PNG') {
          const bytes = Buffer.from(saved.content, 'base64');
          assert.equal(bytes.subarray(1, 4).toString(), 'PNG');
          // twice the size on the page
          assert.ok(bytes.readUInt32BE(16) > 600, what);
        } else if (format === 'SVG') {
          // drawn, and well formed
          const counted = await page.evaluate(text => {
            const read = new DOMParser().parseFromString(text, 'image/svg+xml');
            return {
              fault: read.querySelector('parsererror')?.textContent ?? null,
              shapes: read.querySelectorAll('path').length,
              words: read.querySelectorAll('text').length,
              curves: [...read.querySelectorAll('path[fill="none"]')].filter(
                line => (line.getAttribute('d') ?? '').split('L').length > 10,
              ).length,
            };
          }, saved.content);
          assert.equal(counted.fault, null, what);
          assert.ok(counted.shapes > 3 && counted.words > 3, `${what}: ${JSON.stringify(counted)}`);
          if (what === 'the chart') assert.ok(counted.curves > 1, JSON.stringify(counted));
          assert.doesNotMatch(saved.content, /color-mix|NaN/);
          writeFileSync(path.join(root, 'test/out', `saved-${what.replaceAll(' ', '-')}.svg`), saved.content);
        } else {
          const lines = saved.content.trimEnd().split('\r\n');
          assert.ok(lines.length > 3, what);
          assert.equal(new Set(lines.map(line => line.split(',').length)).size, 1, what);
        }
      }
  });

  it('keeps the buttons of three gradient maps in a narrow side bar', async () => {
    for (const width of [280, 320, 360]) {
      await open('task=adding&full=1&spectrum=1', width);
      assert.equal(await page.locator('#flow .seg button').count(), 3);
      const save = (await page.locator('#flow .icons').boundingBox())!;
      assert.ok(save.x + save.width <= width, `a button ends at ${save.x + save.width} of ${width}`);
      await page.screenshot({ path: path.join(root, 'test/out', `page-maps-${width}.png`) });
      if (width !== 360) await page.context().close();
    }
  });

  it('says under the loss of a narrow page which of the compared runs is better, and by how much', async () => {
    await open('task=adding&state=finished', 300);
    const line = () => page.locator('#loss .verdict');
    const table = page.getByRole('table', { name: 'Runs' });
    const row = table.locator('tr', { has: page.getByRole('cell', { name: 'best', exact: true }) });
    const best = await row.locator('.name').innerText();
    const said = (await line().innerText()).replace(/\s+/g, ' ');
    assert.match(said, new RegExp(`^Best ${best} [\\d.]+ · \\w+ \\+[\\d.]+ % · \\w+ \\+[\\d.]+ %$`));
    await page.screenshot({ path: path.join(root, 'test/out', 'page-best-300.png') });
    await page.context().close();
    await open('task=adding&state=finished', 1500);
    assert.ok(await line().isHidden());
    await page.context().close();
    await open('task=adding&runs=1&state=finished', 300);
    assert.ok(await line().isHidden());
  });

  it('names the layer whose gradient a run alone shows', async () => {
    await open('task=adding&runs=1&layers=2&state=finished', 900);
    const verdict = page.locator('#flow .verdict');
    assert.match(await verdict.innerText(), /LSTM 2 +\d+/);
    await page.locator('#flow vscode-single-select').click();
    await page.locator('#flow vscode-single-select .option', { hasText: 'LSTM 1' }).click();
    await settled();
    assert.match(await verdict.innerText(), /LSTM 1 +\d+/);
  });

  it('says what is wrong and offers what mends it', async () => {
    await open('state=crashed');
    await page
      .getByText('training ended unexpectedly at step 840. The last checkpoint is at step 800.')
      .waitFor();
    await page.getByRole('button', { name: 'Resume from step 800' }).click();
    await page.getByRole('button', { name: 'Clip to 1.0' }).click();
    const asked = await requests();
    assert.deepEqual(
      asked.map(({ name }) => name).filter(name => name !== 'page/ready'),
      ['run/continue', 'finding/fix'],
    );
  });

  it('shows text of a run folder as text', async () => {
    await open('hostile=1', 900);
    assert.equal(await page.locator('img').count(), 0);
    await page.getByText('<img src=x onerror=alert(1)>').first().waitFor();
  });

  it('moves its reading lines by keyboard and says their values', async () => {
    await open('layers=1', 900);
    const loss = page.locator('#loss .chart');
    await loss.focus();
    await page.keyboard.press('ArrowLeft');
    const near = Number(/step (\d+)/.exec(await live())?.[1]);
    await page.keyboard.press('Shift+ArrowLeft');
    const far = Number(/step (\d+)/.exec(await live())?.[1]);
    assert.ok(near - far >= 9 * (840 - near), `${near} then ${far}`);
    assert.match(await live(), /GRU \d\.\d+, LSTM \d\.\d+/);
    await settled();
    assert.ok(await page.locator('#loss .tip').isVisible());
    await page.keyboard.press('Escape');
    await settled();
    assert.ok(!(await page.locator('#loss .tip').isVisible()));
    await page.locator('#flow .chart').focus();
    await page.keyboard.press('ArrowLeft');
    assert.match(await live(), /^t = 99 \(1 back\), step 831: \d/);
  });

  it('has one tab stop for each chart and each radio group', async () => {
    await open('', 900);
    const stops = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.chart, [role=radiogroup]')].map(element => ({
        name: element.getAttribute('aria-label'),
        count:
          (element.tabIndex === 0 ? 1 : 0) +
          element.querySelectorAll('button[tabindex="0"], [role=img][tabindex="0"]').length,
      })),
    );
    assert.deepEqual(
      stops.filter(({ name, count }) => count !== 1 && name !== 'Which gradient'),
      [],
    );
  });

  it('chooses a run by arrow keys, and keeps the choice over a reload', async () => {
    await open('', 900);
    const chosen = page.locator('.multi [aria-checked=true]');
    assert.match((await chosen.getAttribute('aria-label'))!, /^GRU/);
    await chosen.focus();
    await page.keyboard.press('ArrowRight');
    await settled();
    assert.match((await chosen.getAttribute('aria-label'))!, /^LSTM/);
    await page.getByRole('radio', { name: 'linear' }).click();
    await settled();
    await page.reload();
    await page.locator('#loss canvas').first().waitFor();
    await settled();
    assert.match((await chosen.getAttribute('aria-label'))!, /^LSTM/);
    assert.equal(await page.getByRole('radio', { name: 'linear' }).getAttribute('aria-checked'), 'true');
  });

  it('puts the run that was chosen in the table of the spectrum', async () => {
    // two of one cell, whose tables have the same steps and matrices
    await open('state=finished&runs=6&spectrum=1&nan=0', 900);
    await page.getByRole('radio', { name: 'each', exact: true }).click();
    await page.getByRole('button', { name: 'Show the spectrum as a data table' }).click();
    const tableOf = async (run: RegExp) => {
      await page.locator('.multi').getByRole('radio', { name: run }).click();
      await settled();
      return page.locator('#spectrum table').innerText();
    };
    const first = await tableOf(/^GRU(?! · seed 2)/);
    assert.notEqual(await tableOf(/^GRU · seed 2/), first);
    assert.equal(await tableOf(/^GRU(?! · seed 2)/), first);
  });

  it('keeps a zoom while new points come, and asks for finer ones', async () => {
    await open('steps=4000&step=3000&nan=0', 900);
    const box = (await page.locator('#loss .chart').boundingBox())!;
    await page.mouse.move(box.x + 100, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await settled();
    const all = page.getByRole('button', { name: /Show all steps/ });
    assert.ok(await all.isVisible());
    const saved = () => page.evaluate(() => JSON.parse(sessionStorage.getItem('unroll')!).zoom);
    const zoom = await saved();
    await advance(50);
    assert.deepEqual(await saved(), zoom);
    await page.waitForFunction(() =>
      (window as unknown as { fake: Fake }).fake.requests.some(({ name }) => name === 'curve/range'),
    );
    await all.click();
    assert.equal(await saved(), null);
  });

  it('draws anew in the colours of another theme', async () => {
    await open('theme=dark', 900);
    const pixels = () =>
      page
        .locator('#loss canvas')
        .first()
        .evaluate(canvas => (canvas as HTMLCanvasElement).toDataURL());
    const before = await pixels();
    await page.evaluate(() => (window as unknown as { fake: Fake }).fake.setTheme('light'));
    await settled();
    assert.notEqual(await pixels(), before);
  });

  it('moves nothing by itself under reduced motion', async () => {
    await open('', 360, { reducedMotion: 'reduce' });
    const moving = await page.evaluate(
      () =>
        document.getAnimations().length +
        [...document.querySelectorAll('*')].filter(element => {
          const { transitionDuration, transitionProperty } = getComputedStyle(element);
          return (
            transitionProperty !== 'none' &&
            transitionDuration.split(',').some(time => Number.parseFloat(time) > 0)
          );
        }).length,
    );
    assert.equal(moving, 0);
  });

  it('holds ten runs of 100,000 steps', async () => {
    await open('runs=10&steps=100000&step=99000&nan=0&layout=tab', 900);
    await page.evaluate(() => performance.clearMeasures());
    for (let i = 0; i < 12; i++) await advance(20);
    const times = await page.evaluate(() =>
      performance.getEntriesByName('unroll-render').map(({ duration }) => duration),
    );
    assert.ok(times.length >= 12);
    times.sort((a, b) => a - b);
    console.log(
      `        drawing 10 runs × 100,000 steps: median ${times[times.length >> 1]!.toFixed(0)} ms, longest ${times.at(-1)!.toFixed(0)} ms`,
    );
  });
});
