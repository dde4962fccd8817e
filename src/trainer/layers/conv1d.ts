// Convolution over time: A. Waibel et al., 1989, https://doi.org/10.1109/29.21701.
//
//   y_t = φ(b + Σ_k W_k x_{t - (K-1-k)·dilation})            causal: zeros stand before the first step
//   y_t = φ(b + Σ_k W_k x_{t - ⌊R/2⌋ + k·dilation})           same: R = (K-1)·dilation, zeros on both sides
//
// Shapes: x (T, B, I), y (T, B, O), weight (O, I/groups, K), bias (O): torch.nn.Conv1d's layout, the last tap of a causal
// one at the present. A centred convolution reads zeros behind a sequence's end. The last R inputs are its state.
// Initial values: PyTorch uniform ±1/√(I/groups·K) for both; Keras and tfjs Glorot-uniform weights and zero biases.
import { concat, mul, slice, type Tensor3D, tensor3d } from '@tensorflow/tfjs-core';
import { tailOf } from '../../experiment/layers/conv1d.ts';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { uniform, zeros } from './initial.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { activation, convolution } from './operations.ts';

export function buildConv1d(layer: LayerOf<'conv1d'>, place: Place): BuiltLayer {
  const { units, kernelSize, groups, dilation, padding } = layer;
  const inputs = place.input.width / groups;
  const pytorch = place.convention === 'pytorch';
  const spread = uniform(1 / Math.sqrt(inputs * kernelSize));
  const glorot = uniform(Math.sqrt(6 / ((inputs + units) * kernelSize)));
  const weight = place.variable('weight', [units, inputs, kernelSize], pytorch ? spread : glorot);
  const bias = place.variable('bias', [units], pytorch ? spread : zeros);
  const options = { dilation, groups, padding, activation: null, inputGradient: place.input.learned };
  const sums = (x: Tensor3D) => convolution(x, weight, bias, options);
  const phi = (y: Tensor3D) => (layer.activation === 'linear' ? y : activation(layer.activation, y));
  const tail = padding === 'causal' ? tailOf(layer) : 0;
  const name = `${place.name}.tail`;
  return {
    output: { kind: 'vectors', width: units, learned: true },
    states: tail > 0 ? [{ name, size: tail * place.input.width }] : [],
    forward(input, pass) {
      const x = input as Tensor3D;
      const { lengths } = pass.options;
      if (padding === 'same') return phi(sums(lengths ? mul(x, insideOf(x.shape[0], lengths)) : x));
      if (tail === 0) return phi(sums(x));
      const before = pass.state(name);
      const whole = before ? (concat([timeMajor(before, tail, x), x], 0) as Tensor3D) : x;
      pass.keep(name, lastSteps(whole, tail, x.shape[0], pass));
      const y = sums(whole);
      return phi(before ? slice(y, [tail, 0, 0], [x.shape[0], x.shape[1], units]) : y);
    },
  };
}

/** (B, tail·I), as states are kept, → (tail, B, I). */
function timeMajor(kept: Float32Array, tail: number, x: Tensor3D): Tensor3D {
  const [, batch, width] = x.shape;
  const values = new Float32Array(kept.length);
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < tail; t++) {
      const from = (b * tail + t) * width;
      values.set(kept.subarray(from, from + width), (t * batch + b) * width);
    }
  return tensor3d(values, [tail, batch, width]);
}

/** (B, tail·I): the last steps of each sequence, zeros before its first. `whole` ends with the pass's own `steps`. */
function lastSteps(whole: Tensor3D, tail: number, steps: number, pass: Pass): Float32Array {
  const [all, batch, width] = whole.shape;
  const values = whole.dataSync();
  const kept = new Float32Array(batch * tail * width);
  for (let b = 0; b < batch; b++) {
    const end = all - steps + (pass.options.lengths?.[b] ?? steps);
    for (let t = Math.max(0, tail - end); t < tail; t++) {
      const from = ((end - tail + t) * batch + b) * width;
      kept.set(values.subarray(from, from + width), (b * tail + t) * width);
    }
  }
  return kept;
}

/** (T, B, 1): 1 inside of a sequence. */
function insideOf(steps: number, lengths: Int32Array): Tensor3D {
  const inside = Float32Array.from({ length: steps * lengths.length }, (_, i) =>
    Math.floor(i / lengths.length) < lengths[i % lengths.length]! ? 1 : 0,
  );
  return tensor3d(inside, [steps, lengths.length, 1]);
}
