// Orthogonal RNN: K. Helfrich, D. Willmott, Q. Ye, 2018, https://arxiv.org/abs/1707.09520 (without its matrix of signs).
//
//   Q = (I + A)⁻¹ (I - A),  A = L - Lᵀ      so that Qᵀ Q = I whatever L is
//   h_t = φ(W x_t + Q h_{t-1} + b)
//
// Shapes: x_t (B, I), h (B, H), weight_ih (H, I), skew (H (H-1) / 2): the rows of L below its diagonal, bias (H).
// Initial values: A of 2 × 2 blocks with tan(θ/2), θ uniform between 0 and π/2 (the paper, section 4.1), so that Q begins
// as rotations by θ; the rest as the convention's recurrent layers.
import { type Tensor2D, tensor2d, type Variable } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { cayley } from '../engine/kernels/cayley.ts';
import { elmanLayer, inputWeights } from './elman.ts';
import type { Initializer } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { elmanCell } from './rnn.ts';

export function buildOrthogonalRnn(layer: LayerOf<'orthogonal-rnn'>, place: Place): BuiltLayer {
  const { units, activation } = layer;
  const own = inputWeights(place, units);
  const skew = units > 1 ? place.variable('skew', [(units * (units - 1)) / 2], rotations(units)) : null;
  const weightHh = (): Tensor2D => (skew ? cayley(skew as Variable, units) : tensor2d([1], [1, 1]));
  return elmanLayer(layer, place, units, { cell: elmanCell(activation, false), ...own, weightHh });
}

function rotations(units: number): Initializer {
  return ([size], random) => {
    const values = new Float32Array(size!);
    // row i of L begins at i (i - 1) / 2
    for (let i = 1; i < units; i += 2)
      values[(i * (i - 1)) / 2 + i - 1] = Math.tan((random.uniform() * Math.PI) / 4);
    return values;
  };
}
