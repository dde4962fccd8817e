// Truncated backpropagation through time, and masks in the loss: on a real model, against what the definitions say.
import assert from 'node:assert/strict';
import { type Tensor, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { evaluate } from '../../../../src/trainer/layers/evaluate.ts';
import type { Model } from '../../../../src/trainer/layers/model.ts';
import type { State } from '../../../../src/trainer/layers/state.ts';
import { lastStepOf, probeReach } from '../../../../src/trainer/probes/reach.ts';
import { TimeRows } from '../../../../src/trainer/probes/time-rows.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { addingBatch, addingTask } from '../../../../src/trainer/tasks/adding.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import type { Batch, Task } from '../../../../src/trainer/tasks/task.ts';
import {
  computeGradients,
  type StepOptions,
  type StepResult,
  stretches,
} from '../../../../src/trainer/training/gradients.ts';
import { tinyExperiment, useWorkspace, workspaceFolder } from './runs.ts';

const plain: StepOptions = { window: 8, l2: 0, training: true, step: 1, state: null, outputs: 'every-step' };

function arrays({ gradients }: StepResult): Map<string, Float32Array> {
  const copies = [...gradients].map(([name, gradient]): [string, Float32Array] => [
    name,
    Float32Array.from(gradient.dataSync()),
  ]);
  for (const gradient of gradients.values()) gradient.dispose();
  return new Map(copies);
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, what);
  const largest = Math.max(1e-6, ...Array.from(expected, Math.abs));
  for (let i = 0; i < actual.length; i++)
    assert.ok(
      Math.abs(actual[i]! - expected[i]!) <= 2e-5 * largest,
      `${what}[${i}]: ${actual[i]} instead of ${expected[i]}`,
    );
}

describe('truncated BPTT', () => {
  useWorkspace();
  let task: Task;
  let model: Model;

  beforeEach(async () => {
    await startEngine('reference', null);
    const experiment = experimentSchema.parse(tinyExperiment());
    const folder = workspaceFolder();
    task = await openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
    model = buildModel(experiment, task.sizes, 3);
  });
  afterEach(() => model.dispose());

  it('cuts a sequence into windows, the last one shorter', () => {
    assert.deepEqual(stretches(7, 3, 'every-step'), [
      { from: 0, to: 3, loss: true },
      { from: 3, to: 6, loss: true },
      { from: 6, to: 7, loss: true },
    ]);
    assert.deepEqual(stretches(7, 3, 'last-step'), [
      { from: 0, to: 3, loss: false },
      { from: 3, to: 4, loss: false },
      { from: 4, to: 7, loss: true },
    ]);
    assert.deepEqual(stretches(7, 9, 'last-step'), [{ from: 0, to: 7, loss: true }]);
  });

  it('with a window of the sequence or more is plain BPTT, to the bit', () => {
    const batch = task.trainingBatch(1);
    const full = computeGradients(model, task, batch, plain);
    const wide = computeGradients(model, task, batch, { ...plain, window: 100 });
    assert.equal(wide.loss, full.loss);
    assert.deepEqual(arrays(wide), arrays(full));
  });

  it('with a short window has the same loss and state, and other gradients', () => {
    const batch = task.trainingBatch(1);
    const options = { ...plain, training: false };
    const full = computeGradients(model, task, batch, options);
    const cut = computeGradients(model, task, batch, { ...options, window: 3 });
    assert.ok(Math.abs(cut.loss - full.loss) < 1e-6 * full.loss, `${cut.loss} and ${full.loss}`);
    for (const [name, values] of Object.entries(full.state)) assertClose(cut.state[name]!, values, name);
    assert.ok(Object.keys(full.state).length > 1);
    assert.notDeepEqual(arrays(cut), arrays(full));
  });

  it('is the sum of its windows, each started in the state the last one ended in', () => {
    const batch = task.trainingBatch(1);
    const options = { ...plain, training: false };
    const cut = arrays(computeGradients(model, task, batch, { ...options, window: 4 }));
    let state: State | null = null;
    const sums = new Map<string, Float64Array>();
    for (const from of [0, 4]) {
      const rows = (values: Int32Array) => values.slice(from * batch.batch, (from + 4) * batch.batch);
      const part: Batch = {
        ...batch,
        seqLen: 4,
        input: rows(batch.input as Int32Array),
        targets: rows(batch.targets as Int32Array),
      };
      const result = computeGradients(model, task, part, { ...options, window: 4, state });
      state = result.state;
      for (const [name, gradient] of arrays(result)) {
        const sum = sums.get(name) ?? new Float64Array(gradient.length);
        sums.set(
          name,
          sum.map((value, i) => value + gradient[i]! / 2),
        );
      }
    }
    for (const [name, sum] of sums) assertClose(cut.get(name)!, sum, name);
  });

  it('lets nothing of the last loss through to h_t before the window, and something inside it', () => {
    const window = 3;
    const rows = new TimeRows(model.levels.length, 8);
    rows.begin(8);
    probeReach(model, task, task.trainingBatch(1), null, window, rows);
    const { values: flow } = rows;
    for (let layer = 0; layer < model.levels.length; layer++)
      for (let t = 0; t < 8; t++) {
        const norm = flow[layer * 8 + t]!;
        if (t < 8 - window) assert.equal(norm, 0, `layer ${layer}, t = ${t}`);
        else assert.ok(norm > 0, `layer ${layer}, t = ${t}`);
      }
  });

  it('probes the loss of the last step that each sequence has', () => {
    const batch = task.trainingBatch(1);
    const lengths = Int32Array.of(8, 3, 5, 1);
    const { targets, lengths: kept } = lastStepOf({ ...batch, lengths }, 3);
    assert.deepEqual(kept, lengths.subarray(0, 3));
    assert.deepEqual(
      [...targets],
      [7, 2, 4].map((t, row) => batch.targets[t * batch.batch + row]),
    );
  });

  it('rows of a batch of shorter sequences stand at the right end', () => {
    const rows = new TimeRows(2, 5);
    rows.begin(3);
    rows.put(Float32Array.of(1, 2, 3), 0, 1, 0);
    rows.put(Float32Array.of(4), 1, 1, 2);
    // of the steps that no sequence has nothing is known
    const none = Number.NaN;
    assert.deepEqual([...rows.values], [none, none, 1, 2, 3, none, none, 0, 0, 4]);
    rows.begin(5);
    assert.deepEqual([...rows.values], new Array(10).fill(0));
  });

  it('starts a batch in the state that is given', () => {
    const [first, second] = [task.trainingBatch(1), task.trainingBatch(2)];
    const { state } = evaluate(model, first, 'every-step', null);
    const carried = evaluate(model, second, 'every-step', state).outputs.dataSync();
    const fresh = evaluate(model, second, 'every-step', null).outputs.dataSync();
    assert.notDeepEqual(carried, fresh);
    // both windows as one sequence
    const joined = (a: Int32Array, b: Int32Array) => Int32Array.from([...a, ...b]);
    const both: Batch = {
      ...first,
      seqLen: 16,
      input: joined(first.input as Int32Array, second.input as Int32Array),
      targets: joined(first.targets as Int32Array, second.targets as Int32Array),
    };
    const whole = evaluate(model, both, 'every-step', null).outputs.dataSync();
    assertClose(carried, whole.subarray(whole.length / 2), 'outputs');
  });

  it('never has more than a window of a long sequence in the model, nor all of it when it is evaluated', () => {
    const first = task.trainingBatch(1);
    const repeated = (values: ArrayLike<number>) =>
      Int32Array.from({ length: values.length * 300 }, (_, i) => values[i % values.length]!);
    const seqLen = 300 * first.seqLen;
    const long: Batch = { ...first, seqLen, input: repeated(first.input), targets: repeated(first.targets) };
    let most = 0;
    const watch = (input: Tensor) => {
      most = Math.max(most, input.shape[0]!);
    };
    const watched: Model = {
      ...model,
      forward(input, options) {
        watch(input);
        return model.forward(input, options);
      },
      forwardToLoss(input, options) {
        watch(input);
        return model.forwardToLoss(input, options);
      },
    };
    probeReach(watched, task, long, null, 100, new TimeRows(model.levels.length, long.seqLen));
    assert.equal(most, 100);

    for (const outputs of ['every-step', 'last-step'] as const) {
      most = 0;
      const parts = evaluate(watched, long, outputs, null);
      assert.ok(most < seqLen, outputs);
      tidy(() => {
        const input = tensor2d(long.input as Int32Array, [seqLen, long.batch], 'int32');
        const options = { training: false, step: 0, lengths: null, state: null, outputs };
        const whole = model.forward(input, options);
        assertClose(parts.outputs.dataSync(), whole.outputs.dataSync(), outputs);
        for (const [name, values] of Object.entries(whole.state))
          assertClose(parts.state[name]!, values, `${outputs}, state ${name}`);
      });
      parts.outputs.dispose();
    }
  });
});

describe('masks in the loss', () => {
  useWorkspace();
  const lengths = Int32Array.from([8, 3, 5, 1]);

  async function open(input: ExperimentInput): Promise<{ task: Task; model: Model }> {
    await startEngine('reference', null);
    const experiment = experimentSchema.parse(input);
    const folder = workspaceFolder();
    const task = await openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
    return { task, model: buildModel(experiment, task.sizes, 3) };
  }

  it('leave out what stands beyond a sequence: loss and gradients do not depend on it', async () => {
    const { task, model } = await open(tinyExperiment());
    const batch = task.trainingBatch(1);
    const random = randomStream(5, 'noise', 0);
    const noisy = (values: Int32Array) =>
      values.map((value, i) =>
        Math.floor(i / 4) < lengths[i % 4]! ? value : random.int(task.sizes.outputs),
      );
    const options = { ...plain, training: false };
    for (const window of [8, 3]) {
      const clean = computeGradients(model, task, { ...batch, lengths }, { ...options, window });
      const changed = computeGradients(
        model,
        task,
        {
          ...batch,
          lengths,
          input: noisy(batch.input as Int32Array),
          targets: noisy(batch.targets as Int32Array),
        },
        { ...options, window },
      );
      assert.equal(changed.loss, clean.loss, `window ${window}`);
      assert.deepEqual(arrays(changed), arrays(clean), `window ${window}`);
    }
    model.dispose();
  });

  it('make the mean over the steps that are there', async () => {
    const { task, model } = await open(tinyExperiment());
    const batch = task.trainingBatch(1);
    const result = computeGradients(model, task, { ...batch, lengths }, { ...plain, training: false });
    arrays(result);
    // each sequence alone, without its padding
    let sum = 0;
    for (const [row, length] of lengths.entries()) {
      const column = (values: Int32Array) => Int32Array.from({ length }, (_, t) => values[t * 4 + row]!);
      const one: Batch = {
        ...batch,
        seqLen: length,
        batch: 1,
        input: column(batch.input as Int32Array),
        targets: column(batch.targets as Int32Array),
      };
      const { outputs } = evaluate(model, one, 'every-step', null);
      sum += tidy(() => task.loss(outputs, one.targets, null).dataSync()[0]!) * length;
      outputs.dispose();
    }
    const mean = sum / lengths.reduce((total, length) => total + length, 0);
    assert.ok(Math.abs(result.loss - mean) < 1e-5, `${result.loss} instead of ${mean}`);
    model.dispose();
  });
});

describe('the L2 penalty', () => {
  it('is λ Σ w² of the weights without the biases, with 2 λ w as its gradient', async () => {
    await startEngine('reference', null);
    const experiment = experimentSchema.parse({
      data: { task: 'adding', length: 6 },
      model: { layers: [{ type: 'gru', units: 3 }, { type: 'dense' }] },
    });
    const task = addingTask(experiment, { task: 'adding', length: 6 });
    const model = buildModel(experiment, task.sizes, 1);
    const batch = addingBatch(6, 4, 1, 'test', 0);
    const options: StepOptions = { ...plain, window: 6, outputs: 'last-step' };
    const without = computeGradients(model, task, batch, options);
    const withL2 = computeGradients(model, task, batch, { ...options, l2: 0.1 });
    assert.equal(withL2.loss, without.loss);
    let expected = 0;
    const before = arrays(without);
    for (const [name, gradient] of arrays(withL2)) {
      const weights = model.variables.get(name)!.dataSync() as Float32Array;
      const isBias = name.includes('bias');
      assertClose(
        gradient,
        before.get(name)!.map((value, i) => value + (isBias ? 0 : 0.2 * weights[i]!)),
        name,
      );
      if (!isBias) expected += weights.reduce((sum, weight) => sum + 0.1 * weight * weight, 0);
    }
    assert.ok(Math.abs(withL2.penalty - expected) < 1e-5, `${withL2.penalty} instead of ${expected}`);
    model.dispose();
  });
});
