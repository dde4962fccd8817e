// Reach and half-life, and the memory that histories take.
import assert from 'node:assert/strict';
import { History } from '../../../src/diagnosis/history.ts';
import { halfLife, reach } from '../../../src/diagnosis/reach.ts';

describe('reach', () => {
  const cases: [string, number[], number][] = [
    ['all steps where nothing fades', [1, 1, 1, 1], 3],
    ['steps back to where it falls below 1 %', [0.5, 0.009, 0.011, 0.5, 1], 2],
    ['none where it fades at once', [1, 1, 0.001, 1], 0],
    ['none for a last norm of zero', [1, 1, 0], 0],
    ['none for a last norm that is not finite', [1, 1, Number.NaN], 0],
    ['none of a single step', [1], 0],
    ['none of nothing', [], 0],
  ];
  for (const [what, norms, steps] of cases)
    it(`is ${what}`, () => assert.equal(reach(Float32Array.from(norms)), steps));

  it('of a decay by 0.9 a step is 43 of 100', () => {
    // 0.9^43 = 0.0108, 0.9^44 = 0.0097
    assert.equal(reach(Float64Array.from({ length: 100 }, (_, t) => 0.9 ** (99 - t))), 43);
  });
});

describe('half-life of a forget gate', () => {
  it('is ln ½ / ln f', () => {
    assert.equal(halfLife(0.5), 1);
    assert.ok(Math.abs(halfLife(0.99) - 68.97) < 0.01);
    assert.equal(halfLife(1), Number.POSITIVE_INFINITY);
    assert.equal(halfLife(0), 0);
  });
});

describe('a history', () => {
  it('keeps the mean of a stretch when it has joined its bins', () => {
    const history = new History();
    for (let step = 1; step <= 100_000; step++) history.push(step, step);
    const mean = history.mean(50_000, 100_000)!;
    assert.ok(Math.abs(mean - 75_000) < 200, `${mean}`);
    assert.equal(history.mean(200_000, 300_000), null);
  });

  it('tells a steady rise from noise', () => {
    const rising = new History();
    const noise = new History();
    for (let step = 1; step <= 800; step++) {
      rising.push(step, step / 100 + Math.sin(step));
      noise.push(step, Math.sin(step * step));
    }
    assert.equal(rising.trend(0, 800)!.tau, 1);
    assert.ok(rising.trend(0, 800)!.rise > 6);
    assert.ok(Math.abs(noise.trend(0, 800)!.rise) < 0.15);
  });
});
