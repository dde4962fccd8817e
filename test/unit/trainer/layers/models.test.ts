// Whole small models against PyTorch: outputs, loss, every gradient, and three clipped optimizer steps.
import assert from 'node:assert/strict';
import { reshape, type Tensor2D, tensor, tensor2d, variableGrads } from '@tensorflow/tfjs-core';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { meanSquaredError, softmaxCrossEntropy } from '../../../../src/trainer/engine/losses.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { Model, ModelSizes } from '../../../../src/trainer/layers/model.ts';
import { clipByGlobalNorm, createOptimizer } from '../../../../src/trainer/training/optimizers.ts';
import { assertClose, type GoldenTensor, readGolden } from '../engine/golden.ts';

interface ModelCase {
  name: string;
  layers: unknown[];
  input: GoldenTensor;
  targets: GoldenTensor;
  weights: GoldenTensor;
  lengths: number[] | null;
  outputsAt: 'every-step' | 'last-step';
  loss: 'cross-entropy' | 'mean-squared-error';
  optimizer: unknown;
  clipNorm: number;
  start: Record<string, GoldenTensor>;
  outputs: GoldenTensor;
  gradients: Record<string, GoldenTensor>;
  steps: { loss: GoldenTensor; norm: GoldenTensor }[];
  end: Record<string, GoldenTensor>;
}

function sizesOf(golden: ModelCase): ModelSizes {
  const outputs = golden.outputs.shape.at(-1)!;
  if (golden.loss === 'cross-entropy') return { input: { kind: 'tokens', vocabulary: outputs }, outputs };
  return { input: { kind: 'vectors', features: golden.input.shape[2]! }, outputs };
}

function load(model: Model, values: Record<string, GoldenTensor>): void {
  assert.deepEqual([...model.variables.keys()], Object.keys(values).sort());
  for (const [name, variable] of model.variables) {
    const fresh = tensor(values[name]!.data, values[name]!.shape);
    variable.assign(fresh);
    fresh.dispose();
  }
}

function lossAndGradients(model: Model, golden: ModelCase, step: number) {
  const tokens = golden.loss === 'cross-entropy';
  const input = tensor(golden.input.data, golden.input.shape, tokens ? 'int32' : 'float32');
  const weights = Float32Array.from(golden.weights.data);
  let outputs: ArrayLike<number> = [];
  const { value, grads } = variableGrads(() => {
    const pass = model.forward(input, {
      training: true,
      step,
      lengths: golden.lengths && Int32Array.from(golden.lengths),
      state: null,
      outputs: golden.outputsAt,
    });
    assert.deepEqual(pass.outputs.shape, golden.outputs.shape);
    outputs = pass.outputs.dataSync().slice();
    const rows = reshape(pass.outputs, [-1, golden.outputs.shape.at(-1)!]) as Tensor2D;
    if (tokens) return softmaxCrossEntropy(rows, Int32Array.from(golden.targets.data), weights);
    return meanSquaredError(
      rows,
      tensor2d(golden.targets.data, golden.targets.shape as [number, number]),
      weights,
    );
  }, [...model.variables.values()]);
  const gradients = new Map([...model.variables].map(([name, { name: key }]) => [name, grads[key]!]));
  return { loss: value.dataSync()[0]!, gradients, outputs };
}

describe('models against PyTorch', () => {
  before(() => startEngine('reference', null));

  for (const golden of readGolden<ModelCase>('models')) {
    it(golden.name, () => {
      const experiment = experimentSchema.parse({
        data: { task: 'adding', length: Math.max(2, golden.input.shape[0]!) },
        model: { layers: golden.layers },
        training: { optimizer: golden.optimizer },
      });
      const model = buildModel(experiment, sizesOf(golden), 1);
      load(model, golden.start);
      const spec = experiment.training.optimizer;
      const optimizer = createOptimizer(spec, model.variables);
      golden.steps.forEach((expected, step) => {
        const { loss, gradients, outputs } = lossAndGradients(model, golden, step);
        if (step === 0) {
          assertClose(outputs, golden.outputs.data, 'outputs');
          for (const [name, gradient] of gradients)
            assertClose(gradient.dataSync(), golden.gradients[name]!.data, `gradient of ${name}`);
        }
        assertClose([loss], expected.loss.data, `loss of step ${step}`);
        assertClose(
          [clipByGlobalNorm(gradients, golden.clipNorm)],
          expected.norm.data,
          `norm of step ${step}`,
        );
        optimizer.step(gradients, spec.learningRate);
      });
      for (const [name, variable] of model.variables)
        assertClose(variable.dataSync(), golden.end[name]!.data, `${name} in the end`);
      model.dispose();
    });
  }
});
