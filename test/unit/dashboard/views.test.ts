// Series are drawn by the view that their sidecars name, whatever they are called.
import assert from 'node:assert/strict';
import { shareText } from '../../../src/extension/dashboard/comparison-view.ts';
import { ShownSeries } from '../../../src/extension/dashboard/views/index.ts';
import type { RowsSource } from '../../../src/extension/dashboard/views/projection.ts';
import { levelTitles } from '../../../src/runs/levels.ts';

function series(name: string, view: string, rows: number[][], steps = rows.map((_, i) => i + 1)): RowsSource {
  const width = rows[0]?.length ?? 2;
  return {
    sidecar: {
      name,
      view,
      width,
      axes: [
        { name: 'layer', size: 1 },
        { name: 't', size: width },
      ],
      layers: [{ name: 'layers.0', family: 'recurrent', title: 'LSTM', units: 4 }],
      unit: '',
    },
    steps,
    rows,
  };
}

describe('the series of a run on the dashboard', () => {
  it('are drawn by their view, and one whose view is not known is passed over', () => {
    const shown = new ShownSeries();
    const all = new Map([
      ['my-map', series('my-map', 'time-map', [[0.5, 1]])],
      ['new', series('new', 'spectrogram', [[1, 2]])],
      ['gradient-flow', series('gradient-flow', 'time-map', [[0.25, 1]])],
    ]);
    assert.ok(shown.follow(all));
    const views = shown.views();
    assert.deepEqual(
      views['time-map'].map(({ name, ratios }) => [name, [...ratios]]),
      [
        ['my-map', [0.5, 1]],
        ['gradient-flow', [0.25, 1]],
      ],
    );
    assert.deepEqual(views.gates, []);
    assert.deepEqual(views['time-map'][0]!.titles, ['LSTM']);
  });

  it('have a new version when rows came, and give nothing once they are gone', () => {
    const shown = new ShownSeries();
    shown.follow(new Map([['m', series('m', 'time-map', [[1, 1]])]]));
    const first = shown.version;
    shown.follow(new Map([['m', series('m', 'time-map', [[1, 1]])]]));
    const rows = series('m', 'time-map', [
      [1, 1],
      [2, 1],
    ]);
    shown.follow(new Map([['m', rows]]));
    assert.notEqual(shown.version, first);
    assert.equal(shown.views()['time-map'][0]!.steps.length, 2);
    shown.follow(new Map());
    assert.deepEqual(shown.views()['time-map'], []);
  });
});

describe('names of levels', () => {
  const titles = (...levels: [string, string][]) =>
    levelTitles(levels.map(([name, title]) => ({ name, title })));

  it('count those of one title, and say direction and chain where there are two', () => {
    assert.deepEqual(titles(['layers.0', 'embedding'], ['layers.1', 'LSTM']), ['embedding', 'LSTM']);
    assert.deepEqual(titles(['layers.1.0', 'LSTM'], ['layers.1.1', 'LSTM'], ['layers.2', 'dense']), [
      'LSTM 1',
      'LSTM 2',
      'dense',
    ]);
    assert.deepEqual(titles(['layers.1.0', 'GRU'], ['layers.1.0-reverse', 'GRU']), ['GRU', 'GRU reverse']);
    assert.deepEqual(titles(['encoder.1.0', 'GRU'], ['layers.1.0', 'GRU'], ['layers.3.0', 'GRU']), [
      'encoder GRU',
      'decoder GRU 1',
      'decoder GRU 2',
    ]);
  });
});

describe('the share of a difference', () => {
  it('is told in percent, and as a factor beyond ten times', () => {
    assert.equal(shareText(0.0312), '+3.1 %');
    assert.equal(shareText(-0.5), '−50 %');
    assert.equal(shareText(7.83), '+783 %');
    assert.equal(shareText(360.68), '360 times');
    assert.equal(shareText(0), '+0.0 %');
    assert.equal(shareText(Number.POSITIVE_INFINITY), '');
    assert.equal(shareText(null), '');
  });
});
