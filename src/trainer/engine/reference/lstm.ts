// Long short-term memory: S. Hochreiter, J. Schmidhuber, Neural Computation 9(8), 1997,
// https://doi.org/10.1162/neco.1997.9.8.1735, with the forget gate of F. Gers, J. Schmidhuber, F. Cummins, 2000,
// https://doi.org/10.1162/089976600300015015. No peepholes. Gate order i f g o.
//
//   [i f g o] = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh      i, f, o through σ, g through tanh
//   c_t = f ⊙ c_{t-1} + i ⊙ g
//   h_t = o ⊙ tanh(c_t)
//
//   ∂L/∂c_t = (from t+1) + ∂L/∂h_t ⊙ o ⊙ (1 - tanh²(c_t))     ∂L/∂c_{t-1} = ∂L/∂c_t ⊙ f
//   σ' = σ (1 - σ)      tanh' = 1 - tanh²
import { sigmoid, tanh } from './activations.ts';
import {
  addRecurrentProduct,
  addRecurrentProductBack,
  type BackwardStep,
  type ForwardStep,
  type ReferenceCell,
  sumRecurrentGradients,
} from './cell.ts';

function forward(step: ForwardStep): void {
  const { batch, hiddenSize: H, gates, hPrev, h, cPrev, c } = step;
  addRecurrentProduct('lstm', hPrev, gates, step);
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < H; j++) {
      const at = b * 4 * H + j;
      const unit = b * H + j;
      const i = sigmoid(gates[at]!);
      const f = sigmoid(gates[at + H]!);
      const g = tanh(gates[at + 2 * H]!);
      const o = sigmoid(gates[at + 3 * H]!);
      const cell = f * cPrev[unit]! + i * g;
      c[unit] = cell;
      h[unit] = o * tanh(cell);
      gates[at] = i;
      gates[at + H] = f;
      gates[at + 2 * H] = g;
      gates[at + 3 * H] = o;
    }
  }
}

function backward(step: BackwardStep): void {
  const { batch, hiddenSize: H, gates, cPrev, c, dh, dhPrev, dc, dcPrev } = step;
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < H; j++) {
      const at = b * 4 * H + j;
      const unit = b * H + j;
      const i = gates[at]!;
      const f = gates[at + H]!;
      const g = gates[at + 2 * H]!;
      const o = gates[at + 3 * H]!;
      const tanhC = tanh(c[unit]!);
      const dH = dh[unit]!;
      const dC = dc[unit]! + dH * o * (1 - tanhC * tanhC);
      dc[unit] = dC;
      dcPrev[unit] = dC * f;
      gates[at] = dC * g * i * (1 - i);
      gates[at + H] = dC * cPrev[unit]! * f * (1 - f);
      gates[at + 2 * H] = dC * i * (1 - g * g);
      gates[at + 3 * H] = dH * tanhC * o * (1 - o);
    }
  }
  addRecurrentProductBack('lstm', gates, dhPrev, step);
}

export const lstm: ReferenceCell = {
  keeps: false,
  forward,
  backward,
  recurrentGradients: pass => sumRecurrentGradients('lstm', pass),
};
