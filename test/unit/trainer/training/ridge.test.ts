// A last layer that is set in closed form: against numpy, by its normal equations, and over a pause.
import assert from 'node:assert/strict';
import { tensor, tidy } from '@tensorflow/tfjs-core';
import { parseExperiment } from '../../../../src/experiment/parse.ts';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { decodeSafetensors } from '../../../../src/runs/safetensors.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { ModelError } from '../../../../src/trainer/layers/errors.ts';
import { readWeights } from '../../../../src/trainer/layers/weights.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import type { Task } from '../../../../src/trainer/tasks/task.ts';
import { CHECKPOINT } from '../../../../src/trainer/training/checkpoint.ts';
import { solve } from '../../../../src/trainer/training/ridge.ts';
import { Trainer } from '../../../../src/trainer/training/trainer.ts';
import { assertClose, type GoldenTensor, readGolden } from '../engine/golden.ts';

interface RidgeCase {
  lambda: number;
  x: GoldenTensor;
  y: GoldenTensor;
  solution: GoldenTensor;
}

const [UNITS, LAMBDA, STEPS] = [12, 0.3, 3];

async function trainerOf(data: object, layers: object[] = []): Promise<{ trainer: Trainer; task: Task }> {
  const experiment = experimentSchema.parse({
    data,
    model: {
      layers: [
        { type: 'dense', units: 4 },
        { type: 'echo-state', units: UNITS, readout: { type: 'ridge', lambda: LAMBDA } },
        ...(layers.length > 0 ? layers : [{ type: 'dense' }]),
      ],
    },
    training: { batchSize: 10, steps: STEPS },
  });
  const task = await openTask(experiment, { base: '', workspace: '', allowedPaths: [] });
  return { trainer: new Trainer(experiment, task), task };
}

/** What the last layer read and should have said, of all steps so far: the states by a model that has no last layer's help. */
function rowsOf({ model }: Trainer, task: Task): { h: number[]; y: number[] }[] {
  const weight = model.variables.get('layers.2.weight')!;
  const [O, H] = weight.shape as [number, number];
  const found: { h: number[]; y: number[] }[] = [];
  for (let step = 1; step <= STEPS; step++) {
    const { input, targets, seqLen, batch, asked } = task.trainingBatch(step);
    tidy(() => {
      let h: Float32Array | undefined;
      const perStep = input.length / seqLen / batch;
      const shape = input instanceof Int32Array ? [seqLen, batch] : [seqLen, batch, perStep];
      model.forward(tensor(input, shape, input instanceof Int32Array ? 'int32' : 'float32'), {
        training: false,
        step: 0,
        lengths: null,
        state: null,
        outputs: 'every-step',
        watch: {
          output: (layer, _, output) => {
            if (layer === 'layers.1') h = Float32Array.from(output().dataSync());
          },
        },
      });
      const first = task.outputs === 'every-step' ? 0 : (seqLen - 1) * batch;
      for (let row = first; row < seqLen * batch; row++) {
        const at = row - first;
        if (task.outputs === 'every-step' && asked?.[row] === 0) continue;
        const y =
          targets instanceof Int32Array
            ? Array.from({ length: O }, (_, o) => Number(o === targets[at]))
            : Array.from(targets.subarray(at * O, (at + 1) * O));
        found.push({ h: Array.from(h!.subarray(row * H, (row + 1) * H)), y });
      }
    });
  }
  return found;
}

describe('ridge regression', () => {
  for (const { lambda, x, y, solution } of readGolden<RidgeCase>('ridge'))
    it(`is numpy's: ${x.shape} to ${y.shape[1]}, λ = ${lambda}`, () => {
      const [rows, inputs] = x.shape as [number, number];
      const outputs = y.shape[1]!;
      const n = inputs + 1;
      const one = (row: number, i: number) => (i < inputs ? x.data[row * inputs + i]! : 1);
      const products = new Float64Array(n * n);
      const answers = new Float64Array(n * outputs);
      for (let row = 0; row < rows; row++)
        for (let i = 0; i < n; i++) {
          for (let j = 0; j <= i; j++) products[i * n + j]! += one(row, i) * one(row, j);
          for (let o = 0; o < outputs; o++)
            answers[i * outputs + o]! += one(row, i) * y.data[row * outputs + o]!;
        }
      assertClose(solve(products, answers, n, outputs, lambda), solution.data, 'solution', 1e-7);
    });
});

describe('a ridge readout', () => {
  before(() => startEngine('reference', null));

  for (const data of [
    { task: 'adding', length: 9 },
    { task: 'copy-memory', length: 4, items: 3 },
    { task: 'temporal-order', length: 12 },
    { task: 'selective-copy', length: 12 },
  ])
    it(`solves the normal equations of all batches that were read: ${data.task}`, async () => {
      const { trainer, task } = await trainerOf(data);
      const before = readWeights(trainer.model);
      for (let step = 0; step < STEPS; step++) trainer.advance();
      const weights = readWeights(trainer.model);
      for (const [name, { data: values }] of before)
        if (!name.startsWith('layers.2.')) assert.deepEqual(weights.get(name)!.data, values, name);
      const [w, b] = [weights.get('layers.2.weight')!, weights.get('layers.2.bias')!.data];
      const [O, H] = w.shape as [number, number];
      const rows = rowsOf(trainer, task);
      // ∂/∂W and ∂/∂b of Σ |y - W h - b|² + λ |W|², against the size of their terms
      for (let o = 0; o < O; o++) {
        const rest = rows.map(
          ({ h, y }) => y[o]! - b[o]! - h.reduce((sum, value, i) => sum + value * w.data[o * H + i]!, 0),
        );
        for (let i = 0; i <= H; i++) {
          const terms = rows.map(({ h }, row) => rest[row]! * (i < H ? h[i]! : 1));
          const gradient =
            terms.reduce((sum, term) => sum + term, 0) - (i < H ? LAMBDA * w.data[o * H + i]! : 0);
          const size = terms.reduce((sum, term) => sum + Math.abs(term), 1e-3);
          assert.ok(Math.abs(gradient) < 2e-4 * size, `${o}, ${i}: ${gradient} of ${size}`);
        }
      }
      trainer.dispose();
    });

  it('goes on after a pause to the same bits', async () => {
    const data = { task: 'adding', length: 9 };
    const { trainer } = await trainerOf(data);
    for (let step = 0; step < STEPS; step++) trainer.advance();
    const { trainer: first } = await trainerOf(data);
    first.advance();
    const { files } = first.snapshot(0);
    const optimizer = decodeSafetensors(Buffer.from(files.get(CHECKPOINT.optimizer)!));
    const { trainer: second } = await trainerOf(data);
    second.restore({
      weights: readWeights(first.model),
      optimizer: new Map([...optimizer].map(([name, { data: values }]) => [name, values])),
      carried: null,
      progress: { ...first.progress, ownSeconds: 0 },
    });
    second.advance();
    second.advance();
    assert.deepEqual(readWeights(second.model), readWeights(trainer.model));
    for (const each of [trainer, first, second]) each.dispose();
  });

  it('needs a last dense layer without activation', async () => {
    await assert.rejects(
      trainerOf({ task: 'adding', length: 9 }, [{ type: 'dense', activation: 'tanh' }]),
      (error: Error) =>
        error instanceof ModelError && /last dense layer without activation/.test(error.message),
    );
  });
});

describe('a ridge readout where there are no least squares', () => {
  const problems = (data: object, last: object = { type: 'dense' }, model: object = {}) =>
    parseExperiment(
      JSON.stringify({
        data,
        model: { layers: [{ type: 'echo-state', units: 4, readout: { type: 'ridge' } }, last], ...model },
      }),
    ).problems.map(({ message }) => message);

  it('is refused by the check, with the reason', () => {
    const encoder = [{ type: 'gru', units: 4 }];
    const cases: [string[], RegExp][] = [
      [problems({ task: 'morse' }), /labels of "morse" have no places/],
      [
        problems({ task: 'reverse' }, undefined, { encoder }),
        /reads no source, but this model has an encoder/,
      ],
      [
        problems({ task: 'forecast', path: 'a.csv', target: 'y', quantiles: [0.1, 0.9] }),
        /give the mean, and no `quantiles`/,
      ],
      [problems({ task: 'adding' }, { type: 'dense', activation: 'tanh' }), /no activation; end the model/],
    ];
    for (const [found, expected] of cases) assert.match(found.join('\n'), expected);
    for (const data of [
      { task: 'adding' },
      { task: 'forecast', path: 'a.csv', target: 'y' },
      { task: 'parity' },
    ])
      assert.deepEqual(problems(data), []);
  });
});
