// GRU: K. Cho et al., 2014, in its two definitions, which are different functions of the same weights:
//
//   r = σ(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)
//   z = σ(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
//   n = tanh(W_in x_t + b_in + r ⊙ (W_hn h_{t-1} + b_hn))      reset after  (arXiv 1406.1078v1; PyTorch, Keras)
//   n = tanh(W_in x_t + b_in + W_hn (r ⊙ h_{t-1}) + b_hn)      reset before (arXiv 1406.1078v3; tfjs)
//   h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}
//
// Shapes: x_t (B, I), h (B, H), weight_ih (3H, I), weight_hh (3H, H), biases (3H), gates stacked r z n (PyTorch;
// Keras's order is z r h). PyTorch has both biases; Keras and tfjs have one, but two where the reset comes after,
// since b_hn then stands inside the product with r. `chrono`: b_z = log u, u uniform from 1 to T_max - 1 (Tallec &
// Ollivier 2018, whose leaky unit has 1 - z for z).
import { add, matMul, mul, sigmoid, slice, split, sub, type Tensor2D, tanh } from '@tensorflow/tfjs-core';
import type { Convention, Layer } from '../../experiment/schema.ts';
import {
  type Cell,
  type CellWeights,
  hasTwoBiases,
  masked,
  recurrentProduct,
  type StepMasks,
} from './cell.ts';
import { chronoBias } from './initial.ts';

export function gruCell(layer: Extract<Layer, { type: 'gru' }>, convention: Convention): Cell {
  const resetAfter = layer.resetAfter ?? convention !== 'tfjs';
  return {
    name: 'gru',
    gates: ['r', 'z', 'n'],
    hasCellState: false,
    twoBiases: resetAfter || hasTwoBiases(convention),
    fused: resetAfter ? 'gru-reset-after' : 'gru-reset-before',
    adjustBiases(biasIh, biasHh, units, random) {
      if (layer.chrono === undefined) return;
      biasHh?.fill(0, units, 2 * units);
      for (let unit = 0; unit < units; unit++) biasIh[units + unit] = chronoBias(layer.chrono, random);
    },
    step: resetAfter ? stepResetAfter : stepResetBefore,
  };
}

function stepResetAfter(
  input: Tensor2D,
  { h }: { h: Tensor2D },
  weights: CellWeights,
  { read, update }: StepMasks,
) {
  const [inputR, inputZ, inputN] = split(input, 3, 1) as [Tensor2D, Tensor2D, Tensor2D];
  const [hiddenR, hiddenZ, hiddenN] = split(recurrentProduct(masked(h, read), weights), 3, 1) as [
    Tensor2D,
    Tensor2D,
    Tensor2D,
  ];
  const r = sigmoid(add(inputR, hiddenR));
  const z = sigmoid(add(inputZ, hiddenZ));
  const n: Tensor2D = tanh(add<Tensor2D>(inputN, mul(r, hiddenN)));
  return { h: add(mul(sub(1, z), masked(n, update)), mul(z, h)) as Tensor2D };
}

function stepResetBefore(
  input: Tensor2D,
  { h }: { h: Tensor2D },
  { weightHh, biasHh }: CellWeights,
  { read, update }: StepMasks,
) {
  const seen = masked(h, read);
  const units = h.shape[1];
  const [inputR, inputZ, inputN] = split(
    biasHh ? (add(input, biasHh) as Tensor2D) : input,
    3,
    1,
  ) as Tensor2D[];
  const product = (state: Tensor2D, gate: number) =>
    matMul(state, slice(weightHh, [gate * units, 0], [units, units]), false, true);
  const r = sigmoid(add(inputR!, product(seen, 0)));
  const z = sigmoid(add(inputZ!, product(seen, 1)));
  const n: Tensor2D = tanh(add<Tensor2D>(inputN!, product(mul(r, seen) as Tensor2D, 2)));
  return { h: add(mul(sub(1, z), masked(n, update)), mul(z, h)) as Tensor2D };
}
