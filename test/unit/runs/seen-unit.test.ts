// What is counted as seen: the words of speed, axis and table.
import assert from 'node:assert/strict';
import { rowsOf } from '../../../src/runs/comparison.ts';
import { columnsOf } from '../../../src/runs/comparison-text.ts';
import type { TaskFacts } from '../../../src/runs/format.ts';
import { type SeenUnit, seenUnitOf } from '../../../src/runs/seen-unit.ts';

const of = (data: string, task: Partial<TaskFacts> | null) =>
  seenUnitOf({ data: JSON.parse(data) }, task as TaskFacts | null);

describe('the unit of speed', () => {
  it('is tokens of symbols, frames of sound and time steps of numbers', () => {
    const vectors = {
      lossUnit: 'mse',
      sizes: { input: { kind: 'vectors' as const, features: 2 }, outputs: 1 },
    };
    const tokens = {
      lossUnit: 'nats',
      sizes: { input: { kind: 'tokens' as const, vocabulary: 9 }, outputs: 9 },
    };
    assert.equal(of('{"task":"adding"}', vectors), 'time steps');
    assert.equal(of('{"task":"adding"}', null), 'time steps');
    assert.equal(of('{"task":"copying"}', tokens), 'tokens');
    assert.equal(of('{"task":"classify","path":"a.csv","audio":"file","label":"word"}', vectors), 'frames');
  });

  it('of a run that tells no sizes is told by its loss', () => {
    assert.equal(of('{"task":"char-lm","path":"a.txt"}', { lossUnit: 'nats/char' }), 'tokens');
    assert.equal(of('{"task":"adding"}', { lossUnit: 'mse' }), 'time steps');
  });

  it('heads the column of a comparison', () => {
    const titleOf = (...seen: SeenUnit[]) =>
      columnsOf(
        rowsOf(
          seen.map((unit, seed) => ({
            id: `${seed}`,
            label: 'a',
            key: 'a',
            seed,
            unit: null,
            seen: unit,
            state: 'finished',
            final: 1,
            best: 1,
            bestStep: 1,
            test: null,
            metric: null,
            metricOf: null,
            parameters: 1,
            secondsPerStep: 1,
            tokensPerSecond: 5,
            memoryBytes: null,
            reach: null,
          })),
        ),
      ).find(({ name }) => name === 'tokensPerSecond')!.title;
    assert.equal(titleOf('tokens', 'tokens'), 'tokens/s');
    assert.equal(titleOf('frames'), 'frames/s');
    assert.equal(titleOf('tokens', 'frames'), 'time steps/s');
  });
});
