// The figures of a measurement, from samples of steps that were made together.
import assert from 'node:assert/strict';
import { statisticsOf } from '../../../../src/trainer/bench/measure.ts';

const single = (...times: number[]) => times.map(milliseconds => ({ steps: 1, milliseconds }));

describe('statistics of step times', () => {
  it('are of the times of samples, in any order', () => {
    const { steps, msMedian, msMean, ms10, ms90 } = statisticsOf(single(4, 1, 2, 3, 10));
    assert.equal(steps, 5);
    assert.equal(msMedian, 3);
    assert.equal(msMean, 4);
    assert.ok(Math.abs(ms10 - 1.4) < 1e-12);
    assert.ok(Math.abs(ms90 - 7.6) < 1e-12);
  });

  it('halve the middle of an even number', () => {
    assert.equal(statisticsOf(single(1, 2, 3, 10)).msMedian, 2.5);
  });

  it('take a sample of several steps as their mean, and count all steps', () => {
    const samples = [
      { steps: 10, milliseconds: 20 },
      { steps: 2, milliseconds: 10 },
    ];
    const { steps, msMedian, msMean } = statisticsOf(samples);
    assert.equal(steps, 12);
    assert.equal(msMedian, 3.5);
    assert.equal(msMean, 2.5);
  });
});
