import assert from 'node:assert/strict';
import { experimentSchema, type Schedule } from '../../../../src/experiment/schema.ts';
import { learningRateAt } from '../../../../src/trainer/training/schedule.ts';

const parse = (schedule: object): Schedule =>
  experimentSchema.parse({
    data: { task: 'adding' },
    model: { layers: [{ type: 'rnn', units: 1 }, { type: 'dense' }] },
    training: { schedule },
  }).training.schedule;

const rates = (schedule: object, steps: number): number[] =>
  Array.from({ length: steps }, (_, index) => learningRateAt(parse(schedule), 2, index + 1, steps));

function assertClose(actual: number[], expected: number[]): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]!) < 1e-12, `step ${i + 1}: ${actual} instead of ${expected}`);
  });
}

describe('learning-rate schedules', () => {
  it('constant, with a linear warm-up that ends at the full rate', () => {
    assertClose(rates({ type: 'constant' }, 3), [2, 2, 2]);
    assertClose(rates({ type: 'constant', warmup: 4 }, 6), [0.5, 1, 1.5, 2, 2, 2]);
  });

  it('linear, from the full rate at the first step to the final share at the last', () => {
    assertClose(rates({ type: 'linear', final: 0.2 }, 5), [2, 1.6, 1.2, 0.8, 0.4]);
    assertClose(rates({ type: 'linear', warmup: 2 }, 5), [1, 2, 2, 1, 0]);
  });

  it('cosine: half a wave', () => {
    const expected = [0, 1, 2, 3, 4].map(k => 2 * (0.1 + (0.9 * (1 + Math.cos((Math.PI * k) / 4))) / 2));
    assertClose(rates({ type: 'cosine', final: 0.1 }, 5), expected);
  });

  it('step: a factor after every so many steps', () => {
    assertClose(rates({ type: 'step', every: 2, factor: 0.5 }, 6), [2, 2, 1, 1, 0.5, 0.5]);
    assertClose(rates({ type: 'step', every: 2, factor: 0.5, warmup: 1 }, 6), [2, 2, 2, 1, 1, 0.5]);
  });

  it('stay finite for a single step and a warm-up as long as the training', () => {
    for (const type of ['constant', 'linear', 'cosine']) {
      assertClose(rates({ type }, 1), [2]);
      assertClose(rates({ type, warmup: 3 }, 3), [2 / 3, 4 / 3, 2]);
    }
  });
});
