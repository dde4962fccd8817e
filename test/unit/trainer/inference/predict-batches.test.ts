// Batches of unroll predict: each place once, and no pass beyond its steps but one sequence alone.
import assert from 'node:assert/strict';
import { longestFirst } from '../../../../src/trainer/inference/predict/batches.ts';

describe('batches of unroll predict', () => {
  it('hold each place once, the longest first, and no more steps than a pass may have', () => {
    const lengths = Array.from({ length: 300 }, (_, place) =>
      place === 7 ? 10_000 : 1 + ((place * 37) % 60),
    );
    const batches = [...longestFirst(lengths, 64, 2000)];
    assert.deepEqual(
      batches.flat().sort((a, b) => a - b),
      lengths.map((_, place) => place),
    );
    assert.deepEqual(batches[0], [7]);
    for (const places of batches.slice(1)) {
      assert.ok(places.length <= 64);
      assert.ok(places.length * lengths[places[0]!]! <= 2000);
    }
    const flat = batches.flat().map(place => lengths[place]!);
    assert.deepEqual(
      flat,
      [...flat].sort((a, b) => b - a),
    );
  });

  it('are whole where nothing is long, and none where nothing is there', () => {
    assert.deepEqual([...longestFirst([3, 5, 4], 2)], [[1, 2], [0]]);
    assert.deepEqual([...longestFirst([], 2)], []);
  });
});
