// What the charts compute before they draw.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Curve, RunView } from '../../../src/protocol/messages.ts';
import { levelOf, rowAt } from '../../../src/webview/charts/heatmap.ts';
import { axisText, freePlace, shortLabels } from '../../../src/webview/charts/loss-chart.ts';
import { indexAt, linesOf, valueAt, valueExtent } from '../../../src/webview/charts/loss-data.ts';

import {
  dateTicks,
  linearScale,
  linearTicks,
  logTicks,
  timeTicks,
} from '../../../src/webview/charts/scales.ts';
import { clock, loss, ratio, short } from '../../../src/webview/format.ts';
import { uiFrom } from '../../../src/webview/page.ts';

function curve(values: number[], broken: number[] = []): Curve {
  const steps = Float64Array.from(values, (_, i) => i + 1);
  const floats = Float32Array.from(values);
  return {
    step: steps,
    seconds: steps.map(step => step / 10),
    tokens: steps.map(step => step * 100),
    mean: floats,
    min: floats.map(value => value - 1),
    max: floats.map(value => value + 1),
    smooth: floats,
    rowsPerPoint: 1,
    broken: Float64Array.from(broken),
  };
}

function run(train: Curve, val = curve([])): RunView {
  return { id: 'a', state: 'training', step: train.step.length, trainLoss: train, valLoss: val } as RunView;
}

describe('the place of the baseline’s name', () => {
  const area = { left: 40, right: 200, top: 0, bottom: 100 };
  /** Whether a straight piece runs through the text's box, sampled at every pixel. */
  const isCrossed = (curve: { x: number; y: number }[], at: { x: number; y: number }, width: number) => {
    for (const [i, a] of curve.slice(0, -1).entries()) {
      const b = curve[i + 1]!;
      for (let x = Math.ceil(a.x); x <= b.x; x++) {
        const y = a.y + ((x - a.x) / (b.x - a.x)) * (b.y - a.y);
        if (x >= at.x && x <= at.x + width && Math.abs(y - at.y) < 7) return true;
      }
    }
    return false;
  };

  it('is crossed by no curve where there is room, also between two points of a sparse one', () => {
    const flat = (y: number) => [
      { x: 40, y },
      { x: 200, y },
    ];
    const cases = [
      [],
      [flat(45)],
      // both sides of the line are taken: it is led there from further away
      [flat(45), flat(58)],
      [
        [
          { x: 40, y: 5 },
          { x: 120, y: 95 },
        ],
      ],
      [
        [
          { x: 40, y: 45 },
          { x: 110, y: 45 },
          { x: 120, y: Number.NaN },
          { x: 125, y: 45 },
          { x: 200, y: 45 },
        ],
        flat(60),
      ],
    ];
    const places = cases.map(curves => freePlace(curves, area, 70, 50));
    for (const [i, place] of places.entries()) {
      for (const curve of cases[i]!)
        assert.ok(!isCrossed(curve, place, 70), `case ${i}: ${JSON.stringify(place)}`);
      assert.ok(place.x >= area.left && place.x + 70 <= area.right);
    }
    assert.deepEqual(
      places.map(({ isAway }) => isAway),
      [false, false, true, false, true],
    );
    // curves everywhere: above the chart, where there is room, also for a name wider than the chart
    const all = Array.from({ length: 12 }, (_, i) => flat(4 + 8 * i));
    assert.deepEqual(freePlace(all, { ...area, top: 18 }, 70, 50), { x: 126, y: 9, isAway: true });
    assert.equal(freePlace([], { ...area, top: 18 }, 300, 50).x, 2);
  });
});

describe('the lines of the loss chart', () => {
  it('pass through the lowest and the highest value of every point', () => {
    const train = curve([5, 3, 9]);
    const { ghost } = linesOf(run(train), train, 'step');
    for (const [i, x] of train.step.entries()) {
      const ys = ghost.filter(point => point.x === x).map(({ y }) => y);
      assert.deepEqual(
        ys.sort((a, b) => a - b),
        [train.min[i], train.max[i]],
      );
    }
  });

  it('mark the first NaN at its step, at the height of the last finite value', () => {
    const train = curve([4, 3, Number.NaN, Number.NaN], [3, 4]);
    assert.deepEqual(linesOf(run(train), train, 'step').broken, { x: 3, y: 3, step: 3 });
    assert.ok(Math.abs(linesOf(run(train), train, 'seconds').broken!.x - 0.3) < 1e-9);
  });

  it('are read at the last point before, and nowhere before the first', () => {
    const line = [
      { x: 10, y: 1 },
      { x: 20, y: 2 },
    ];
    assert.ok(Number.isNaN(valueAt(line, 9)));
    assert.deepEqual(
      [10, 19, 20, 99].map(x => valueAt(line, x)),
      [1, 1, 2, 2],
    );
  });

  it('have an extent of what is finite, shown and drawable', () => {
    const train = curve([-5, 2, Number.NaN, 8]);
    const lines = [linesOf(run(train), train, 'step')];
    const log = valueExtent(lines, 0, 10, 'log')!;
    assert.ok(log.min > 0 && log.max >= 9);
    assert.ok(valueExtent(lines, 1, 1, 'linear')!.min <= -6);
    assert.equal(valueExtent(lines, 100, 200, 'linear'), null);
  });
});

describe('scales', () => {
  const range = fc
    .tuple(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: 1e-3, max: 1e6, noNaN: true }))
    .map(([from, span]) => [from, from + span] as const);

  it('have round ticks inside the range, not many more than wanted', () => {
    fc.assert(
      fc.property(range, fc.integer({ min: 2, max: 12 }), ([from, to], wanted) => {
        const ticks = linearTicks(from, to, wanted);
        assert.ok(ticks.length <= wanted + 1, String(ticks));
        // the ends themselves may be ticks, which float64 holds to 1e-16 of their size
        const slack = (to - from) * 1e-6 + 1e-12 * Math.max(Math.abs(from), Math.abs(to));
        assert.ok(
          ticks.every(tick => tick >= from - slack && tick <= to + slack),
          String(ticks),
        );
      }),
    );
  });

  it('have ticks of powers of ten over many decades and round ones within one', () => {
    assert.deepEqual(logTicks(1.4, 4.6, 5), [1.5, 2, 3, 4]);
    assert.deepEqual(logTicks(1e-6, 1, 4), [1e-6, 1e-4, 1e-2, 1]);
  });

  it('have ticks of time that differ in what they say, also of a second or a week', () => {
    for (const span of [0.4, 3, 12, 60, 90, 3600, 604_800]) {
      const words = timeTicks(0, span, 6).map(tick => axisText(tick, 'seconds', span));
      assert.equal(new Set(words).size, words.length, `${span}: ${words}`);
      assert.ok(words.length >= 2 && words.length <= 8, `${span}: ${words}`);
    }
    assert.deepEqual(timeTicks(0, 90, 6), [0, 15, 30, 45, 60, 75, 90]);
  });

  it('have ticks at dates, with a word for each, whatever the span', () => {
    const at = Date.UTC(2020, 1, 27, 5);
    const day = 86_400_000;
    assert.deepEqual(
      dateTicks(at, at + 4 * day, 6).map(({ label }) => label),
      ['Feb 28', 'Feb 29', 'Mar 1', 'Mar 2'],
    );
    assert.deepEqual(
      dateTicks(Date.UTC(1958, 2, 1), Date.UTC(1968, 2, 1), 5).map(({ label }) => label),
      ['1960', '1962', '1964', '1966', '1968'],
    );
    for (const days of [0.1, 0.7, 3, 20, 100, 400, 4000]) {
      const ticks = dateTicks(at, at + days * day, 5);
      assert.ok(ticks.length >= 1 && ticks.length <= 8, `${days}: ${ticks.map(({ label }) => label)}`);
      assert.equal(new Set(ticks.map(({ label }) => label)).size, ticks.length);
      assert.ok(ticks.every(({ value }) => value >= at && value <= at + days * day));
    }
  });

  it('lead back to where they came from', () => {
    const scale = linearScale(0, 840, 44, 400);
    assert.ok(Math.abs(scale.invert(scale(612)) - 612) < 1e-9);
  });

  it('find the row of a step and the index of a value', () => {
    const steps = [1, 11, 21];
    assert.deepEqual(
      [0, 1, 2, 11, 21, 22].map(step => rowAt(steps, step)),
      [0, 0, 1, 1, 2, -1],
    );
    assert.deepEqual(
      [0, 1, 15, 99].map(value => indexAt(steps, value)),
      [-1, 0, 1, 2],
    );
  });
  it('finds a chosen layer by its name, which another map has at another index', () => {
    const level = (name: string) => ({ name, title: name, family: 'recurrent', units: 8 });
    const all = { layers: ['layers.0', 'layers.1', 'layers.2'].map(level), main: 2 };
    const recurrent = { layers: ['layers.1', 'layers.2'].map(level), main: 0 };
    assert.deepEqual(
      ['layers.2', 'layers.0', null].map(name => [levelOf(all, name), levelOf(recurrent, name)]),
      [
        [2, 1],
        [0, 0],
        [2, 0],
      ],
    );
    // earlier pages kept an index
    assert.equal(uiFrom({ layer: 1 }).layer, null);
    assert.equal(uiFrom({ layer: 'layers.1' }).layer, 'layers.1');
  });
});

describe('numbers on the page', () => {
  it('are short', () => {
    assert.deepEqual([1.6712, 0.00012, Number.NaN, 12345].map(loss), ['1.67', '1.2e-4', 'NaN', '1.2e+4']);
    assert.deepEqual([999, 76_243, 1_999_999, 999_960].map(short), ['999', '76.2k', '2M', '1M']);
    assert.deepEqual([59.6, 65, 3725].map(clock), ['1:00', '1:05', '1:02:05']);
    assert.deepEqual([1, 0.0123, 0.000012, 0].map(ratio), ['100 %', '1.2 %', '1.2·10⁻⁵', '0']);
  });
});

describe('what a page remembers', () => {
  it('is taken over where it fits, and else left at its default', () => {
    const odd = {
      scale: 'cubic',
      axis: 'tokens',
      smoothing: 7,
      run: 3,
      zoom: { from: 'a' },
      tables: null,
      follow: false,
    };
    const ui = uiFrom(odd);
    assert.deepEqual(
      [ui.scale, ui.axis, ui.smoothing, ui.run, ui.zoom, ui.follow],
      ['log', 'tokens', 0.9, null, null, false],
    );
    assert.deepEqual(uiFrom(null), uiFrom(undefined));
  });
});

describe('labels at the ends of lines', () => {
  it('are whole where there is room', () => {
    assert.deepEqual(shortLabels(['vanish · 16 units', 'vanish · 24 units'], 200), [
      'vanish · 16 units',
      'vanish · 24 units',
    ]);
  });

  it('are cut where there is none, what they have in common first', () => {
    assert.deepEqual(shortLabels(['vanish · 16 units', 'vanish · 24 units'], 120), ['16 units', '24 units']);
    assert.deepEqual(shortLabels(['a · b · first', 'a · b · second'], 108), ['first', 'second']);
    assert.deepEqual(shortLabels(['alike · alike', 'alike · alike'], 108), ['alike', 'alike']);
    assert.deepEqual(shortLabels(['a single long label'], 120), ['']);
    assert.deepEqual(shortLabels(['LSTM'], 120), ['LSTM']);
  });

  it('keep their last word where they would read alike', () => {
    const labels = ['RNN · batchSize 4', 'RNN · batchSize 16', 'LSTM · batchSize 16'];
    assert.deepEqual(shortLabels(labels, 150), ['RNN · batc…4', 'RNN · bat…16', 'LSTM · ba…16']);
    assert.deepEqual(shortLabels(labels, 110), ['RNN …4', 'RNN…16', 'LST…16']);
  });
});
