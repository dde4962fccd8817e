// Echo state network: H. Jaeger, "The echo state approach to analysing and training recurrent neural networks", GMD report
// 148, 2001; with leaky units, Jaeger et al., 2007, https://doi.org/10.1016/j.neunet.2007.04.016.
//
//   h_t = (1 - a) h_{t-1} + a tanh(W_in x_t + W h_{t-1} + b)
//
// Shapes: x_t (B, I), h (B, H), weight_ih W_in (H, I), weight_hh W (H, H), bias (H). None of them learns; they are kept
// with the weights, so that a run is whole without its seed. W_in and b are uniform within ± inputScale. Of W the share
// `density` is normal and the rest 0, all scaled so that the largest |eigenvalue| is spectralRadius.
// With a = 1 it runs in the kernel of the simple RNN, else step by step in plain tensor operations.
import { add, mul, type Tensor1D, type Tensor2D, type Tensor3D, type Variable } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { eigenvaluesOf } from '../engine/eigenvalues.ts';
import { type Cell, recurrentProduct } from './cell.ts';
import { elmanLayer } from './elman.ts';
import { type Initializer, uniform } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { activation } from './operations.ts';
import { elmanCell } from './rnn.ts';

export function buildEchoState(layer: LayerOf<'echo-state'>, place: Place): BuiltLayer {
  const { units, inputScale, leak } = layer;
  const weightIh = place.statistic('weight_ih', [units, place.input.width], uniform(inputScale));
  const weightHh = place.statistic('weight_hh', [units, units], reservoir(layer));
  const bias = place.statistic('bias', [units], uniform(inputScale));
  return elmanLayer(layer, place, units, {
    cell: leak < 1 ? leakyCell(leak) : elmanCell('tanh', false),
    weightIh: weightIh as Variable & Tensor2D,
    bias: bias as Variable & Tensor1D,
    weightHh: () => weightHh as Variable & Tensor2D,
  });
}

function leakyCell(leak: number): Cell {
  return {
    ...elmanCell('tanh', false),
    fused: null,
    step(input, { h }, weights) {
      const sums: Tensor2D = add(input, recurrentProduct(h, weights));
      const made = activation('tanh', sums as unknown as Tensor3D) as unknown as Tensor2D;
      return { h: add(mul(h, 1 - leak), mul(made, leak)) };
    },
  };
}

function reservoir({ density, spectralRadius }: LayerOf<'echo-state'>): Initializer {
  return ([units], random) => {
    const values = Float64Array.from({ length: units! * units! }, () => {
      const size = random.normal();
      return random.uniform() < density ? size : 0;
    });
    // so few weights may form no circle, and have no eigenvalue but 0: a ring through all units has
    if (radiusOf(values, units!) < 1e-3)
      for (let unit = 0; unit < units!; unit++) values[unit * units! + ((unit + 1) % units!)] = 1;
    const scale = spectralRadius / radiusOf(values, units!);
    return Float32Array.from(values, value => value * scale);
  };
}

function radiusOf(matrix: Float64Array, n: number): number {
  const { re, im } = eigenvaluesOf(matrix, n);
  return re.reduce((largest, part, i) => Math.max(largest, Math.hypot(part, im[i]!)), 0);
}
