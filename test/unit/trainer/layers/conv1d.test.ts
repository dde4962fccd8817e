// The layer conv1d against torch.nn.Conv1d: paddings, strides, dilations and groups; and what a shortened sequence is.
import assert from 'node:assert/strict';
import { type Scalar, sum, tensor, tidy } from '@tensorflow/tfjs-core';
import { checkExperiment } from '../../../../src/experiment/check.ts';
import { placeLayers } from '../../../../src/experiment/models.ts';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { assertClose, type GoldenTensor, readGolden, SEED } from '../engine/golden.ts';

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

const cases = readGolden<ConvolutionCase>('convolution');

for (const engine of ['reference', 'native'] as const)
  describe(`conv1d (${engine})`, () => {
    before(() => startEngine(engine, 1));

    it('has cases of each padding', () => {
      assert.deepEqual([...new Set(cases.map(({ padding }) => padding))].sort(), ['causal', 'same', 'valid']);
    });

    for (const { name, dilation, padding, stride, groups, x, weight, bias, y } of cases)
      it(`equals PyTorch's: ${name}`, () => {
        const [units, , kernelSize] = weight.shape as [number, number, number];
        const [seqLen, , features] = x.shape as [number, number, number];
        const layer = { type: 'conv1d', units, kernelSize, dilation, padding, stride, groups };
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

const SHORTENING = [
  { type: 'conv1d', units: 3, padding: 'valid' },
  { type: 'conv1d', units: 3, padding: 'valid', dilation: 2, stride: 2 },
  { type: 'conv1d', units: 3, stride: 3 },
  { type: 'conv1d', units: 3, padding: 'same', stride: 2, kernelSize: 4 },
  { type: 'pool', kernelSize: 3 },
  { type: 'pool', mode: 'mean', kernelSize: 3, stride: 2, padding: 'same' },
  { type: 'pool', global: true },
];

describe('a layer that shortens sequences', () => {
  before(() => startEngine('reference', null));
  const [STEPS, FEATURES] = [12, 3];
  const random = randomStream(SEED, 'shortened', 0);
  const values = Float32Array.from({ length: STEPS * 4 * FEATURES }, () => random.normal());
  const lengths = [12, 7, 2, 1];
  const sizes = { input: { kind: 'vectors', features: FEATURES }, outputs: 1 } as const;

  for (const layer of SHORTENING)
    for (const behind of [[], [{ type: 'lstm', units: 2 }]])
      it(`reads unequal lengths as each alone: ${JSON.stringify([layer, ...behind])}`, () => {
        const experiment = experimentSchema.parse({
          data: { task: 'adding', length: STEPS },
          model: { layers: [layer, ...behind, { type: 'dense' }] },
        });
        const model = buildModel(experiment, sizes, 1);
        const outputs = (x: Float32Array, of: number[]) =>
          tidy(() => {
            const input = tensor(x, [x.length / of.length / FEATURES, of.length, FEATURES]);
            const options = { training: false, step: 0, state: null, outputs: 'last-step' } as const;
            return Array.from(
              model.forward(input, { ...options, lengths: Int32Array.from(of) }).outputs.dataSync(),
            );
          });
        const together = outputs(values, lengths);
        for (const [b, length] of lengths.entries()) {
          const own = Float32Array.from({ length: length * FEATURES }, (_, i) => {
            const [t, d] = [Math.floor(i / FEATURES), i % FEATURES];
            return values[(t * 4 + b) * FEATURES + d]!;
          });
          assertClose([together[b]!], outputs(own, [length]), `sequence ${b}`, 1e-5);
        }
        const [placed] = placeLayers(experiment, sizes);
        const rows: [number, number[]][] = [];
        gradientsOf(() => {
          const watch = {
            gradient: (_: number, from: number, norms: Float32Array) => rows.push([from, [...norms]]),
          };
          const pass = { training: true, step: 1, state: null, outputs: 'last-step', watch } as const;
          const { outputs } = model.forward(tensor(values, [STEPS, 4, FEATURES]), {
            ...pass,
            lengths: Int32Array.from(lengths),
          });
          return sum(outputs) as Scalar;
        }, [...model.variables.values()]);
        const whole = placed!.kind.steps!(placed!.layer, STEPS) > 1;
        assert.ok(rows.length > 0 || layer.type === 'pool');
        // rows stand over the time of the input
        for (const [from, norms] of rows) {
          assert.equal(norms.length, whole ? STEPS : 1);
          assert.equal(from, whole ? 0 : STEPS - 1);
          assert.ok(norms.at(-1)! > 0);
        }
        model.dispose();
      });

  const checked = (layers: unknown[], task: unknown = { task: 'adding', length: STEPS }) => {
    const input = { data: task, model: { layers: [...layers, { type: 'dense' }] } };
    return checkExperiment(experimentSchema.parse(input), input, 1e12).map(({ message }) => message);
  };

  it('is refused in one sentence where the task has a target at every step', () => {
    for (const layer of SHORTENING) {
      const [message, ...more] = checked([layer], { task: 'copy-memory', length: 30 });
      assert.equal(
        message,
        'This layer gives fewer steps than it reads, but the task "copy-memory" has a target at every step; take `"padding": "causal"` and `"stride": 1`.',
      );
      assert.deepEqual(more, []);
      assert.deepEqual(checked([layer]), []);
    }
  });

  it('is refused where its sequences fill no window, counted behind the layers before it', () => {
    const pool = { type: 'pool', kernelSize: 4 };
    assert.deepEqual(checked([pool, { type: 'conv1d', units: 3, padding: 'valid' }]), []);
    assert.deepEqual(checked([pool, { type: 'conv1d', units: 3, kernelSize: 4, padding: 'valid' }]), [
      'Without padding this layer needs 4 steps, but 3 reach it; take a smaller kernel or `"padding": "causal"`.',
    ]);
  });

  it('cannot have a residual, and a residual needs equal widths', () => {
    assert.deepEqual(checked([{ type: 'conv1d', units: 2, stride: 2, residual: true }]), [
      'A residual adds steps one by one, but this layer gives fewer than it reads; leave it out.',
    ]);
    assert.deepEqual(checked([{ type: 'conv1d', units: 5, residual: true }]), [
      'A residual adds 2 numbers to 5: both must be equal; give this layer 2 units.',
    ]);
    assert.deepEqual(checked([{ type: 'conv1d', units: 2, residual: true }]), []);
  });
});
