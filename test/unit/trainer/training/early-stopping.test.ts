import assert from 'node:assert/strict';
import { EarlyStopping } from '../../../../src/trainer/training/early-stopping.ts';
import {
  checkpointFile,
  columnOf,
  eventsOf,
  readRun,
  tinyExperiment,
  trainNew,
  useWorkspace,
} from './runs.ts';

describe('early stopping', () => {
  it('counts validations since the best', () => {
    const stopping = new EarlyStopping({ patience: 2, minDelta: 0.1 });
    const seen = [3, 2, 1.95, 2.5].map((loss, index) => [
      stopping.observe(index + 1, loss),
      stopping.exhausted,
    ]);
    assert.deepEqual(seen, [
      [true, false],
      [true, false],
      // better by less than minDelta
      [false, false],
      [false, true],
    ]);
    assert.deepEqual(stopping.state, { best: 2, bestStep: 2, since: 2 });
  });

  it('never takes a loss that is not finite for the best', () => {
    const stopping = new EarlyStopping({ patience: 3, minDelta: 0 });
    for (const loss of [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])
      assert.equal(stopping.observe(1, loss), false);
    assert.ok(stopping.exhausted);
  });

  it('remembers the best without a limit when it is off', () => {
    const stopping = new EarlyStopping(null);
    for (const loss of [1, 2, 3, 4]) stopping.observe(5 - loss, loss);
    assert.equal(stopping.exhausted, false);
    assert.equal(stopping.state.best, 1);
  });
});

describe('a run that stops early', () => {
  useWorkspace();

  it('keeps the weights of its best step, byte for byte', async () => {
    const spec = {
      steps: 2000,
      validation: { every: 5, maxBatches: 3 },
      checkpoint: { every: 1000 },
      optimizer: { type: 'sgd' as const, learningRate: 5 },
      earlyStopping: { patience: 4 },
    };
    const { folder, outcome } = await trainNew(tinyExperiment(spec));
    assert.equal(outcome.reason, 'early-stopped');
    const { steps, mean } = columnOf(folder, 'valLoss');
    const best = mean.indexOf(Math.min(...mean));
    assert.equal(mean.length - 1 - best, 4, 'validations after the best');
    assert.equal(outcome.steps, steps.at(-1));
    const bestStep = steps[best]!;
    assert.match(outcome.message, new RegExp(`at step ${bestStep}\\.`));

    const { folder: upToBest } = await trainNew(tinyExperiment({ ...spec, steps: bestStep }));
    assert.deepEqual(
      checkpointFile(folder, 'weights.safetensors', 'best'),
      checkpointFile(upToBest, 'weights.safetensors', 'last'),
    );
    const marked = readRun(folder).checkpoints.filter(checkpoint => checkpoint.best);
    assert.equal(marked.at(-1)?.step, bestStep);
    const ended = eventsOf(folder).at(-1)!;
    assert.ok(ended.kind === 'ended');
    const improved = mean.filter((loss, at) => loss < Math.min(...mean.slice(0, at))).length;
    const written = readRun(folder).checkpoints.length;
    assert.ok(improved > 6, `only ${improved} validations were the best so far`);
    assert.ok(written <= 3 + ended.seconds / 2, `${written} checkpoints in ${ended.seconds} s`);
  });
});
