// The layer conv1d against torch.nn.Conv1d, causal and centred, dilated and in groups.
import assert from 'node:assert/strict';
import { tensor, tidy } from '@tensorflow/tfjs-core';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { assertClose, type GoldenTensor, readGolden } from '../engine/golden.ts';

interface ConvolutionCase {
  name: string;
  dilation: number;
  padding: 'causal' | 'same' | 'valid';
  stride: number;
  groups: number;
  x: GoldenTensor;
  weight: GoldenTensor;
  bias: GoldenTensor;
  y: GoldenTensor;
}

const cases = readGolden<ConvolutionCase>('convolution').filter(
  ({ padding, stride }) => padding !== 'valid' && stride === 1,
);

for (const engine of ['reference', 'native'] as const)
  describe(`conv1d (${engine})`, () => {
    before(() => startEngine(engine, 1));

    it('has cases of both kinds', () => {
      assert.deepEqual([...new Set(cases.map(({ padding }) => padding))].sort(), ['causal', 'same']);
    });

    for (const { name, dilation, padding, groups, x, weight, bias, y } of cases)
      it(`equals PyTorch's: ${name}`, () => {
        const [units, , kernelSize] = weight.shape as [number, number, number];
        const [seqLen, , features] = x.shape as [number, number, number];
        const layer = { type: 'conv1d', units, kernelSize, dilation, padding, groups };
        const experiment = experimentSchema.parse({
          data: { task: 'adding', length: seqLen },
          model: { layers: [layer, { type: 'lstm', units: 2 }, { type: 'dense' }] },
        });
        const model = buildModel(experiment, { input: { kind: 'vectors', features }, outputs: 1 }, 1);
        tidy(() => {
          model.variables.get('layers.0.weight')!.assign(tensor(weight.data, weight.shape));
          model.variables.get('layers.0.bias')!.assign(tensor(bias.data, bias.shape));
          let seen: Float32Array | null = null;
          model.forward(tensor(x.data, x.shape), {
            training: false,
            step: 0,
            lengths: null,
            state: null,
            outputs: 'every-step',
            watch: {
              output(level, _from, output) {
                if (level === 'layers.0') seen = Float32Array.from(output().dataSync());
              },
            },
          });
          assertClose(seen!, y.data, 'y', 1e-5);
        });
        model.dispose();
      });
  });
