// A run as a layers model of TensorFlow.js gives, loaded by its own library, what the run's model gives.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { engine, io, setBackend, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { exportRun } from '../../../../src/trainer/export/export-run.ts';
import type { Reference } from '../../../../src/trainer/export/reference-outputs.ts';
import { trainNew, useWorkspace } from '../training/runs.ts';
import { type Exported, experimentOf, KERAS_AND_TFJS, type Layers, NUMBERS, TAGS, TEXT } from './models.ts';

const cases: Record<string, Exported> = {
  ...KERAS_AND_TFJS,
  'an LSTM with one bias, on symbols without an embedding': {
    layers: [{ type: 'lstm', units: 4 }, { type: 'dense' }],
    convention: 'keras',
  },
  'both directions, whose last states are read': {
    layers: [{ type: 'lstm', units: 4, layers: 2, bidirectional: true }, { type: 'dense' }],
    data: NUMBERS,
  },
  'norms, dropout, convolutions and pooling': {
    layers: [
      { type: 'dense', units: 6 },
      { type: 'conv1d', units: 6, kernelSize: 3, dilation: 2, activation: 'relu' },
      { type: 'layer-norm' },
      { type: 'conv1d', units: 6, kernelSize: 4, padding: 'same' },
      { type: 'conv1d', units: 4, kernelSize: 2, padding: 'valid', stride: 2 },
      { type: 'dropout', rate: 0.5 },
      { type: 'batch-norm' },
      { type: 'pool', mode: 'mean', kernelSize: 2 },
      { type: 'dense' },
    ],
    data: NUMBERS,
  },
  'pooling of all steps': {
    layers: [
      { type: 'conv1d', units: 6, activation: 'gelu' },
      { type: 'pool', global: true },
      { type: 'dense' },
    ],
    data: NUMBERS,
  },
};

describe('export as a layers model of TensorFlow.js', () => {
  useWorkspace();

  for (const [name, each] of Object.entries(cases))
    it(`equals the run in TensorFlow.js: ${name}`, async () => {
      const { folder, outcome } = await trainNew(experimentOf(each));
      assert.equal(outcome.reason, 'finished', outcome.message);
      const out = join(folder, 'tfjs');
      await exportRun(folder, 'tfjs', out);
      const reference = JSON.parse(readFileSync(join(out, 'reference.json'), 'utf8')) as Reference;
      const { modelTopology, weightsManifest } = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8'));
      const bytes = readFileSync(join(out, 'weights.bin'));
      const before = engine().backendName;
      // the library's own kernels, not ours
      await setBackend('cpu');
      try {
        const model = await loadLayersModel(
          io.fromMemory({
            modelTopology,
            weightSpecs: weightsManifest[0].weights,
            weightData: new Uint8Array(bytes).buffer,
          }),
        );
        const { input, shape, outputs, tolerance } = reference;
        const [steps, batch, width = 1] = shape as [number, number, number?];
        // batch-major, as Keras has it
        const values = Float32Array.from({ length: input.length }, (_, place) => {
          const feature = place % width;
          const step = Math.floor(place / width) % steps;
          const row = Math.floor(place / width / steps);
          return input[(step * batch + row) * width + feature]!;
        });
        const x =
          shape.length === 2
            ? tensor(values, [batch, steps], 'int32')
            : tensor(values, [batch, steps, width], each.data === TAGS ? 'int32' : 'float32');
        const y = model.predict(x) as Tensor;
        const given = y.dataSync();
        const classes = y.shape.at(-1)!;
        const said = y.shape.length === 3 ? y.shape[1]! : 1;
        assert.equal(given.length, outputs.length);
        for (const [place, wanted] of outputs.entries()) {
          const [step, row] = [Math.floor(place / classes / batch), Math.floor(place / classes) % batch];
          const value = given[(row * said + step) * classes + (place % classes)]!;
          assert.ok(
            Math.abs(value - wanted) <= tolerance * Math.max(1, Math.abs(wanted)),
            `${value} at ${place}, not ${wanted}`,
          );
        }
        model.dispose();
      } finally {
        await setBackend(before);
      }
    });

  it('refuses what TensorFlow.js has no form of, with the place and another way', async () => {
    const refused: [Layers[number], RegExp, Exported['data']?][] = [
      [
        { type: 'gru', units: 4 },
        /no form of a GRU that resets after .*"resetAfter": false.* \(layers\.0\); export with --format pytorch/,
      ],
      [{ type: 'lstm', units: 4, peephole: true }, /no form of peepholes \(layers\.0\)/],
      [{ type: 'lru', units: 4 }, /no form of the layer "lru" \(layers\.0\)/],
      [{ type: 'rms-norm' }, /no form of the layer "rms-norm" \(layers\.0\)/, NUMBERS],
      [{ type: 'conv1d', units: 4, groups: 2 }, /no form of groups \(layers\.0\)/, NUMBERS],
    ];
    for (const [layer, message, data = TEXT] of refused) {
      const { folder } = await trainNew(experimentOf({ layers: [layer, { type: 'dense' }], data }));
      await assert.rejects(exportRun(folder, 'tfjs', join(folder, 'tfjs')), message);
    }
  });
});
