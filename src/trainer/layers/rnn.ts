// Simple RNN: J. L. Elman, "Finding structure in time", 1990, https://doi.org/10.1207/s15516709cog1402_1.
//
//   h_t = φ(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)      φ = tanh or relu
//
// Shapes: x_t (B, I), h (B, H), weight_ih (H, I), weight_hh (H, H), biases (H). PyTorch has both biases, Keras and
// tfjs only b_ih.
import { add, relu, type Tensor2D, tanh } from '@tensorflow/tfjs-core';
import type { Convention, Layer } from '../../experiment/schema.ts';
import { type Cell, hasTwoBiases, recurrentProduct } from './cell.ts';

export function rnnCell(layer: Extract<Layer, { type: 'rnn' }>, convention: Convention): Cell {
  const phi = layer.activation === 'tanh' ? tanh : relu;
  return {
    name: 'rnn',
    gates: [],
    hasCellState: false,
    twoBiases: hasTwoBiases(convention),
    fused: layer.activation === 'tanh' ? 'rnn-tanh' : 'rnn-relu',
    step: (input, { h }, weights) => ({ h: phi(add<Tensor2D>(input, recurrentProduct(h, weights))) }),
  };
}
