// A run as an ONNX graph gives, in ONNX's own runtime, what the run's model gives.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { exportRun } from '../../../../src/trainer/export/export-run.ts';
import type { Reference } from '../../../../src/trainer/export/reference-outputs.ts';
import { trainNew, useWorkspace } from '../training/runs.ts';
import { type Exported, experimentOf, type Layers, NUMBERS, TAGS } from './models.ts';

const cases: Record<string, Exported> = {
  'an LSTM of two levels, both ways, on symbols': {
    layers: [
      { type: 'embedding', dim: 4 },
      { type: 'lstm', units: 5, layers: 2 },
      { type: 'dense', activation: 'tanh', units: 7 },
      { type: 'dense' },
    ],
  },
  'several symbols a step, whose vectors are averaged': {
    layers: [
      { type: 'embedding', dim: 4 },
      { type: 'gru', units: 3, bidirectional: true },
      { type: 'dense' },
    ],
    data: TAGS,
  },
  'a GRU that resets after': { layers: [{ type: 'gru', units: 6 }, { type: 'dense' }] },
  'a GRU that resets before': { layers: [{ type: 'gru', units: 6 }, { type: 'dense' }], convention: 'tfjs' },
  'an LSTM with one bias and peepholes': {
    layers: [{ type: 'lstm', units: 4, peephole: true }, { type: 'dense' }],
    convention: 'keras',
  },
  'both directions, whose last states are read': {
    layers: [{ type: 'gru', units: 4, layers: 2, bidirectional: true }, { type: 'dense' }],
    data: NUMBERS,
  },
  'RNNs with activations of their own, and a residual': {
    layers: [
      { type: 'rnn', units: 5, activation: 'relu' },
      { type: 'rnn', units: 5, activation: 'leaky-relu' },
      { type: 'rnn', units: 5, activation: 'linear' },
      { type: 'rnn', units: 5, activation: 'sigmoid' },
      { type: 'dense', units: 5, activation: 'relu', residual: true },
      { type: 'dense' },
    ],
    data: NUMBERS,
  },
  'norms, dropout and convolutions': {
    layers: [
      { type: 'dense', units: 6 },
      { type: 'conv1d', units: 6, kernelSize: 3, dilation: 2, groups: 2, activation: 'gelu' },
      { type: 'layer-norm' },
      { type: 'conv1d', units: 6, kernelSize: 4, padding: 'same' },
      { type: 'rms-norm' },
      { type: 'dropout', rate: 0.5 },
      { type: 'batch-norm' },
      { type: 'dense' },
    ],
    data: NUMBERS,
  },
};

describe('export as ONNX', () => {
  useWorkspace();

  for (const [name, each] of Object.entries(cases))
    it(`equals the run in ONNX's runtime: ${name}`, async () => {
      const { folder } = await trainNew(experimentOf(each));
      const out = join(folder, 'onnx');
      await exportRun(folder, 'onnx', out);
      const reference = JSON.parse(readFileSync(join(out, 'reference.json'), 'utf8')) as Reference;
      const session = await InferenceSession.create(readFileSync(join(out, 'model.onnx')));
      const { input, shape, outputs, tolerance } = reference;
      const x =
        shape.length === 2 || each.data === TAGS
          ? new Tensor('int64', BigInt64Array.from(input.map(BigInt)), shape)
          : new Tensor('float32', Float32Array.from(input), shape);
      const { outputs: given } = await session.run({ x });
      const values = given!.data as Float32Array;
      assert.equal(values.length, outputs.length);
      for (const [place, wanted] of outputs.entries())
        assert.ok(
          Math.abs(values[place]! - wanted) <= tolerance * Math.max(1, Math.abs(wanted)),
          `${values[place]} at ${place}, not ${wanted}`,
        );
      await session.release();
    });

  it('refuses what ONNX has no form of, with the place and another way', async () => {
    const refused: [Layers[number], RegExp][] = [
      [{ type: 'lstm', units: 4, zoneout: 0.1 }, /no form of zoneout.* \(layers\.0\)/],
      [{ type: 'lru', units: 4 }, /no form of the layer "lru" \(layers\.0\); export with --format pytorch/],
    ];
    for (const [layer, message] of refused) {
      const { folder } = await trainNew(experimentOf({ layers: [layer, { type: 'dense' }] }));
      await assert.rejects(exportRun(folder, 'onnx', join(folder, 'onnx')), message);
    }
  });
});
