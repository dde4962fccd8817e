// What a watch is told of the gradient, against autograd's norms: of every layer, and that it changes nothing.
import assert from 'node:assert/strict';
import { reshape, type Tensor2D, tensor, tensor2d } from '@tensorflow/tfjs-core';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { stepNorms } from '../../../../src/trainer/engine/kernels/tap.ts';
import {
  appliedOutputs,
  meanSquaredError,
  softmaxCrossEntropy,
} from '../../../../src/trainer/engine/losses.ts';
import { EngineUnavailableError, startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { Model, ModelSizes } from '../../../../src/trainer/layers/model.ts';
import type { Watch } from '../../../../src/trainer/layers/watch.ts';
import { assertClose, type GoldenTensor, readGolden } from '../engine/golden.ts';

interface TapCase {
  name: string;
  layers: unknown[];
  input: GoldenTensor;
  targets: GoldenTensor;
  start: Record<string, GoldenTensor>;
  loss: GoldenTensor;
  outputs: number;
  lastStep: boolean;
  rows: Record<string, GoldenTensor>;
}

function build(golden: TapCase): Model {
  const [seqLen] = golden.input.shape;
  const experiment = experimentSchema.parse({
    data: { task: 'adding', length: seqLen },
    model: { layers: golden.layers },
  });
  const sizes: ModelSizes = golden.lastStep
    ? { input: { kind: 'vectors', features: golden.input.shape[2]! }, outputs: golden.outputs }
    : { input: { kind: 'tokens', vocabulary: golden.outputs }, outputs: golden.outputs };
  const model = buildModel(experiment, sizes, 1);
  assert.deepEqual([...model.variables.keys()], Object.keys(golden.start).sort());
  for (const [name, variable] of model.variables) {
    const { data, shape } = golden.start[name]!;
    const fresh = tensor(data, shape);
    variable.assign(fresh);
    fresh.dispose();
  }
  return model;
}

/** One backward pass: the loss, and all gradients in the order of the names. */
function pass(model: Model, golden: TapCase, watch?: Watch): { loss: number; gradients: Float32Array[] } {
  const input = tensor(golden.input.data, golden.input.shape, golden.lastStep ? 'float32' : 'int32');
  const { value, gradients } = gradientsOf(() => {
    const { outputs } = model.forwardToLoss(input, {
      training: true,
      step: 1,
      lengths: null,
      state: null,
      outputs: golden.lastStep ? 'last-step' : 'every-step',
      watch,
    });
    if (!golden.lastStep) return softmaxCrossEntropy(outputs, Int32Array.from(golden.targets.data), null);
    const answers = reshape(appliedOutputs(outputs), golden.targets.shape as [number, number]) as Tensor2D;
    return meanSquaredError(answers, tensor2d(golden.targets.data, golden.targets.shape as [number, number]));
  }, [...model.variables.values()]);
  const loss = value.dataSync()[0]!;
  const copies = gradients.map(gradient => Float32Array.from(gradient!.dataSync()));
  for (const tensor of [value, input, ...gradients]) tensor?.dispose();
  return { loss, gradients: copies };
}

function watched(model: Model, golden: TapCase): { rows: Map<string, Float32Array>; loss: number } {
  const seqLen = golden.input.shape[0]!;
  const rows = new Map(model.levels.map(({ name }) => [name, new Float32Array(seqLen)]));
  const { loss } = pass(model, golden, {
    gradient: (level, from, norms) => rows.get(model.levels[level]!.name)!.set(norms, from),
  });
  return { rows, loss };
}

for (const golden of readGolden<TapCase>('taps'))
  describe(`the gradient by layer and time step: ${golden.name}`, () => {
    for (const engine of ['reference', 'wasm'] as const)
      it(`is autograd's (${engine})`, async function () {
        try {
          await startEngine(engine, 1);
        } catch (error) {
          if (error instanceof EngineUnavailableError) this.skip();
          throw error;
        }
        const model = build(golden);
        const { rows, loss } = watched(model, golden);
        assertClose([loss], golden.loss.data, 'loss');
        assert.deepEqual([...rows.keys()].sort(), Object.keys(golden.rows).sort());
        for (const [name, { data }] of Object.entries(golden.rows)) assertClose(rows.get(name)!, data, name);
        model.dispose();
      });

    it('changes no bit of loss and gradients', async () => {
      await startEngine('reference', 1);
      const model = build(golden);
      const plain = pass(model, golden);
      const seen = pass(model, golden, {
        gradient() {},
        gates() {},
        output: (_name, _from, output) => output(),
      });
      assert.equal(seen.loss, plain.loss);
      assert.deepEqual(seen.gradients, plain.gradients);
      model.dispose();
    });
  });

describe('norms by time step of sequences of unequal lengths', () => {
  it('stand at the right end, each the mean over the sequences that have the step', () => {
    // (T 3, B 2, D 2): sequence 0 has two steps, sequence 1 three
    const rows = Float32Array.of(3, 4, 6, 8, 0, 2, 0, 1, 99, 99, 5, 12);
    assert.deepEqual([...stepNorms(rows, 3, 2, Int32Array.of(2, 3))], [10, (5 + 1) / 2, (2 + 13) / 2]);
    assert.deepEqual([...stepNorms(rows, 3, 2, null)].slice(0, 2), [(5 + 10) / 2, (2 + 1) / 2]);
  });
});
