// TCN and WaveNet against PyTorch, and what each promises exactly.
import assert from 'node:assert/strict';
import { fill, mul, ones, type Scalar, sum, type Tensor3D, tensor, tidy } from '@tensorflow/tfjs-core';
import { kindOf, type Layer } from '../../../../src/experiment/layers/index.ts';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { channelDropout } from '../../../../src/trainer/layers/dropout.ts';
import type { Pass } from '../../../../src/trainer/layers/layer.ts';
import type { ForwardOptions, Model } from '../../../../src/trainer/layers/model.ts';
import { assertClose, type GoldenTensor, readGolden } from '../engine/golden.ts';

interface LayerCase {
  layer: { type: Layer['type']; units: number };
  x: GoldenTensor;
  given: GoldenTensor;
  outputs: GoldenTensor;
  weights: Record<string, GoldenTensor>;
  gradients: Record<string, GoldenTensor>;
}

const PASS: ForwardOptions = { training: true, step: 1, lengths: null, state: null, outputs: 'every-step' };

function modelOf(layer: { type: string; units: number }, features: number): Model {
  const experiment = experimentSchema.parse({ data: { task: 'adding' }, model: { layers: [layer] } });
  return buildModel(experiment, { input: { kind: 'vectors', features }, outputs: layer.units }, 1);
}

for (const engine of ['reference', 'native'] as const)
  describe(`a network of dilated convolutions (${engine})`, () => {
    before(() => startEngine(engine, 1));

    for (const { layer, x, given, outputs, weights, gradients } of readGolden<LayerCase>(
      'temporal_convolutions',
    ))
      it(`is PyTorch's: ${JSON.stringify(layer)}`, () => {
        const model = modelOf(layer, x.shape[2]!);
        assert.deepEqual(
          [...model.variables].map(([name, { shape }]) => [name, shape]),
          Object.keys(weights)
            .sort()
            .map(name => [`layers.0.${name}`, weights[name]!.shape]),
        );
        for (const [name, { data, shape }] of Object.entries(weights)) {
          const fresh = tensor(Float32Array.from(data), shape);
          model.variables.get(`layers.0.${name}`)!.assign(fresh);
          fresh.dispose();
        }
        const { gradients: found } = gradientsOf(() => {
          const made = model.forward(tensor(x.data, x.shape), PASS).outputs;
          assertClose(made.dataSync(), outputs.data, 'outputs', 1e-5);
          return sum(mul(made, tensor(given.data, given.shape))) as Scalar;
        }, [...model.variables.values()]);
        for (const [i, name] of [...model.variables.keys()].entries())
          assertClose(
            found[i]!.dataSync(),
            gradients[name.slice('layers.0.'.length)]!.data,
            `gradient of ${name}`,
            2e-5,
          );
        model.dispose();
      });
  });

describe('dilated convolutions', () => {
  before(() => startEngine('reference', null));

  it('normalised weights begin with the lengths of their directions', () => {
    const normed = modelOf({ type: 'tcn', units: 4, layers: 2, weightNorm: true } as never, 3);
    const v = normed.variables.get('layers.0.blocks.0.conv1.weight_v')!.dataSync();
    const g = normed.variables.get('layers.0.blocks.0.conv1.weight_g')!.dataSync();
    for (let o = 0; o < 4; o++) assert.ok(Math.abs(g[o]! - Math.hypot(...v.slice(o * 9, o * 9 + 9))) < 1e-6);
    normed.dispose();
  });

  it('see exactly the steps of their formula: 1,024 of ten blocks with two taps, as in the paper', () => {
    const paper = { type: 'wavenet', units: 1, layers: 10, stacks: 1, kernelSize: 2 } as const;
    assert.equal(kindOf(paper).traits(paper as never).reach, 1024);
    for (const layer of [
      { type: 'wavenet', units: 2, layers: 3, stacks: 2, kernelSize: 2 },
      { type: 'wavenet', units: 2, layers: 2, stacks: 1, kernelSize: 3 },
      { type: 'tcn', units: 2, layers: 2, kernelSize: 3 },
    ] as const) {
      const model = modelOf({ ...layer, units: 2 }, 1);
      const { reach } = kindOf(layer).traits(layer as never);
      // no ReLU is shut: all weights and inputs are positive
      for (const [name, variable] of model.variables)
        variable.assign(fill(variable.shape, name.endsWith('bias') ? 0 : 0.5));
      const steps = reach + 4;
      const last = (changed: number) =>
        tidy(() => {
          const values = Float32Array.from({ length: steps }, (_, t) => (t === changed ? 0.5 : 0.01));
          const options = { ...PASS, outputs: 'last-step' } as const;
          return model.forward(tensor(values, [steps, 1, 1]), options).outputs.dataSync()[0]!;
        });
      const before = last(-1);
      assert.notEqual(last(steps - reach), before, `${layer.type} sees the first of ${reach} steps`);
      assert.equal(last(steps - reach - 1), before, `${layer.type} sees no step before`);
      model.dispose();
    }
  });

  it('drop a channel at all steps of a sequence or at none', () => {
    const pass = { options: { training: true, step: 3, lengths: null } } as Pass;
    tidy(() => {
      const x = ones([5, 40, 8]) as Tensor3D;
      const y = channelDropout(x, 0.25, 1, 'layers.0', pass).dataSync();
      const first = y.slice(0, 320);
      for (let t = 1; t < 5; t++) assert.deepEqual(y.slice(t * 320, (t + 1) * 320), first);
      const dropped = first.filter(value => value === 0).length / 320;
      assert.ok(Math.abs(dropped - 0.25) < 0.08, `${dropped}`);
      assert.ok(first.every(value => value === 0 || Math.abs(value - 4 / 3) < 1e-6));
      assert.deepEqual(channelDropout(x, 0.25, 1, 'layers.0', pass).dataSync(), y);
    });
  });
});
