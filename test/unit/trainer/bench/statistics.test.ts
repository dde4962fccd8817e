// The figures of a measurement, from the ends of its steps.
import assert from 'node:assert/strict';
import { statisticsOf } from '../../../../src/trainer/bench/measure.ts';

describe('statistics of step times', () => {
  it('are of the times between ends, in any order', () => {
    // times 4, 1, 2, 3, 10
    const { steps, msMedian, msMean, ms10, ms90 } = statisticsOf([100, 104, 105, 107, 110, 120]);
    assert.equal(steps, 5);
    assert.equal(msMedian, 3);
    assert.equal(msMean, 4);
    assert.ok(Math.abs(ms10 - 1.4) < 1e-12);
    assert.ok(Math.abs(ms90 - 7.6) < 1e-12);
  });

  it('halve the middle of an even number', () => {
    assert.equal(statisticsOf([0, 1, 3, 6, 16]).msMedian, 2.5);
  });
});
