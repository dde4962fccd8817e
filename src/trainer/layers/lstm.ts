// LSTM: S. Hochreiter, J. Schmidhuber, 1997, https://doi.org/10.1162/neco.1997.9.8.1735, with the forget gate of
// Gers et al., 2000, https://doi.org/10.1162/089976600300015015; no peepholes.
//
//   [i f g o] = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
//   c_t = σ(f) ⊙ c_{t-1} + σ(i) ⊙ tanh(g)
//   h_t = σ(o) ⊙ tanh(c_t)
//
// Shapes: x_t (B, I), h and c (B, H), weight_ih (4H, I), weight_hh (4H, H), biases (4H), gates stacked i f g o
// (PyTorch; Keras's order is i f c o, which is the same with g called c). PyTorch has both biases, Keras and tfjs
// only b_ih. The gates are true sigmoids in every convention, also tfjs, whose own default is a hard sigmoid.
// Initial forget bias: PyTorch as the others, Keras 1, tfjs 0; `forgetBias` sets it, whole, in b_ih.
// `chrono`: b_f = log u, u uniform from 1 to T_max - 1, and b_i = -b_f (Tallec & Ollivier 2018).
import { add, mul, sigmoid, split, type Tensor2D, tanh } from '@tensorflow/tfjs-core';
import type { Convention, Layer } from '../../experiment/schema.ts';
import { type Cell, hasTwoBiases, recurrentProduct } from './cell.ts';
import { chronoBias } from './initial.ts';

export function lstmCell(layer: Extract<Layer, { type: 'lstm' }>, convention: Convention): Cell {
  const forgetBias = layer.forgetBias ?? (convention === 'keras' ? 1 : undefined);
  return {
    name: 'lstm',
    gates: ['i', 'f', 'g', 'o'],
    hasCellState: true,
    twoBiases: hasTwoBiases(convention),
    fused: 'lstm',
    adjustBiases(biasIh, biasHh, units, random) {
      if (layer.chrono !== undefined) {
        biasHh?.fill(0, 0, 2 * units);
        for (let unit = 0; unit < units; unit++) {
          biasIh[units + unit] = chronoBias(layer.chrono, random);
          biasIh[unit] = -biasIh[units + unit]!;
        }
        return;
      }
      if (forgetBias === undefined) return;
      biasIh.fill(forgetBias, units, 2 * units);
      biasHh?.fill(0, units, 2 * units);
    },
    step(input, state, weights) {
      const sums = add(input, recurrentProduct(state.h, weights));
      const [i, f, g, o] = split(sums, 4, 1) as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
      const c: Tensor2D = add(mul(sigmoid(f), state.c!), mul(sigmoid(i), tanh(g)));
      return { h: mul(sigmoid(o), tanh(c)), c };
    },
  };
}
