// Numbers that are not finite end a run with the name of the first bad tensor and the weights as they were.
import assert from 'node:assert/strict';
import { tensor } from '@tensorflow/tfjs-core';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { decodeSafetensors } from '../../../../src/runs/safetensors.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { addingBatch, addingTask } from '../../../../src/trainer/tasks/adding.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import type { Task } from '../../../../src/trainer/tasks/task.ts';
import { DivergedError } from '../../../../src/trainer/training/divergence.ts';
import { Trainer } from '../../../../src/trainer/training/trainer.ts';
import { bitsOf, checkpointFile, eventsOf, readRun, train, trainNew, useWorkspace } from './runs.ts';

function adding(training: ExperimentInput['training']): ExperimentInput {
  return {
    name: 'diverging',
    data: { task: 'adding', length: 20 },
    model: { layers: [{ type: 'rnn', units: 8, activation: 'relu' }, { type: 'dense' }] },
    training: { batchSize: 4, clipNorm: null, ...training },
  };
}

function trainerOf(input: ExperimentInput, change: (task: Task) => Partial<Task> = () => ({})): Trainer {
  const experiment = experimentSchema.parse(input);
  const task = addingTask(experiment, { task: 'adding', length: 20 });
  return new Trainer(experiment, { ...task, ...change(task) });
}

function weights(trainer: Trainer): number[][] {
  return [...trainer.model.variables.values()].map(variable => [...variable.dataSync()]);
}

/** The sentence with which the next step fails. */
function divergence(trainer: Trainer): string {
  try {
    trainer.advance();
  } catch (cause) {
    assert.ok(cause instanceof DivergedError, String(cause));
    return cause.message;
  }
  throw new Error('the step was finite');
}

describe('a run that diverges', () => {
  useWorkspace();

  it('ends as diverged, names tensor and step, and keeps the last good weights', async () => {
    const spec = adding({ steps: 50, optimizer: { type: 'sgd', learningRate: 1e9 } });
    const { folder, outcome } = await trainNew(spec);
    assert.equal(outcome.reason, 'diverged');
    assert.match(
      outcome.message,
      /^The \w+( \w+)* became (Infinity|NaN) at step \d+: the first tensor that is not finite is /,
    );
    const badStep = Number(/at step (\d+)/.exec(outcome.message)![1]);
    assert.equal(outcome.steps, badStep - 1);
    for (const [name, { data }] of decodeSafetensors(checkpointFile(folder, 'weights.safetensors')))
      assert.ok(data.every(Number.isFinite), name);

    const run = readRun(folder);
    assert.equal(run.status?.state, 'diverged');
    assert.equal(run.status?.message, outcome.message);
    const losses = run.scalars.get('trainLoss')!;
    assert.equal(losses.steps.at(losses.length - 1), badStep);
    assert.ok(!Number.isFinite(losses.mean.at(losses.length - 1)));

    // the last good step is the same as that of a run that ends there
    const { folder: shorter } = await trainNew(
      adding({ steps: badStep - 1, optimizer: { type: 'sgd', learningRate: 1e9 } }),
    );
    assert.equal(bitsOf(folder), bitsOf(shorter));
  });

  it('tells the same again when it is resumed, and changes nothing', async () => {
    const { folder, outcome } = await trainNew(
      adding({ steps: 50, optimizer: { type: 'sgd', learningRate: 1e9 } }),
    );
    const before = eventsOf(folder);
    assert.deepEqual(await train(folder), outcome);
    assert.deepEqual(eventsOf(folder), before);
  });
});

describe('the first bad tensor', () => {
  beforeEach(() => startEngine('reference', null));
  const gentle = adding({ optimizer: { type: 'sgd', learningRate: 0.1 } });

  it('is the input', () => {
    const trainer = trainerOf(gentle, () => ({
      trainingBatch(step) {
        const batch = addingBatch(20, 4, 1, 'test', step);
        if (step === 3) batch.input[(6 * 4 + 2) * 2] = Number.NaN;
        return batch;
      },
    }));
    trainer.advance();
    trainer.advance();
    const before = weights(trainer);
    assert.equal(
      divergence(trainer),
      'The loss became NaN at step 3: the first tensor that is not finite is the input, at time step 7.',
    );
    assert.deepEqual(weights(trainer), before);
    trainer.dispose();
  });

  it('is a weight', () => {
    const trainer = trainerOf(gentle);
    const variable = trainer.model.variables.get('layers.0.weight_hh_l0')!;
    const values = Float32Array.from(variable.dataSync());
    values[9] = Number.NaN;
    variable.assign(tensor(values, variable.shape));
    assert.match(divergence(trainer), /is the weight layers\.0\.weight_hh_l0 \(number 10 of 64\)\.$/);
    trainer.dispose();
  });

  it('is the output of a layer, with its time step', () => {
    const trainer = trainerOf(gentle);
    // doubles at every step: 2^128 is beyond float32
    const variable = trainer.model.variables.get('layers.0.weight_hh_l0')!;
    const values = new Float32Array(64);
    for (let unit = 0; unit < 8; unit++) values[unit * 9] = 2 ** 12;
    variable.assign(tensor(values, variable.shape));
    const message = divergence(trainer);
    const step = Number(/is the output of layers\.0, at time step (\d+)\.$/.exec(message)?.[1]);
    assert.ok(step > 8 && step <= 13, message);
    trainer.dispose();
  });

  it('is the output of the last layer, though its loss computes it along', async () => {
    const experiment = experimentSchema.parse({
      data: { task: 'temporal-order', length: 20 },
      model: { layers: [{ type: 'rnn', units: 8 }, { type: 'dense' }] },
    });
    const trainer = new Trainer(
      experiment,
      await openTask(experiment, { base: '', workspace: '', allowedPaths: [] }),
    );
    const fill = (name: string, value: number) => {
      const variable = trainer.model.variables.get(name)!;
      variable.assign(tensor(new Float32Array(variable.size).fill(value), variable.shape));
    };
    // every unit is 1: eight of them are beyond float32
    fill('layers.0.bias_ih_l0', 100);
    fill('layers.1.weight', 3e38);
    assert.match(divergence(trainer), /^The loss became .* is the output of layers\.1, at time step 1\.$/);
    trainer.dispose();
  });

  it('is a weight after an update that overflows, and the update is undone', () => {
    const trainer = trainerOf(adding({ optimizer: { type: 'sgd', learningRate: 1e38 }, l2: 100 }));
    const before = weights(trainer);
    assert.match(
      divergence(trainer),
      /^The size of the weights became infinite at step 1: .* after the update of step 1\.$/,
    );
    assert.deepEqual(weights(trainer), before);
    assert.equal(trainer.step, 0);
    trainer.dispose();
  });
});
