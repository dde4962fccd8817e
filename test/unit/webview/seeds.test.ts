// Runs that differ in their seed alone, as one run with a band.
import assert from 'node:assert/strict';
import type { Curve, RunView } from '../../../src/protocol/messages.ts';
import { type LossLines, seedLines } from '../../../src/webview/charts/loss-data.ts';
import {
  bandOf,
  bestOf,
  hasSeeds,
  meanCurve,
  meanSd,
  membersOf,
  shownRuns,
} from '../../../src/webview/seeds.ts';

const curve = (steps: number[], values: number[]): Curve => ({
  step: Float64Array.from(steps),
  seconds: Float64Array.from(steps),
  tokens: Float64Array.from(steps),
  mean: Float32Array.from(values),
  min: Float32Array.from(values, value => value - 1),
  max: Float32Array.from(values, value => value + 1),
  smooth: Float32Array.from(values),
  rowsPerPoint: 1,
  broken: new Float64Array(),
});
const run = (id: string, label: string, seed: number, seedKey: string, values: number[]): RunView =>
  ({
    id,
    label,
    seed,
    seedKey,
    cell: { type: 'lstm', title: 'LSTM', hue: 'lstm', classic: 2, hasGates: true },
    variant: 0,
    step: values.length,
    elapsed: 1,
    metrics: {},
    findings: [],
    trainLoss: curve(
      values.map((_, i) => i + 1),
      values,
    ),
    valLoss: curve([1], [values[0]!]),
  }) as unknown as RunView;

describe('seeds of one model', () => {
  const runs = [
    run('a', 'LSTM · seed 1', 1, 'k', [4, 2]),
    run('b', 'GRU · seed 1', 1, 'g', [9, 9]),
    run('c', 'LSTM · seed 2', 2, 'k', [2, 4, 6]),
  ];

  it('are one run in the place of the first, with its name without the seed', () => {
    const shown = shownRuns(runs, 'range');
    assert.deepEqual(
      shown.map(({ id, label }) => [id, label]),
      [
        ['a', 'LSTM'],
        ['b', 'GRU · seed 1'],
      ],
    );
    assert.deepEqual(
      shown.map(({ variant }) => variant),
      [0, 1],
      'two of one hue are told apart',
    );
    assert.deepEqual(
      membersOf(shown[0]!).map(({ id }) => id),
      ['a', 'c'],
    );
    assert.equal(hasSeeds(runs), true);
    assert.equal(hasSeeds(runs.slice(0, 2)), false);
  });

  it('are each by itself where that is asked for, and where a seed comes twice', () => {
    assert.equal(shownRuns(runs, 'each').length, 3);
    const twice = [run('a', 'LSTM', 1, 'k', [1]), run('b', 'LSTM', 1, 'k', [1])];
    assert.equal(shownRuns(twice, 'range').length, 2);
    const unread = [run('a', 'x', 1, '', [1]), run('b', 'x', 2, '', [1])];
    assert.equal(shownRuns(unread, 'range').length, 2);
  });

  it('have a mean over those that have come as far', () => {
    const mean = meanCurve(
      runs
        .filter(({ cell }) => cell)
        .map(({ trainLoss }) => trainLoss)
        .filter((_, i) => i !== 1),
    );
    assert.deepEqual([...mean.step], [1, 2, 3]);
    assert.deepEqual([...mean.mean], [3, 3, 6]);
    assert.deepEqual([...mean.min], [1, 1, 5]);
    assert.deepEqual([...mean.max], [5, 5, 7]);
  });

  it('have a mean with its sample deviation, and a best at the step of its point', () => {
    assert.deepEqual(meanSd([1, 5, Number.NaN]), { mean: 3, sd: Math.sqrt(8) });
    assert.deepEqual(meanSd([2]), { mean: 2, sd: null });
    assert.equal(meanSd([Number.NaN]), null);
    const valLoss = curve([10, 20, 30], [5, 2, 3]);
    assert.deepEqual(bestOf({ ...runs[0]!, valLoss }), { value: 1, step: 20 }, 'the least inside the point');
    assert.equal(bestOf({ ...runs[0]!, valLoss: curve([], []) }), null);
  });

  it('span a band of least and most, or of a standard deviation', () => {
    assert.deepEqual(bandOf([1, 5, Number.NaN], 'range'), { low: 1, high: 5 });
    // mean 3, deviations ±2: √8
    assert.deepEqual(bandOf([1, 5], 'sd'), { low: 3 - Math.sqrt(8), high: 3 + Math.sqrt(8) });
    assert.equal(bandOf([1], 'range'), null);
    assert.equal(bandOf([1, 2], 'each'), null);
    const lines = (values: number[]): LossLines => ({
      run: runs[0]!,
      ghost: [{ x: 1, y: 1 }],
      train: values.map((y, i) => ({ x: i, y })),
      val: [],
      band: [],
      broken: null,
    });
    const merged = seedLines(lines([3, 3, 6]), [lines([4, 2]), lines([2, 4, 6])], 'range');
    assert.deepEqual(merged.band, [
      { x: 0, low: 2, high: 4 },
      { x: 1, low: 2, high: 4 },
    ]);
    assert.deepEqual(merged.ghost, [], 'no raw curves behind a mean');
  });
});
