// Simple RNN: J. L. Elman, "Finding structure in time", 1990, https://doi.org/10.1207/s15516709cog1402_1.
//
//   h_t = φ(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)      φ = tanh, relu, sigmoid, leaky relu or none
//
// Shapes: x_t (B, I), h (B, H), weight_ih (H, I), weight_hh (H, H), biases (H). PyTorch has both biases, Keras and
// tfjs only b_ih. A leaky relu has the slope 0.01 below 0, as in PyTorch.
import { add, mul, relu, sigmoid, type Tensor2D, tanh } from '@tensorflow/tfjs-core';
import type { RnnActivation } from '../../experiment/layers/rnn.ts';
import type { Convention, Layer } from '../../experiment/schema.ts';
import { type Cell, hasTwoBiases, masked, recurrentProduct } from './cell.ts';

const FUNCTIONS: Readonly<Record<RnnActivation, (sums: Tensor2D) => Tensor2D>> = {
  tanh,
  relu,
  sigmoid,
  'leaky-relu': sums => add(mul(sums, 0.01), mul(relu(sums), 0.99)),
  linear: sums => sums,
};

/** A cell without gates. */
export function elmanCell(activation: RnnActivation, twoBiases: boolean): Cell {
  const phi = FUNCTIONS[activation];
  return {
    name: 'rnn',
    gates: [],
    hasCellState: false,
    twoBiases,
    fused: `rnn-${activation}`,
    // there is no update to drop: the state it is made of is (Semeniuta et al. 2016)
    step: (input, { h }, weights, { read, update }) => ({
      h: phi(add<Tensor2D>(input, recurrentProduct(masked(masked(h, read), update), weights))),
    }),
  };
}

export function rnnCell(layer: Extract<Layer, { type: 'rnn' }>, convention: Convention): Cell {
  return elmanCell(layer.activation, hasTwoBiases(convention));
}
