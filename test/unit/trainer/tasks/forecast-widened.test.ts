// Forecasts of quantiles, seasons and calendars: losses, scores and inputs against their formulas.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor3d, tidy } from '@tensorflow/tfjs-core';
import { parseExperiment } from '../../../../src/experiment/parse.ts';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { type Batch, emptyScore, type Task } from '../../../../src/trainer/tasks/task.ts';
import { figuresOf } from '../../../../src/trainer/training/validation.ts';

let folder = '';
/** A wave of four rows on a slope, each day a row from Monday, 1 January 2024. */
const valueAt = (row: number) => row + [0, 5, 2, -4][row % 4]! + ((row * 7) % 3);
const ROWS = 60;

const open = (data: object): Promise<Task> => {
  const lines = Array.from({ length: ROWS }, (_, row) => {
    const date = new Date(Date.UTC(2024, 0, 1 + row)).toISOString().slice(0, 10);
    return `${date},${valueAt(row)}`;
  });
  writeFileSync(join(folder, 'a.csv'), `day,value\n${lines.join('\n')}\n`);
  const experiment = experimentSchema.parse({
    data: { task: 'forecast', path: 'a.csv', target: 'value', window: 8, ...data },
    model: { layers: [{ type: 'gru', units: 3 }, { type: 'dense' }] },
    training: { batchSize: 4 },
  });
  return openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
};

function figures(task: Task, answer: (batch: Batch, at: number) => number) {
  const score = emptyScore();
  for (const batch of task.validation())
    tidy(() => {
      const size = batch.batch * task.sizes.outputs;
      const said = Array.from({ length: size }, (_, at) => answer(batch, at));
      task.score(tensor3d(said, [1, batch.batch, task.sizes.outputs]), batch, score);
    });
  return figuresOf(task, score);
}

describe('forecasts of quantiles, seasons and calendars', () => {
  before(() => startEngine('reference', null));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-forecast-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('the pinball loss is that of its formula, in training as in scoring', async () => {
    const quantiles = [0.1, 0.5, 0.9];
    const task = await open({ horizon: 2, quantiles });
    assert.equal(task.sizes.outputs, 6);
    const [batch] = [...task.validation()];
    const said = Array.from({ length: batch!.batch * 6 }, (_, at) => Math.sin(at));
    let sum = 0;
    batch!.targets.forEach((truth, row) => {
      quantiles.forEach((q, at) => {
        const error = truth - said[row * 3 + at]!;
        sum += error > 0 ? q * error : (q - 1) * error;
      });
    });
    const expected = sum / said.length;
    const outputs = tensor3d(said, [1, batch!.batch, 6]);
    assert.ok(Math.abs(task.loss(outputs, batch!.targets, null).dataSync()[0]! - expected) < 1e-6);
    const score = emptyScore();
    task.score(outputs, batch!, score);
    assert.ok(Math.abs(score.lossSum / score.count - expected) < 1e-6);
    // the middle quantile is the forecast; truth within the outer ones is covered
    const right = figures(task, ({ targets }, at) => targets[Math.floor(at / 3)]! + (at % 3) - 1);
    assert.ok(right['rmse']! < 1e-4 && right['coverage'] === 1, JSON.stringify(right));
  });

  it('the baseline of a season is the value one season before, and MASE and sMAPE are their formulas', async () => {
    for (const [season, horizon, difference] of [
      [4, 1, 0],
      [4, 5, 0],
      [4, 3, 1],
      [undefined, 2, 0],
    ] as const) {
      const task = await open({ season, horizon, difference });
      const m = season ?? 1;
      const trained = Math.floor(ROWS * 0.7);
      const places = Array.from({ length: ROWS }, (_, at) => at).filter(
        at => at >= trained && at + horizon <= Math.floor(ROWS * (0.7 + 0.1)),
      );
      const naive = (at: number, k: number) => valueAt(at + k - m * Math.ceil((k + 1) / m));
      const pairs = places.flatMap(at =>
        Array.from({ length: horizon }, (_, k) => [valueAt(at + k), naive(at, k)] as const),
      );
      const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
      const scale = mean(
        Array.from({ length: trained - m }, (_, at) => Math.abs(valueAt(at + m) - valueAt(at))),
      );
      // answers of the naive forecast, in the scale of the task
      const artifact = task.artifact() as unknown as { scaling: { value: { mean: number; std: number } } };
      const { mean: shift, std } = artifact.scaling.value;
      let next = 0;
      const own = figures(task, (_, at) => {
        const k = at % horizon;
        const place = places[Math.floor(next++ / horizon)]!;
        const before = difference === 0 ? 0 : k === 0 ? valueAt(place - 1) : naive(place, k - 1);
        return (naive(place, k) - before - shift) / std;
      });
      const close = (found: number, expected: number, what: string) =>
        assert.ok(
          Math.abs(found - expected) < 1e-4 * Math.max(1, expected),
          `${what}: ${found} for ${expected}`,
        );
      close(own['valLoss']!, task.facts.baseline!.loss, 'the loss of the baseline');
      close(own['mase']!, mean(pairs.map(([y, f]) => Math.abs(y - f))) / scale, 'MASE');
      close(
        own['smape']!,
        mean(pairs.map(([y, f]) => (y === f ? 0 : (2 * Math.abs(y - f)) / (Math.abs(y) + Math.abs(f))))),
        'sMAPE',
      );
      if (season) close(own['seasonalRmse']!, own['rmse']!, 'seasonal RMSE');
    }
  });

  it('a calendar gives the sine and cosine of each cycle at every row of the window', async () => {
    const task = await open({ calendar: ['weekday', 'month'] });
    assert.deepEqual(task.sizes.input, { kind: 'vectors', features: 5 });
    const [batch] = [...task.validation()];
    const first = Math.floor(ROWS * 0.7);
    for (let t = 0; t < 8; t++) {
      const date = new Date(Date.UTC(2024, 0, 1 + first - 8 + t));
      const angles = [date.getUTCDay() / 7, date.getUTCMonth() / 12].map(turn => 2 * Math.PI * turn);
      const expected = angles.flatMap(angle => [Math.sin(angle), Math.cos(angle)]);
      expected.forEach((value, at) => {
        const found = batch!.input[t * batch!.batch * 5 + 1 + at]!;
        assert.ok(Math.abs(found - value) < 1e-6, `${t} ${at}: ${found} for ${value}`);
      });
    }
  });

  it('says what does not fit', () => {
    const problems = (data: object) =>
      parseExperiment(
        JSON.stringify({
          data: { task: 'forecast', path: 'a.csv', target: 'v', ...data },
          model: { layers: [{ type: 'gru', units: 2 }, { type: 'dense' }] },
        }),
      ).problems.map(({ message }) => message);
    assert.deepEqual(problems({ quantiles: [0.5, 0.1] }), ['`quantiles` must rise, found 0.1 after 0.5.']);
    assert.deepEqual(problems({ quantiles: [0.1, 0.9], season: 7, calendar: ['hour'] }), []);
  });
});
