// A layer alone as a model, with weights that are given: what tests against reference implementations share.
import assert from 'node:assert/strict';
import { mul, type Scalar, sum, tensor, tidy } from '@tensorflow/tfjs-core';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { ForwardOptions, Model } from '../../../../src/trainer/layers/model.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { assertClose, type GoldenTensor, SEED } from '../engine/golden.ts';

export interface LayerCase {
  layer: { type: string; units: number };
  x: GoldenTensor;
  given: GoldenTensor;
  outputs: GoldenTensor;
  weights: Record<string, GoldenTensor>;
  gradients: Record<string, GoldenTensor>;
}

export const PASS: ForwardOptions = {
  training: true,
  step: 1,
  lengths: null,
  state: null,
  outputs: 'every-step',
};

export function modelOf(layer: { type: string; units: number }, features: number, length = 100): Model {
  const experiment = experimentSchema.parse({
    data: { task: 'adding', length },
    model: { layers: [layer] },
  });
  return buildModel(experiment, { input: { kind: 'vectors', features }, outputs: layer.units }, 1);
}

export function setWeight(model: Model, name: string, values: ArrayLike<number>): void {
  const variable = model.variables.get(`layers.0.${name}`)!;
  assert.ok(variable, `there is a weight ${name}`);
  assert.equal(values.length, variable.size, name);
  const fresh = tensor(Float32Array.from(values), variable.shape);
  variable.assign(fresh);
  fresh.dispose();
}

export function outputsOf(model: Model, values: Float32Array, shape: number[]): Float32Array {
  return tidy(() =>
    Float32Array.from(model.forward(tensor(values, shape), PASS).outputs.dataSync() as Float32Array),
  );
}

export function numbers(count: number, purpose: string): Float32Array {
  const random = randomStream(SEED, purpose, 0);
  return Float32Array.from({ length: count }, () => random.normal());
}

/** Names and shapes of the weights, outputs, and every gradient. */
export function checkReference({ layer, x, given, outputs, weights, gradients }: LayerCase): void {
  const model = modelOf(layer, x.shape[2]!);
  assert.deepEqual(
    [...model.variables].map(([name, { shape }]) => [name, shape]),
    Object.keys(weights)
      .sort()
      .map(name => [`layers.0.${name}`, weights[name]!.shape]),
  );
  for (const [name, { data }] of Object.entries(weights)) setWeight(model, name, data);
  assertClose(outputsOf(model, Float32Array.from(x.data), x.shape), outputs.data, 'outputs', 2e-5);
  const variables = [...model.variables.values()];
  const { gradients: found } = gradientsOf(() => {
    const made = model.forward(tensor(x.data, x.shape), PASS).outputs;
    return sum(mul(made, tensor(given.data, given.shape))) as Scalar;
  }, variables);
  for (const [i, name] of [...model.variables.keys()].entries())
    assertClose(
      found[i]!.dataSync(),
      gradients[name.slice('layers.0.'.length)]!.data,
      `gradient of ${name}`,
      1e-4,
    );
  model.dispose();
}
