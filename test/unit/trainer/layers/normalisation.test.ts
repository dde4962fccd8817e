// Norms, highway layers and pooling against PyTorch, and what each promises exactly.
import assert from 'node:assert/strict';
import { mul, type Scalar, sum, type Tensor3D, tensor, tidy, variable } from '@tensorflow/tfjs-core';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { ForwardOptions, Model, Observation } from '../../../../src/trainer/layers/model.ts';
import { stepper } from '../../../../src/trainer/layers/stepper.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { assertClose, type GoldenTensor, readGolden, SEED } from '../engine/golden.ts';

interface LayerCase {
  name: string;
  layer: { type: string; momentum?: number };
  lengths: number[] | null;
  training?: boolean;
  x: GoldenTensor;
  y: GoldenTensor;
  dy: GoldenTensor;
  variables: Record<string, GoldenTensor>;
  gradients: Record<string, GoldenTensor>;
  after?: Record<string, GoldenTensor>;
}

const PASS: ForwardOptions = { training: true, step: 1, lengths: null, state: null, outputs: 'every-step' };

/** The layer behind a dense one that changes nothing, so that the gradient of its input is computed. */
function modelOf(layer: { type: string }, width: number, steps = 7): Model {
  const layers = [{ type: 'dense', units: width }, layer];
  const experiment = experimentSchema.parse({ data: { task: 'adding', length: steps }, model: { layers } });
  const model = buildModel(experiment, { input: { kind: 'vectors', features: width }, outputs: width }, 1);
  const identity = Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 0));
  set(model, 'layers.0.weight', identity);
  set(model, 'layers.0.bias', new Array(width).fill(0));
  return model;
}

function set(model: Model, name: string, values: ArrayLike<number>): void {
  const made = model.variables.get(name);
  assert.ok(made, `there is ${name}`);
  const fresh = tensor(Float32Array.from(values), made.shape);
  made.assign(fresh);
  fresh.dispose();
}

function numbers(count: number, purpose: string): Float32Array {
  const random = randomStream(SEED, purpose, 0);
  return Float32Array.from({ length: count }, () => random.normal());
}

describe('a layer that normalises, gates or pools', () => {
  before(() => startEngine('reference', null));

  for (const each of readGolden<LayerCase>('normalisation'))
    it(`is PyTorch's: ${each.name}`, () => {
      const { layer, x, y, dy, variables, gradients, after } = each;
      const model = modelOf(layer, x.shape[2]!);
      for (const [name, { data }] of Object.entries(variables)) set(model, `layers.1.${name}`, data);
      const own = [...model.variables.keys()].filter(name => name.startsWith('layers.1.'));
      assert.deepEqual(
        own,
        Object.keys(variables)
          .map(name => `layers.1.${name}`)
          .sort(),
      );
      const seen: Observation[] = [];
      const input = variable(tensor(x.data, x.shape));
      const trained = own.filter(name => !model.statistics.has(name));
      const options: ForwardOptions = {
        ...PASS,
        training: each.training ?? true,
        lengths: each.lengths && Int32Array.from(each.lengths),
        observe: told => seen.push(told),
      };
      const { gradients: found, value } = gradientsOf(() => {
        const { outputs } = model.forward(input as Tensor3D, options);
        assertClose(outputs.dataSync(), y.data, 'y', 1e-5);
        return sum(mul(outputs, tensor(dy.data, dy.shape))) as Scalar;
      }, [input, ...trained.map(name => model.variables.get(name)!)]);
      assert.ok(Number.isFinite(value.dataSync()[0]));
      for (const [i, name] of ['x', ...trained].entries())
        assertClose(
          found[i]!.dataSync(),
          gradients[name.replace('layers.1.', '')]!.data,
          `gradient of ${name}`,
          2e-5,
        );
      assert.equal(seen.length, after && each.training ? 2 : 0);
      for (const { name, share, values } of seen) {
        const short = name.replace('layers.1.', '');
        const moved = values.map((value, i) => (1 - share) * variables[short]!.data[i]! + share * value);
        assertClose(moved, after![short]!.data, short, 1e-5);
      }
      input.dispose();
      model.dispose();
    });

  it('batch norm in training gives mean 0 and variance 1 over the valid steps, whatever the padding holds', () => {
    const model = modelOf({ type: 'batch-norm' }, 3);
    const lengths = Int32Array.of(7, 2);
    const values = numbers(7 * 2 * 3, 'batch norm');
    const outputs = (padding: number) =>
      tidy(() => {
        const padded = values.map((value, i) =>
          Math.floor(i / 6) >= lengths[Math.floor(i / 3) % 2]! ? padding : value,
        );
        return Float32Array.from(
          model.forward(tensor(padded, [7, 2, 3]), { ...PASS, lengths }).outputs.dataSync(),
        );
      });
    const y = outputs(1000);
    assert.deepEqual(y, outputs(-5));
    for (let d = 0; d < 3; d++) {
      const valid = [...y].filter(
        (_, i) => i % 3 === d && Math.floor(i / 6) < lengths[Math.floor(i / 3) % 2]!,
      );
      assert.equal(valid.length, 9);
      const mean = valid.reduce((a, b) => a + b) / 9;
      const variance = valid.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 9;
      assert.ok(Math.abs(mean) < 1e-6 && Math.abs(variance - 1) < 1e-3, `${mean}, ${variance}`);
    }
    model.dispose();
  });

  it('a highway whose gate is shut passes its input on, and an open one transforms all of it', () => {
    const x = numbers(7 * 2 * 4, 'highway');
    const outputs = (bias: number) => {
      const model = modelOf({ type: 'highway' }, 4);
      set(model, 'layers.1.0.gate.bias', new Array(4).fill(bias));
      const y = tidy(() => Float32Array.from(model.forward(tensor(x, [7, 2, 4]), PASS).outputs.dataSync()));
      model.dispose();
      return y;
    };
    assertClose(outputs(-60), x, 'shut', 1e-6);
    assert.ok(
      outputs(60).every(value => value >= -1e-6),
      'a ReLU',
    );
  });

  for (const mode of ['max', 'mean'])
    it(`causal ${mode} pooling reads step by step what it reads at once`, () => {
      const model = modelOf({ type: 'pool', mode, kernelSize: 4, stride: 1, padding: 'causal' } as never, 2);
      assert.equal(model.context, null);
      const values = numbers(7 * 3 * 2, 'pool').map(value => value - 3);
      const whole = tidy(() =>
        Float32Array.from(model.forward(tensor(values, [7, 3, 2]), PASS).outputs.dataSync()),
      );
      // the first step has itself alone
      assertClose(whole.subarray(0, 6), values.subarray(0, 6), 'first step', 1e-6);
      const reader = stepper(model, 3);
      for (let t = 0; t < 7; t++)
        assertClose(
          reader.step(values.subarray(t * 6, t * 6 + 6)),
          whole.subarray(t * 6, t * 6 + 6),
          `step ${t}`,
          1e-6,
        );
      model.dispose();
    });

  it('pooling that shortens gives the last step of each sequence, of its own length', () => {
    const model = modelOf({ type: 'pool', mode: 'mean', kernelSize: 2 } as never, 1);
    const values = Float32Array.from({ length: 14 }, (_, i) => Math.floor(i / 2) + (i % 2) * 100);
    const last = tidy(() =>
      Array.from(
        model
          .forward(tensor(values, [7, 2, 1]), { ...PASS, lengths: Int32Array.of(7, 4), outputs: 'last-step' })
          .outputs.dataSync(),
      ),
    );
    // windows (4, 5) of seven steps and (2, 3) of four
    assert.deepEqual(last, [4.5, 102.5]);
    model.dispose();
  });

  for (const type of ['conv1d', 'min-gru', 'dense'])
    it(`a residual adds what a layer of type ${type} reads`, () => {
      const x = numbers(7 * 2 * 3, 'residual');
      const outputs = (residual: boolean) => {
        const model = modelOf({ type, units: 3, residual } as never, 3);
        const y = tidy(() => Float32Array.from(model.forward(tensor(x, [7, 2, 3]), PASS).outputs.dataSync()));
        model.dispose();
        return y;
      };
      assertClose(
        outputs(true),
        outputs(false).map((value, i) => value + x[i]!),
        'y',
        1e-6,
      );
    });
});
