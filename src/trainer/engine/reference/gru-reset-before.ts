// Gated recurrent unit, reset before the product: K. Cho et al., 2014, https://arxiv.org/abs/1406.1078, as in
// tfjs and Keras with reset_after=False. Gate order r z n.
//
//   [r z] = σ(W_i x_t + b_i + W_h h_{t-1} + b_h)
//   n = tanh(W_in x_t + b_in + W_hn (r ⊙ h_{t-1}) + b_hn)
//   h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}
//
// `kept` holds r ⊙ h_{t-1}, which the gradient of W_hn needs.
import { sigmoid, tanh } from './activations.ts';
import {
  type BackwardStep,
  type ForwardStep,
  type RecurrentGradients,
  type ReferenceCell,
  weightTransposed,
} from './cell.ts';
import { addRows, columnSums, multiplyAdd, rowMajor, transposed } from './gemm.ts';

function forward(step: ForwardStep): void {
  const { batch, hiddenSize: H, gates, kept, hPrev, h, weightHh, biasHh } = step;
  const sums = rowMajor(gates, 0, 3 * H);
  if (biasHh) addRows(batch, 3 * H, biasHh, sums);
  multiplyAdd(batch, 2 * H, H, rowMajor(hPrev, 0, H), weightTransposed(weightHh, H), sums);
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < H; j++) {
      const at = b * 3 * H + j;
      const r = sigmoid(gates[at]!);
      gates[at] = r;
      gates[at + H] = sigmoid(gates[at + H]!);
      kept[b * H + j] = r * hPrev[b * H + j]!;
    }
  }
  const sumsN = rowMajor(gates, 2 * H, 3 * H);
  multiplyAdd(batch, H, H, rowMajor(kept, 0, H), weightTransposed(weightHh, H, 2 * H), sumsN);
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < H; j++) {
      const at = b * 3 * H + j;
      const z = gates[at + H]!;
      const n = tanh(gates[at + 2 * H]!);
      gates[at + 2 * H] = n;
      h[b * H + j] = (1 - z) * n + z * hPrev[b * H + j]!;
    }
  }
}

function backward(step: BackwardStep): void {
  const { batch, hiddenSize: H, gates, hPrev, dh, dhPrev, weightHh } = step;
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < H; j++) {
      const at = b * 3 * H + j;
      const z = gates[at + H]!;
      const n = gates[at + 2 * H]!;
      const dH = dh[b * H + j]!;
      gates[at + H] = dH * (hPrev[b * H + j]! - n) * z * (1 - z);
      gates[at + 2 * H] = dH * (1 - z) * (1 - n * n);
      dh[b * H + j] = dH * z;
    }
  }
  // dh now holds what goes straight to h_{t-1}; dhPrev holds ∂L/∂(r ⊙ h_{t-1}), until it is shared out
  const out = rowMajor(dhPrev, 0, H);
  const weight = rowMajor(weightHh.data, weightHh.offset, H);
  const weightN = rowMajor(weightHh.data, weightHh.offset + 2 * H * H, H);
  multiplyAdd(batch, H, H, rowMajor(gates, 2 * H, 3 * H), weightN, out);
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < H; j++) {
      const at = b * 3 * H + j;
      const unit = b * H + j;
      const r = gates[at]!;
      const dReset = dhPrev[unit]!;
      gates[at] = dReset * hPrev[unit]! * r * (1 - r);
      dhPrev[unit] = dReset * r + dh[unit]!;
    }
  }
  multiplyAdd(batch, H, 2 * H, rowMajor(gates, 0, 3 * H), weight, out);
}

function recurrentGradients(pass: RecurrentGradients): void {
  const { rows, hiddenSize: H, dGates, hPrev, kept, dWeightHh, dBiasHh } = pass;
  const { data, offset } = dWeightHh;
  const dSums = transposed(rowMajor(dGates, 0, 3 * H));
  const dSumsN = transposed(rowMajor(dGates, 2 * H, 3 * H));
  multiplyAdd(2 * H, H, rows, dSums, rowMajor(hPrev, 0, H), rowMajor(data, offset, H));
  multiplyAdd(H, H, rows, dSumsN, rowMajor(kept, 0, H), rowMajor(data, offset + 2 * H * H, H));
  if (dBiasHh) columnSums(rows, 3 * H, { data: dGates, offset: 0 }, dBiasHh);
}

export const gruResetBefore: ReferenceCell = { keeps: true, forward, backward, recurrentGradients };
