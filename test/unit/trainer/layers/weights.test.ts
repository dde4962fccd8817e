// Weights out of a model and into another, and what does not fit.
import assert from 'node:assert/strict';
import { memory, tensor3d } from '@tensorflow/tfjs-core';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { readWeights, writeWeights } from '../../../../src/trainer/layers/weights.ts';

function build(seed: number, units = 3) {
  const layers = [{ type: 'lstm', units }, { type: 'dense' }];
  const experiment = experimentSchema.parse({ data: { task: 'adding' }, model: { layers } });
  return buildModel(experiment, { input: { kind: 'vectors', features: 2 }, outputs: 1 }, seed);
}

describe('weights', () => {
  before(() => startEngine('reference', null));

  it('of one model give another the same outputs, as copies', () => {
    const [from, to] = [build(1), build(2)];
    const run = (model: ReturnType<typeof build>) => [
      ...model
        .forward(tensor3d([1, 2, 3, 4], [2, 1, 2]), {
          training: false,
          step: 0,
          lengths: null,
          state: null,
          outputs: 'every-step',
        })
        .outputs.dataSync(),
    ];
    assert.notDeepEqual(run(to), run(from));
    const weights = readWeights(from);
    const before = memory().numTensors;
    writeWeights(to, weights);
    assert.equal(memory().numTensors, before);
    const outputs = run(from);
    for (const { data } of weights.values()) data.fill(0);
    assert.deepEqual(run(to), outputs);
    assert.deepEqual(run(from), outputs);
  });

  it('that do not fit are refused by name and change nothing', () => {
    const model = build(1);
    const start = readWeights(model);
    const without = new Map(start);
    without.delete('layers.1.bias');
    assert.throws(() => writeWeights(model, without), /lack layers\.1\.bias/);
    const extra = new Map([...start, ['layers.9.bias', { shape: [1], data: new Float32Array(1) }]]);
    assert.throws(() => writeWeights(model, extra), /layers\.9\.bias, which the model does not have/);
    const wider = readWeights(build(1, 4));
    assert.throws(
      () => writeWeights(model, wider),
      /weight_hh_l0 of shape \[16,4\], but the model needs \[12,3\]|bias_hh_l0 of shape \[16\], but the model needs \[12\]/,
    );
    assert.deepEqual(readWeights(model), start);
  });
});
