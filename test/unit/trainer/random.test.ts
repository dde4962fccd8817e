// The random streams: the published algorithm, and independence of purposes, counters and seeds.
import assert from 'node:assert/strict';
import { philox4x32, randomStream } from '../../../src/trainer/random.ts';

function draw(count: number, next: () => number): number[] {
  return Array.from({ length: count }, next);
}

describe('random streams', () => {
  // kat_vectors of Random123, philox4x32 with 10 rounds
  const vectors: [number[], number, number, number[]][] = [
    [[0, 0, 0, 0], 0, 0, [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      0xffffffff,
      0xffffffff,
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      0xa4093822,
      0x299f31d0,
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  for (const [counter, key0, key1, expected] of vectors) {
    it(`philox4x32-10 of ${counter.map(word => word.toString(16)).join(' ')}`, () => {
      const words = Uint32Array.from(counter);
      philox4x32(words, key0, key1);
      assert.deepEqual([...words], expected);
    });
  }

  it('gives the same numbers for the same seed, purpose and counter, and others for any other', () => {
    const first = (...where: [number, string, number]) => draw(8, randomStream(...where).uniform);
    const base = first(1, 'data', 5);
    assert.deepEqual(first(1, 'data', 5), base);
    for (const other of [
      first(2, 'data', 5),
      first(1, 'dropout', 5),
      first(1, 'data', 6),
      first(1, 'data', 2 ** 32 + 5),
    ])
      assert.ok(other.every((value, i) => value !== base[i]));
  });

  it('uniform lies in [0, 1) with mean 1/2 and variance 1/12', () => {
    const values = draw(100_000, randomStream(3, 'uniform', 0).uniform);
    assert.ok(values.every(value => value >= 0 && value < 1));
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    assert.ok(Math.abs(mean - 1 / 2) < 0.004, `mean ${mean}`);
    assert.ok(Math.abs(variance - 1 / 12) < 0.002, `variance ${variance}`);
  });

  it('normal has mean 0, variance 1 and the right share beyond two', () => {
    const values = draw(100_000, randomStream(4, 'normal', 0).normal);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((a, b) => a + b * b, 0) / values.length;
    const beyond = values.filter(value => Math.abs(value) > 2).length / values.length;
    assert.ok(Math.abs(mean) < 0.015, `mean ${mean}`);
    assert.ok(Math.abs(variance - 1) < 0.02, `variance ${variance}`);
    assert.ok(Math.abs(beyond - 0.0455) < 0.003, `share beyond two: ${beyond}`);
  });

  it('int is even over its range and refuses what is no range', () => {
    const stream = randomStream(5, 'int', 0);
    const counts = new Array(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[stream.int(7)]++;
    assert.ok(
      counts.every(count => Math.abs(count - 10_000) < 500),
      String(counts),
    );
    for (const wrong of [0, -1, 2.5, Number.NaN, 2 ** 33]) assert.throws(() => stream.int(wrong), RangeError);
  });
});
