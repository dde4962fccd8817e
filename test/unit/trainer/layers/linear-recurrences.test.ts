// The layers of linear recurrences against their reference implementations, and what each promises exactly.
import assert from 'node:assert/strict';
import { type Scalar, sum, tensor, tidy } from '@tensorflow/tfjs-core';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import type { Model } from '../../../../src/trainer/layers/model.ts';
import { assertClose, readGolden } from '../engine/golden.ts';
import { checkReference, type LayerCase, modelOf, numbers, outputsOf, PASS, setWeight } from './alone.ts';

describe('a layer of a linear recurrence', () => {
  before(() => startEngine('reference', null));

  for (const golden of readGolden<LayerCase>('linear_recurrences'))
    it(`is its reference implementation: ${JSON.stringify(golden.layer)}`, () => checkReference(golden));
});

describe('minGRU', () => {
  before(() => startEngine('reference', null));

  it('keeps the share 1 − z of its state, whatever the input: ∂h_t/∂h_{t−1} = diag(1 − z)', () => {
    const model = modelOf({ type: 'min-gru', units: 3 }, 2);
    const x = Float32Array.of(0.5, -1);
    const [weight, bias] = ['gate.weight', 'gate.bias'].map(
      name => model.variables.get(`layers.0.${name}`)!.dataSync() as Float32Array,
    );
    const z = [0, 1, 2].map(
      unit =>
        1 / (1 + Math.exp(-(weight![2 * unit]! * x[0]! + weight![2 * unit + 1]! * x[1]! + bias![unit]!))),
    );
    const stepFrom = (h: Float32Array) =>
      tidy(() => {
        const { outputs } = model.forward(tensor(x, [1, 1, 2]), { ...PASS, state: { 'layers.0.h': h } });
        return Float32Array.from(outputs.dataSync());
      });
    const still = stepFrom(new Float32Array(3));
    for (let unit = 0; unit < 3; unit++) {
      const moved = stepFrom(Float32Array.from({ length: 3 }, (_, i) => Number(i === unit)));
      const column = moved.map((value, i) => value - still[i]!);
      assertClose(
        column,
        [0, 1, 2].map(i => (i === unit ? 1 - z[unit]! : 0)),
        `column ${unit}`,
        1e-6,
      );
    }
    model.dispose();
  });
});

describe('RG-LRU', () => {
  before(() => startEngine('reference', null));

  it('has a finite gradient where it forgets nothing', () => {
    const model = modelOf({ type: 'rg-lru', units: 3 }, 2);
    setWeight(model, 'recurrence_gate.bias', [-40, -40, -40]);
    const variables = [...model.variables.values()];
    const { gradients } = gradientsOf(
      () => sum(model.forward(tensor(numbers(10, 'x'), [5, 1, 2]), PASS).outputs) as Scalar,
      variables,
    );
    for (const gradient of gradients) assert.ok(gradient!.dataSync().every(Number.isFinite));
    model.dispose();
  });
});

describe('LRU', () => {
  before(() => startEngine('reference', null));

  const [T, I, N] = [33, 2, 6];
  const value = (model: Model, name: string) =>
    Array.from(model.variables.get(`layers.0.${name}`)!.dataSync() as Float32Array);

  it('is the convolution of its input with Re(C λ^j γ B), taken by discrete Fourier transform', () => {
    const model = modelOf({ type: 'lru', units: 1, stateSize: N, glu: false } as never, I);
    const x = numbers(T * I, 'signal');
    const found = outputsOf(model, x, [T, 1, I]);
    const [nu, theta, gamma] = ['nu_log', 'theta_log', 'gamma_log'].map(name => value(model, name));
    const [bRe, bIm, cRe, cIm, d] = ['B_re', 'B_im', 'C_re', 'C_im', 'D'].map(name => value(model, name));
    const expected = new Float64Array(T);
    for (let input = 0; input < I; input++) {
      const kernel = Float64Array.from({ length: T }, (_, j) => {
        let sum = j === 0 ? d![input]! : 0;
        for (let n = 0; n < N; n++) {
          const size = Math.exp(-Math.exp(nu![n]!) * j) * Math.exp(gamma![n]!);
          const angle = Math.exp(theta![n]!) * j;
          const [re, im] = [size * Math.cos(angle), size * Math.sin(angle)];
          const [b, bi] = [bRe![n * I + input]!, bIm![n * I + input]!];
          sum += cRe![n]! * (re * b - im * bi) - cIm![n]! * (re * bi + im * b);
        }
        return sum;
      });
      const signal = Float64Array.from({ length: T }, (_, t) => x[t * I + input]!);
      convolved(kernel, signal).forEach((part, t) => {
        expected[t]! += part;
      });
    }
    assertClose(found, expected, 'outputs', 1e-4);
    model.dispose();
  });

  it('begins with a state of unit variance on white noise', () => {
    const wide = 128;
    const model = modelOf({ type: 'lru', units: 1, stateSize: wide, rMin: 0.4, rMax: 0.9 } as never, 16);
    const steps = 200;
    const total = tidy(() => {
      const x = tensor(numbers(steps * 8 * 16, 'noise'), [steps, 8, 16]);
      const { state } = model.forward(x, PASS);
      return state['layers.0.h']!.reduce((sum, h) => sum + h * h, 0);
    });
    const variance = total / (8 * wide);
    assert.ok(Math.abs(variance - 1) < 0.2, `variance ${variance}`);
    model.dispose();
  });
});

describe('a matrix memory', () => {
  before(() => startEngine('reference', null));

  const [T, B, I, U] = [9, 2, 3, 8];
  const copy = (from: Model, to: Model, names: readonly string[]) => {
    for (const name of names)
      setWeight(to, name, from.variables.get(`layers.0.${name}`)!.dataSync() as Float32Array);
  };

  it('gated DeltaNet that never decays and has an open gate is DeltaNet', () => {
    const plain = modelOf({ type: 'deltanet', units: U }, I);
    const gated = modelOf({ type: 'gated-deltanet', units: U }, I);
    copy(
      plain,
      gated,
      [...plain.variables.keys()].map(name => name.slice('layers.0.'.length)),
    );
    // exp(-∞) of the decay, and an input of ones that opens silu(g) to the same number everywhere
    setWeight(gated, 'A_log', new Float32Array(4).fill(-100));
    const x = numbers(T * B * I, 'memory').map((value, i) => (i % I === 0 ? 1 : value));
    const open = new Float32Array(U * I);
    for (let unit = 0; unit < U; unit++) open[unit * I] = 1;
    setWeight(gated, 'gate.weight', open);
    const silu = 1 / (1 + Math.exp(-1));
    const expected = outputsOf(plain, x, [T, B, I]).map(value => value * silu);
    assertClose(outputsOf(gated, x, [T, B, I]), expected, 'outputs', 1e-5);
    plain.dispose();
    gated.dispose();
  });

  it('RetNet forgets at the fixed rate of each head', () => {
    const model = modelOf({ type: 'retnet', units: U, heads: 2 } as never, I);
    const S = numbers(U * 4, 'state');
    const kept = tidy(() => {
      const input = tensor(new Float32Array(3 * I), [3, 1, I]);
      return model.forward(input, { ...PASS, state: { 'layers.0.S': S } }).state['layers.0.S']!;
    });
    const rates = [1 - 2 ** -5, 1 - 2 ** -6];
    const expected = S.map((value, i) => value * rates[Math.floor(i / (S.length / 2))]! ** 3);
    assertClose(kept, expected, 'state after three empty steps', 1e-6);
    model.dispose();
  });

  it('an mLSTM gives the same whatever its stabiliser', () => {
    const model = modelOf({ type: 'm-lstm', units: U, heads: 2 } as never, I);
    const x = numbers(T * I, 'stabiliser');
    const S = numbers(U * 5, 'state');
    const outputsAt = (shift: number) =>
      tidy(() => {
        const state = {
          'layers.0.S': S.map(value => value * Math.exp(-shift)),
          'layers.0.m': new Float32Array(2).fill(shift),
        };
        const { outputs } = model.forward(tensor(x, [T, 1, I]), { ...PASS, state });
        return Float32Array.from(outputs.dataSync());
      });
    assertClose(outputsAt(3), outputsAt(0), 'outputs', 1e-5);
    model.dispose();
  });
});

/** The first T steps of a convolution, as a product of spectra of 2·T points. */
function convolved(kernel: Float64Array, signal: Float64Array): Float64Array {
  const T = signal.length;
  const points = 2 * T;
  const transform = (values: Float64Array) =>
    Array.from({ length: points }, (_, k) => {
      let [re, im] = [0, 0];
      for (let t = 0; t < T; t++) {
        const angle = (-2 * Math.PI * k * t) / points;
        re += values[t]! * Math.cos(angle);
        im += values[t]! * Math.sin(angle);
      }
      return [re, im] as const;
    });
  const [a, b] = [transform(kernel), transform(signal)];
  return Float64Array.from({ length: T }, (_, t) => {
    let sum = 0;
    for (let k = 0; k < points; k++) {
      const [re, im] = [a[k]![0] * b[k]![0] - a[k]![1] * b[k]![1], a[k]![0] * b[k]![1] + a[k]![1] * b[k]![0]];
      const angle = (2 * Math.PI * k * t) / points;
      sum += re * Math.cos(angle) - im * Math.sin(angle);
    }
    return sum / points;
  });
}
