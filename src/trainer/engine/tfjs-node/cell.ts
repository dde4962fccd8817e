// What a cell is on TensorFlow: a whole sequence forward and backward, in plain tensor operations that no tape sees.
// Sequences are in step order (a reversed one has been turned) and zero beyond their lengths.
// Shapes: x (T, B, I), h and all gates (T, B, H), weights (G·H, …) in PyTorch's gate order.
import { add, concat, matMul, reshape, slice, sum, type Tensor, zeros } from '@tensorflow/tfjs-core';
import type { RecurrentShape } from '../provider.ts';

export interface CellCall {
  shape: RecurrentShape;
  x: Tensor;
  weightIh: Tensor;
  weightHh: Tensor;
  biasIh: Tensor | null;
  biasHh: Tensor | null;
  /** (B, H) */
  h0: Tensor;
  c0: Tensor | null;
}

/** What a forward pass leaves to its backward pass. */
export interface Trace {
  h: Tensor;
  /** LSTM only */
  c: Tensor | null;
  /** activations in the order of GATES */
  gates: Tensor[];
  /** what the cell keeps besides */
  kept: Tensor[];
}

export interface CellGradients {
  /** ∂L/∂h_t, through y and through all later steps */
  total: Tensor;
  /** null: not computed */
  x: Tensor | null;
  weightIh: Tensor;
  weightHh: Tensor;
  biasIh: Tensor;
  biasHh: Tensor;
  h0: Tensor;
  c0: Tensor | null;
}

export interface Wanted {
  inputGradient: boolean;
  /** without it `total` may be anything */
  report: boolean;
  /** (T, B, H) ∂L/∂c_t from outside, of a cell state's last value at its step; null: zero */
  dc: Tensor | null;
}

export interface TensorflowCell {
  forward(call: CellCall): Trace;
  /** `dy` (T, B, H), zero beyond the lengths */
  backward(call: CellCall, trace: Trace, dy: Tensor, wanted: Wanted): CellGradients;
}

/** (T, B, W) → (T·B, W) */
export function rows(x: Tensor): Tensor {
  const [T, B, width] = x.shape as [number, number, number];
  return reshape(x, [T * B, width]);
}

/** x Wᵀ + b at every step: (T, B, G·H) */
export function project({ x, weightIh, shape }: CellCall, bias: Tensor | null): Tensor {
  const product = matMul(rows(x), weightIh, false, true);
  const sums = bias ? add(product, bias) : product;
  return reshape(sums, [shape.seqLen, shape.batch, weightIh.shape[0]!]);
}

export function sumOfBiases({ biasIh, biasHh }: CellCall): Tensor | null {
  return biasIh && biasHh ? add(biasIh, biasHh) : (biasIh ?? biasHh);
}

/** (T, B, H): the state that each step starts from */
export function previous(initial: Tensor, states: Tensor): Tensor {
  const [T, B, H] = states.shape as [number, number, number];
  return concat([reshape(initial, [1, B, H]), slice(states, [0, 0, 0], [T - 1, B, H])], 0);
}

/**
 * Gradients of what made the sums of the gates, from theirs: dSums with the input, dHidden with the hidden state
 * `read` by the gates. All (T·B, …).
 */
export function parameterGradients(
  call: CellCall,
  dSums: Tensor,
  dHidden: Tensor,
  read: Tensor,
  wanted: Wanted,
) {
  const { x, weightIh } = call;
  return {
    x: wanted.inputGradient ? reshape(matMul(dSums, weightIh), x.shape) : null,
    weightIh: matMul(dSums, rows(x), true, false),
    weightHh: matMul(dHidden, read, true, false),
    biasIh: sum(dSums, 0),
    biasHh: sum(dHidden, 0),
  };
}

export function zeroState({ batch, hiddenSize }: RecurrentShape): Tensor {
  return zeros([batch, hiddenSize]);
}
