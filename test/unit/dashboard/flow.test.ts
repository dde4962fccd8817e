// Rows of the gradient map: ratios, reach, pooling.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { gatesView, halfLifeOf } from '../../../src/extension/dashboard/views/gates.ts';
import { reachOf, TimeMapProjection } from '../../../src/extension/dashboard/views/time-map.ts';
import type { SeriesSidecar } from '../../../src/runs/format.ts';

function sidecar(layers: number, seqLen: number): SeriesSidecar {
  return {
    name: 'gradient-flow',
    view: 'time-map',
    width: layers * seqLen,
    axes: [
      { name: 'layer', size: layers },
      { name: 't', size: seqLen },
    ],
    layers: Array.from({ length: layers }, (_, i) => ({
      name: `layers.${i}`,
      family: 'recurrent',
      title: 'LSTM',
      keeps: 'f',
      units: 8,
    })),
    unit: '',
  };
}

/** Falls by a factor with every step back. */
function decaying(seqLen: number, factor: number, last = 0.5): Float32Array {
  return Float32Array.from({ length: seqLen }, (_, t) => last * factor ** (seqLen - 1 - t));
}

describe('the gradient map', () => {
  it('holds ratios to the last step and counts the steps back that stay above 1 %', () => {
    const rows = new TimeMapProjection();
    rows.follow({ sidecar: sidecar(1, 20), steps: [1, 11], rows: [decaying(20, 0.5), decaying(20, 0.5)] });
    const view = rows.view()!;
    assert.equal(view.ratios[19], 1);
    assert.equal(view.ratios[18], 0.5);
    // 0.5⁶ = 1.6 %, 0.5⁷ = 0.8 %
    assert.deepEqual(view.reach, [6]);
    assert.equal(view.contour[0], 6);
    assert.equal(view.profile[17], 0.25);
  });

  it('gives each layer its own reach', () => {
    const row = new Float32Array([...decaying(10, 0.11), ...decaying(10, 0.9)]);
    const rows = new TimeMapProjection();
    rows.follow({ sidecar: sidecar(2, 10), steps: [1], rows: [row] });
    assert.deepEqual(rows.view()!.reach, [2, 9]);
  });

  it('shows rows that explode or are broken, and does not count them as reach', () => {
    const good = decaying(10, 0.5);
    const exploding = decaying(10, 3);
    const broken = new Float32Array(10).fill(Number.NaN);
    const rows = new TimeMapProjection();
    rows.follow({ sidecar: sidecar(1, 10), steps: [1, 2, 3], rows: [good, exploding, broken] });
    const view = rows.view()!;
    assert.deepEqual(view.reach, [6]);
    assert.ok(view.ratios[10]! > 10);
    assert.ok(Number.isNaN(view.ratios[20]!));
  });

  it('has no reach before there is a row, nor for a gradient of zero', () => {
    const rows = new TimeMapProjection();
    rows.follow(undefined);
    assert.equal(rows.view(), null);
    rows.follow({ sidecar: sidecar(1, 4), steps: [1], rows: [new Float32Array(4)] });
    assert.deepEqual(rows.view()!.reach, [0]);
  });

  it('pools many rows into few by their largest value, in whatever parts they arrive', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 401, max: 1700 }),
        fc.array(fc.nat(1700), { maxLength: 4 }),
        (count, cuts) => {
          const all = Array.from({ length: count }, (_, i) =>
            decaying(6, 0.3 + 0.6 * Math.abs(Math.sin(i * 7.3))),
          );
          const steps = all.map((_, i) => i * 10 + 1);
          const source = { sidecar: sidecar(1, 6), steps: [] as number[], rows: [] as Float32Array[] };
          const rows = new TimeMapProjection();
          for (const cut of [...cuts.sort((a, b) => a - b), count]) {
            source.steps.push(...steps.slice(source.steps.length, cut));
            source.rows.push(...all.slice(source.rows.length, cut));
            rows.follow(source);
          }
          const view = rows.view()!;
          assert.ok(view.steps.length <= 401 && view.steps.length > 150, String(view.steps.length));
          assert.equal(view.steps.at(-1), steps.at(-1));
          let from = 0;
          view.steps.forEach((step, group) => {
            const to = steps.indexOf(step) + 1;
            const largest = Math.max(...all.slice(from, to).map(row => Math.fround(row[0]! / row[5]!)));
            assert.equal(view.ratios[group * 6], largest);
            from = to;
          });
        },
      ),
      { numRuns: 20 },
    );
  });

  it('follows a run that went back', () => {
    const rows = new TimeMapProjection();
    const source = {
      sidecar: sidecar(1, 4),
      steps: [1, 11, 21],
      rows: [1, 2, 3].map(() => decaying(4, 0.5)),
    };
    rows.follow(source);
    rows.follow({ ...source, steps: [1, 11], rows: source.rows.slice(0, 2) });
    assert.deepEqual([...rows.view()!.steps], [1, 11]);
  });

  it('counts a window that never vanishes to its end', () => {
    assert.equal(reachOf(new Float32Array(8).fill(1), 0, 8), 7);
    // a batch of three steps, and one whose last norm is none
    assert.equal(reachOf(Float32Array.of(Number.NaN, Number.NaN, 0.5, 0.5, 1), 0, 5), 2);
    assert.equal(reachOf(Float32Array.of(1, 1, Number.NaN), 0, 3), Number.NaN);
  });
});

describe('memory gates', () => {
  it('finds the gate that keeps and its half-life', () => {
    const labels = ['layers.0 i', 'layers.0 f', 'layers.0 g', 'layers.0 o'];
    const view = gatesView({
      sidecar: {
        ...sidecar(1, 3),
        width: 12,
        axes: [
          { name: 'gate', size: 4, labels },
          { name: 't', size: 3 },
        ],
      },
      steps: [1, 50],
      rows: [new Float32Array(12), Float32Array.from([0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0, 0, 0, 1, 1, 1])],
    })!;
    assert.equal(view.step, 50);
    assert.deepEqual(view.halfLife, [{ layer: 0, gate: 1, mean: 0.5, steps: 1 }]);
  });

  it('is ln ½ / ln of the mean, and has its ends', () => {
    assert.ok(Math.abs(halfLifeOf(0.94)! - 11.2) < 0.01);
    assert.equal(halfLifeOf(1), null);
    assert.equal(halfLifeOf(0), 0);
  });
});
