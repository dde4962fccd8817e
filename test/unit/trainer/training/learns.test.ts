// Training learns: a loss curve as it was, and two problems that need memory.
import assert from 'node:assert/strict';
import type { ExperimentInput } from '../../../../src/experiment/schema.ts';
import { columnOf, readRun, tinyExperiment, trainNew, useWorkspace } from './runs.ts';

/** Of the experiment below at every fifth step; they change when initial values, data order or dropout do. */
const CURVE = [
  2.38216, 2.3064, 2.23708, 2.20951, 2.20693, 2.15015, 1.95715, 2.02005, 2.11725, 2.15541, 2.1947, 2.17423,
];

describe('training', () => {
  useWorkspace();

  it('follows the stored loss curve', async () => {
    const { folder } = await trainNew(tinyExperiment({ l2: 1e-4, schedule: { type: 'cosine', warmup: 5 } }));
    const { mean } = columnOf(folder, 'trainLoss');
    const actual = mean.filter((_, index) => index % 5 === 4);
    assert.equal(actual.length, CURVE.length);
    for (const [index, loss] of actual.entries())
      assert.ok(
        Math.abs(loss - CURVE[index]!) < 1e-4,
        `step ${5 * index + 5}: ${loss} instead of ${CURVE[index]}; all: ${actual.map(value => value.toFixed(5))}`,
      );
  });

  it('solves the adding problem of 20 steps with 16 GRU units', async () => {
    const spec: ExperimentInput = {
      name: 'adding 20',
      data: { task: 'adding', length: 20 },
      model: { layers: [{ type: 'gru', units: 16 }, { type: 'dense' }] },
      training: {
        batchSize: 16,
        steps: 700,
        optimizer: { type: 'adam', learningRate: 0.01 },
        validation: { every: 350 },
      },
    };
    const { folder, outcome } = await trainNew(spec);
    assert.ok((outcome.valLoss as number) < 0.02, `validation loss ${outcome.valLoss}`);
    const accuracy = readRun(folder).scalars.get('accuracy')!;
    assert.ok(accuracy.mean.at(accuracy.length - 1) > 0.2);
  });

  it('tells temporal order over 20 steps with 16 LSTM units', async () => {
    const spec: ExperimentInput = {
      name: 'order 20',
      data: { task: 'temporal-order', length: 20 },
      model: { layers: [{ type: 'lstm', units: 16 }, { type: 'dense' }] },
      training: {
        batchSize: 16,
        steps: 500,
        optimizer: { type: 'adam', learningRate: 0.02 },
        validation: { every: 250 },
      },
    };
    const { folder, outcome } = await trainNew(spec);
    assert.ok((outcome.valLoss as number) < 0.2, `validation loss ${outcome.valLoss}`);
    const accuracy = readRun(folder).scalars.get('accuracy')!;
    assert.ok(accuracy.mean.at(accuracy.length - 1) > 0.95);
  });
});
