// IndRNN: S. Li et al., 2018, https://arxiv.org/abs/1803.04831.
//
//   h_t = φ(W x_t + u ⊙ h_{t-1} + b)      φ = ReLU in the paper
//
// Shapes: x_t (B, I), h (B, H), weight_ih (H, I), weight_hh (H), bias (H). It runs in the kernel of the simple RNN with
// diag(u), which costs the products of a full matrix and no step of the interpreter. Initial values: u uniform between 0
// and 1, the rest as the convention's recurrent layers. The paper's clipping of |u| is left out.
import { mul, type Tensor2D, tensor2d } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { elmanLayer, inputWeights } from './elman.ts';
import { type Initializer, identityBlocks } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { elmanCell } from './rnn.ts';

const upToOne: Initializer = ([size], random) => Float32Array.from({ length: size! }, () => random.uniform());

export function buildIndRnn(layer: LayerOf<'ind-rnn'>, place: Place): BuiltLayer {
  const { units, activation } = layer;
  const own = inputWeights(place, units);
  const u = place.variable('weight_hh', [units], upToOne);
  const weightHh = (): Tensor2D => mul(identity(units), u);
  return elmanLayer(layer, place, units, { cell: elmanCell(activation, false), ...own, weightHh });
}

function identity(size: number): Tensor2D {
  return tensor2d(identityBlocks([size, size], null as never), [size, size]);
}
