// Initial values of decays and step sizes are drawn from the ranges of their papers, and fill them.
import assert from 'node:assert/strict';
import { logUpTo16, stepBias } from '../../../../src/trainer/layers/gated-deltanet.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { SEED } from '../engine/golden.ts';

const COUNT = 4000;

/** Least and largest of many, and their median. */
function spanOf(values: Iterable<number>): { least: number; median: number; most: number } {
  const sorted = [...values].sort((a, b) => a - b);
  return { least: sorted[0]!, median: sorted[sorted.length >> 1]!, most: sorted.at(-1)! };
}

const between = (value: number, low: number, high: number) =>
  assert.ok(value >= low && value <= high, `${value} is not in ${low} … ${high}`);

describe('initial values of decays', () => {
  it('are logarithms of a uniform number in 1 … 16', () => {
    const drawn = [...logUpTo16([COUNT], randomStream(SEED, 'decays', 0))] as number[];
    const { least, median, most } = spanOf(drawn.map(Math.exp));
    between(least, 0.9999, 1.1);
    between(median, 8, 9);
    between(most, 15.9, 16.0001);
  });

  it('are biases whose softplus is log-uniform in 0.001 … 0.1', () => {
    const drawn = [...stepBias([COUNT], randomStream(SEED, 'steps', 0))] as number[];
    const { least, median, most } = spanOf(drawn.map(bias => Math.log1p(Math.exp(bias))));
    between(least, 0.000999, 0.00105);
    between(median, 0.009, 0.011);
    between(most, 0.095, 0.10001);
  });
});
