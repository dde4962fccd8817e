// How long steps wait for their batch, on a clock of the test's own: making a batch takes 3 milliseconds of it, the rest of
// a step as many as it asks the clock.
import assert from 'node:assert/strict';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { Speed } from '../../../../src/trainer/training/speed.ts';
import { Trainer } from '../../../../src/trainer/training/trainer.ts';

describe('waiting for data', () => {
  const { now } = performance;
  let clock = 0;
  before(() => startEngine('reference', null));
  beforeEach(() => {
    clock = 0;
    performance.now = () => clock;
  });
  afterEach(() => {
    performance.now = now;
  });

  it('is the time of the batches alone, and no part of the pass', async () => {
    const experiment = experimentSchema.parse({
      data: { task: 'adding', length: 5 },
      model: { layers: [{ type: 'gru', units: 3 }, { type: 'dense' }] },
      training: { batchSize: 2, steps: 4 },
    });
    const task = await openTask(experiment, { base: '.', workspace: '.', allowedPaths: [] });
    const trainer = new Trainer(experiment, {
      ...task,
      trainingBatch(step) {
        clock += 3;
        return task.trainingBatch(step);
      },
      loss(...given) {
        clock += 7;
        return task.loss(...given);
      },
    });
    for (let step = 1; step <= 4; step++) {
      trainer.advance();
      assert.deepEqual([trainer.waited, trainer.stepped], [3 * step, 10 * step]);
    }
    trainer.dispose();
  });

  it('is told as a share of the steps, whatever lies between them', () => {
    const speed = new Speed();
    const at = (step: number, waited: number, stepped: number) =>
      speed.observe({ ownSeconds: step, step, tokens: step, waited, stepped });
    assert.equal(at(0, 0, 0), false);
    assert.equal(speed.waiting, null);
    // a second of own time each, of which the steps take 0.4
    for (let step = 1; step < 5; step++) {
      assert.equal(at(step, 100 * step, 400 * step), true);
      assert.ok(Math.abs(speed.waiting! - 0.25) < 1e-12);
    }
  });
});
