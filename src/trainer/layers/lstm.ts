// LSTM: S. Hochreiter, J. Schmidhuber, 1997, https://doi.org/10.1162/neco.1997.9.8.1735, with the forget gate of
// Gers et al., 2000, https://doi.org/10.1162/089976600300015015.
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
//
// By choice, alone or together:
//
// - peephole: i and f also read p ⊙ c_{t-1}, o reads p ⊙ c_t; peephole (3H) of i f o, zeros at first.
//   F. Gers, J. Schmidhuber, 2000, https://doi.org/10.1109/IJCNN.2000.861302.
// - coupledGates: f = 1 - i; weights of i g o alone, (3H, …), peepholes of i o. `forgetBias` is -b of i.
//   K. Greff et al., 2017, https://doi.org/10.1109/TNNLS.2016.2582924.
// - layerNorm: N(W_ih x_t) + N(W_hh h_{t-1}) + b over all G·H sums, with gains of their own, and tanh(N(c_t)).
//   J. L. Ba et al., 2016, https://arxiv.org/abs/1607.06450, whose biases of the first two norms are b.
// - projection: h_t = W_hr (σ(o) ⊙ tanh(c_t)) of P numbers (recurrent.ts).
//   H. Sak et al., 2014, https://arxiv.org/abs/1402.1128.
import {
  add,
  mul,
  sigmoid,
  slice,
  split,
  sub,
  type Tensor1D,
  type Tensor2D,
  tanh,
} from '@tensorflow/tfjs-core';
import { blocksOf } from '../../experiment/layers/lstm.ts';
import type { Convention, Layer } from '../../experiment/schema.ts';
import { computed } from './by-channel.ts';
import { type Cell, type CellNorms, hasTwoBiases, masked, normalised, recurrentProduct } from './cell.ts';
import { chronoBias } from './initial.ts';

export function lstmCell(layer: Extract<Layer, { type: 'lstm' }>, convention: Convention): Cell {
  const forgetBias = layer.forgetBias ?? (convention === 'keras' ? 1 : undefined);
  const blocks = blocksOf(layer);
  const coupled = blocks === 3;
  return {
    name: 'lstm',
    gates: ['i', 'f', 'g', 'o'],
    blocks,
    hasCellState: true,
    twoBiases: hasTwoBiases(convention),
    fused: 'lstm',
    adjustBiases(biasIh, biasHh, units, random) {
      if (layer.chrono !== undefined) {
        biasHh?.fill(0, 0, (coupled ? 1 : 2) * units);
        for (let unit = 0; unit < units; unit++) {
          const forget = chronoBias(layer.chrono, random);
          if (!coupled) biasIh[units + unit] = forget;
          biasIh[unit] = -forget;
        }
        return;
      }
      if (forgetBias === undefined) return;
      const [from, value] = coupled ? [0, -forgetBias] : [units, forgetBias];
      biasIh.fill(value, from, from + units);
      biasHh?.fill(0, from, from + units);
    },
    ...(coupled ? { forKernel: withForgetBlock } : {}),
    step(input, state, weights, { read, update }) {
      const { norms } = weights;
      const before = state.c!;
      const units = before.shape[1];
      const sums = add(input, recurrentProduct(masked(state.h, read), weights));
      const parts = split(sums, blocks, 1) as Tensor2D[];
      const [g, outputSum] = parts.slice(-2) as [Tensor2D, Tensor2D];
      const seen = (sum: Tensor2D, gate: number, cell: Tensor2D): Tensor2D =>
        weights.peephole ? add(sum, mul(cell, slice(weights.peephole, gate * units, units))) : sum;
      const i = sigmoid(seen(parts[0]!, 0, before));
      const f = coupled ? sub(1, i) : sigmoid(seen(parts[1]!, 1, before));
      const c: Tensor2D = add(mul(f, before), mul(i, masked(tanh(g), update)));
      const o = sigmoid(seen(outputSum, blocks - 2, c));
      return { h: mul(o, tanh(norms ? ownNorm(c, norms) : c)), c };
    },
  };
}

function ownNorm(c: Tensor2D, { cellWeight, cellBias }: CellNorms): Tensor2D {
  return add(mul(normalised(c), cellWeight), cellBias);
}

/** Blocks i g o as i -i g o, and peepholes i o as i -i o: σ(-i) is 1 - σ(i). */
function withForgetBlock<T extends Tensor2D | Tensor1D>(weight: T, units: number): T {
  const [, ...rest] = weight.shape;
  const block = units * (rest[0] ?? 1);
  return computed(
    [weight],
    [weight.shape[0] + units, ...rest],
    given => {
      const all = new Float32Array(given.length + block);
      all.set(given.subarray(0, block));
      for (let i = 0; i < block; i++) all[block + i] = -given[i]!;
      all.set(given.subarray(block), 2 * block);
      return all;
    },
    dAll => {
      const gradient = new Float32Array(dAll.length - block);
      for (let i = 0; i < block; i++) gradient[i] = dAll[i]! - dAll[block + i]!;
      gradient.set(dAll.subarray(2 * block), block);
      return [gradient];
    },
  ) as T;
}
