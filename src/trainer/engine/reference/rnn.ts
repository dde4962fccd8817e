// Simple recurrent network: J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990,
// https://doi.org/10.1207/s15516709cog1402_1, with tanh, relu, sigmoid, leaky relu (slope 0.01
// below 0) or none.
//
//   h_t = φ(a_t)             a_t = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
//
//   ∂L/∂a_t = ∂L/∂h_t ⊙ φ'(a_t)      tanh' = 1 - h²      relu' = [h > 0]      σ' = h - h²
//   ∂L/∂h_{t-1} = W_hhᵀ ∂L/∂a_t
import { sigmoid, tanh } from './activations.ts';
import {
  addRecurrentProduct,
  addRecurrentProductBack,
  type BackwardStep,
  type ForwardStep,
  type ReferenceCell,
  sumRecurrentGradients,
} from './cell.ts';

function forward(step: ForwardStep, phi: (a: number) => number): void {
  const { gates: a, h, hPrev } = step;
  addRecurrentProduct('rnn-tanh', hPrev, a, step);
  for (let i = 0; i < h.length; i++) h[i] = a[i] = phi(a[i]!);
}

function backward(step: BackwardStep, slope: (h: number) => number): void {
  const { gates: da, h, dh, dhPrev } = step;
  for (let i = 0; i < h.length; i++) da[i] = dh[i]! * slope(h[i]!);
  addRecurrentProductBack('rnn-tanh', da, dhPrev, step);
}

function cellOf(phi: (a: number) => number, slope: (h: number) => number): ReferenceCell {
  return {
    keeps: false,
    forward: step => forward(step, phi),
    backward: step => backward(step, slope),
    recurrentGradients: pass => sumRecurrentGradients('rnn-tanh', pass),
  };
}

export const rnnTanh = cellOf(tanh, h => 1 - h * h);

export const rnnSigmoid = cellOf(sigmoid, h => h - h * h);

export const rnnLinear = cellOf(
  a => a,
  () => 1,
);

// those with a kink are written so that NaN stays NaN
export const rnnRelu = cellOf(
  a => (a < 0 ? 0 : a),
  h => (h > 0 ? 1 : h === 0 ? 0 : h),
);

export const rnnLeakyRelu = cellOf(
  a => (a > 0 ? a : 0.01 * a),
  h => (h > 0 ? 1 : h <= 0 ? 0.01 : h),
);
