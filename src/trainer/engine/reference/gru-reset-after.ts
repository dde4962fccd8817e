// Gated recurrent unit, reset after the product: the variant of cuDNN, PyTorch and Keras's default, after
// K. Cho et al., 2014, https://arxiv.org/abs/1406.1078v1. Gate order r z n.
//
//   [r z] = σ(W_i x_t + b_i + W_h h_{t-1} + b_h)
//   q = W_hn h_{t-1} + b_hn
//   n = tanh(W_in x_t + b_in + r ⊙ q)
//   h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}
//
// `kept` holds q on the way forward; on the way back it takes ∂L/∂q = ∂L/∂(sum of n) ⊙ r, since the recurrent
// side of n differs from its input side.
import { sigmoid, tanh } from './activations.ts';
import {
  type BackwardStep,
  type ForwardStep,
  type RecurrentGradients,
  type ReferenceCell,
  weightTransposed,
} from './cell.ts';
import { addRows, columnSums, fillRows, multiplyAdd, rowMajor, transposed } from './gemm.ts';

function forward(step: ForwardStep): void {
  const { batch, hiddenSize: H, gates, kept: q, hPrev, h, weightHh, biasHh } = step;
  const state = rowMajor(hPrev, 0, H);
  const biasN = biasHh && { data: biasHh.data, offset: biasHh.offset + 2 * H };
  if (biasHh) addRows(batch, 2 * H, biasHh, rowMajor(gates, 0, 3 * H));
  multiplyAdd(batch, 2 * H, H, state, weightTransposed(weightHh, H), rowMajor(gates, 0, 3 * H));
  fillRows(batch, H, biasN, rowMajor(q, 0, H));
  multiplyAdd(batch, H, H, state, weightTransposed(weightHh, H, 2 * H), rowMajor(q, 0, H));
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < H; j++) {
      const at = b * 3 * H + j;
      const unit = b * H + j;
      const r = sigmoid(gates[at]!);
      const z = sigmoid(gates[at + H]!);
      const n = tanh(gates[at + 2 * H]! + r * q[unit]!);
      h[unit] = (1 - z) * n + z * hPrev[unit]!;
      gates[at] = r;
      gates[at + H] = z;
      gates[at + 2 * H] = n;
    }
  }
}

function backward(step: BackwardStep): void {
  const { batch, hiddenSize: H, gates, kept, hPrev, dh, dhPrev, weightHh } = step;
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < H; j++) {
      const at = b * 3 * H + j;
      const unit = b * H + j;
      const r = gates[at]!;
      const z = gates[at + H]!;
      const n = gates[at + 2 * H]!;
      const dH = dh[unit]!;
      const dSumN = dH * (1 - z) * (1 - n * n);
      gates[at] = dSumN * kept[unit]! * r * (1 - r);
      gates[at + H] = dH * (hPrev[unit]! - n) * z * (1 - z);
      gates[at + 2 * H] = dSumN;
      kept[unit] = dSumN * r;
      dhPrev[unit] = dH * z;
    }
  }
  const out = rowMajor(dhPrev, 0, H);
  const weight = rowMajor(weightHh.data, weightHh.offset, H);
  const weightN = rowMajor(weightHh.data, weightHh.offset + 2 * H * H, H);
  multiplyAdd(batch, H, 2 * H, rowMajor(gates, 0, 3 * H), weight, out);
  multiplyAdd(batch, H, H, rowMajor(kept, 0, H), weightN, out);
}

function recurrentGradients(pass: RecurrentGradients): void {
  const { rows, hiddenSize: H, dGates, hPrev, kept: dq, dWeightHh, dBiasHh } = pass;
  const states = rowMajor(hPrev, 0, H);
  const { data, offset } = dWeightHh;
  multiplyAdd(2 * H, H, rows, transposed(rowMajor(dGates, 0, 3 * H)), states, rowMajor(data, offset, H));
  multiplyAdd(H, H, rows, transposed(rowMajor(dq, 0, H)), states, rowMajor(data, offset + 2 * H * H, H));
  if (!dBiasHh) return;
  // the sums of r and z are those of the input side; that of n is replaced
  columnSums(rows, 3 * H, { data: dGates, offset: 0 }, dBiasHh);
  columnSums(rows, H, { data: dq, offset: 0 }, { data: dBiasHh.data, offset: dBiasHh.offset + 2 * H });
}

export const gruResetAfter: ReferenceCell = { keeps: true, forward, backward, recurrentGradients };
