// Decoding of unaligned labels against all paths of short sequences.
import assert from 'node:assert/strict';
import { randomStream } from '../../../../src/trainer/random.ts';
import {
  alignmentOf,
  beamLabels,
  collapsed,
  greedyPath,
  type LogShares,
  logSharesOf,
  shownAlignment,
  stepsNeeded,
} from '../../../../src/trainer/tasks/alignments.ts';

const [STEPS, CLASSES] = [5, 3];

function drawn(seed: number): LogShares {
  const random = randomStream(seed, 'test/alignments', 0);
  const logits = Float32Array.from({ length: STEPS * CLASSES }, () => 3 * random.normal());
  return logSharesOf(logits, { steps: STEPS, batch: 1, row: 0, classes: CLASSES });
}

const paths = Array.from({ length: CLASSES ** STEPS }, (_, index) =>
  Array.from({ length: STEPS }, (_, t) => Math.floor(index / CLASSES ** t) % CLASSES),
);

const logOf = ({ values }: LogShares, path: readonly number[]) =>
  path.reduce((sum, symbol, t) => sum + values[t * CLASSES + symbol]!, 0);

describe('alignments', () => {
  it('shares of a step add up to 1', () => {
    const { values } = drawn(1);
    for (let t = 0; t < STEPS; t++) {
      const sum = values.subarray(t * CLASSES, (t + 1) * CLASSES).reduce((a, b) => a + Math.exp(b), 0);
      assert.ok(Math.abs(sum - 1) < 1e-9);
    }
  });

  it('greedy decoding takes the likeliest path, repeats joined and blanks left out', () => {
    for (let seed = 0; seed < 20; seed++) {
      const shares = drawn(seed);
      const likeliest = paths.reduce((a, b) => (logOf(shares, b) > logOf(shares, a) ? b : a));
      assert.deepEqual(greedyPath(shares), likeliest);
    }
    assert.deepEqual(collapsed([0, 1, 1, 0, 1, 2, 2, 0]), [1, 1, 2]);
    assert.deepEqual(collapsed([0, 0]), []);
  });

  it('a wide beam finds the labels of the largest sum over their paths', () => {
    let differs = 0;
    for (let seed = 0; seed < 40; seed++) {
      const shares = drawn(seed);
      const sums = new Map<string, number>();
      for (const path of paths) {
        const key = collapsed(path).join();
        sums.set(key, (sums.get(key) ?? 0) + Math.exp(logOf(shares, path)));
      }
      const [labels, share] = [...sums].reduce((a, b) => (b[1] > a[1] ? b : a));
      const found = beamLabels(shares, 100);
      assert.equal(found.labels.join(), labels);
      assert.ok(Math.abs(found.logProbability - Math.log(share)) < 1e-9);
      if (collapsed(greedyPath(shares)).join() !== labels) differs++;
    }
    assert.ok(differs > 0, 'the sum over paths is another answer than the likeliest path somewhere');
  });

  it('the alignment of labels is their likeliest path', () => {
    for (let seed = 0; seed < 20; seed++)
      for (const labels of [[], [1], [2, 1], [1, 1], [2, 2, 1]]) {
        const shares = drawn(seed);
        const own = paths.filter(path => collapsed(path).join() === labels.join());
        const likeliest = own.reduce((a, b) => (logOf(shares, b) > logOf(shares, a) ? b : a));
        assert.deepEqual(alignmentOf(shares, labels), likeliest);
      }
    assert.equal(alignmentOf(drawn(0), [1, 1, 1, 2]), null);
    assert.equal(stepsNeeded([1, 1, 1, 2]), 6);
  });

  it('is shown run by run, with the first step of each label', () => {
    assert.deepEqual(
      shownAlignment([0, 0, 1, 1, 2, 0, 2], label => 'ab'[label - 1]!, ''),
      { alignment: '_ab_b', steps: '2 4 6' },
    );
  });
});
