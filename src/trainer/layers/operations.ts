// The operations that layers are made of: fused kernels where the backend has them, elsewhere the same in plain tensor
// operations, which are also their documentation and their tests. Legend: T seqLen, B batch, D width, H heads.
import {
  add,
  concat,
  div,
  erf,
  exp,
  matMul,
  mean,
  mul,
  relu,
  reshape,
  sigmoid,
  slice,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tanh,
  tensor3d,
  transpose,
  zeros,
} from '@tensorflow/tfjs-core';
import { activation as activationKernel } from '../engine/kernels/activation.ts';
import { type AttentionOptions, attention as attentionKernel } from '../engine/kernels/attention.ts';
import {
  type ConvolutionOptions,
  causalConvolution as convolutionKernel,
} from '../engine/kernels/convolution.ts';
import { dense as denseKernel } from '../engine/kernels/dense.ts';
import { hasKernel } from '../engine/kernels/kernel.ts';
import { layerNorm as layerNormKernel } from '../engine/kernels/layer-norm.ts';
import type { ActivationKind } from '../engine/provider.ts';

/** x Wᵀ + b at every step: x (T, B, I), weight (O, I), bias (O). */
export function dense(x: Tensor3D, weight: Tensor, bias: Tensor): Tensor3D {
  if (hasKernel('UnrollDense')) return denseKernel(x, weight, bias);
  const [steps, batch, width] = x.shape;
  const rows = matMul(reshape(x, [steps * batch, width]), weight, false, true);
  return reshape(add(rows, bias), [steps, batch, weight.shape[0]!]);
}

/** gelu(x) = x Φ(x) = x (1 + erf(x/√2))/2: D. Hendrycks, K. Gimpel, 2016, https://arxiv.org/abs/1606.08415. */
export function activation(kind: ActivationKind, x: Tensor3D): Tensor3D {
  if (hasKernel('UnrollActivation')) return activationKernel(kind, x);
  const gelu = () => mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));
  return (
    { relu: () => relu(x), tanh: () => tanh(x), sigmoid: () => sigmoid(x), gelu }[kind] as () => Tensor3D
  )();
}

/** (x - mean) / √(variance + ε) ⊙ weight + bias over the last axis. */
export function layerNorm(x: Tensor3D, weight: Tensor, bias: Tensor, epsilon: number): Tensor3D {
  if (hasKernel('UnrollLayerNorm')) return layerNormKernel(x, weight, bias, epsilon);
  const centred = sub(x, mean(x, 2, true));
  const deviation = sqrt(add(mean(square(centred), 2, true), epsilon));
  return add(mul(div(centred, deviation), weight), bias);
}

/** softmax(QKᵀ/√d) V by heads: qkv (T, B, 3·D) → (T, B, D). The composition takes memory of T². */
export function attention(qkv: Tensor3D, options: AttentionOptions): Tensor3D {
  if (hasKernel('UnrollAttention')) return attentionKernel(qkv, options);
  const [T, B, tripled] = qkv.shape;
  const [D, H] = [tripled / 3, options.heads];
  const part = (index: number) => {
    const heads = reshape(slice(qkv, [0, 0, index * D], [T, B, D]), [T, B * H, D / H]);
    return transpose(heads, [1, 0, 2]);
  };
  const [q, k, v] = [part(0), part(1), part(2)];
  const scores = add(mul(matMul(q, k, false, true), 1 / Math.sqrt(D / H)), maskOf(T, B, options));
  // shifted by what bounds the row, as a constant: the softmax does not change, and its gradient neither
  const weights = exp(sub(scores, rowMaxima(scores)));
  const mixed = matMul(div(weights, sum(weights, 2, true)), v);
  const out = reshape(transpose(mixed, [1, 0, 2]), [T, B, D]) as Tensor3D;
  return options.lengths ? mul(out, insideOf(T, options.lengths)) : out;
}

function rowMaxima(scores: Tensor): Tensor3D {
  const [rows, T, columns] = scores.shape as [number, number, number];
  const values = scores.dataSync();
  const maxima = new Float32Array(rows * T).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < values.length; i++) {
    const row = Math.floor(i / columns);
    maxima[row] = Math.max(maxima[row]!, values[i]!);
  }
  return tensor3d(maxima, [rows, T, 1]);
}

/** (B·H, T, T): 0 where a step looks, and so low elsewhere that exp is 0. A step beyond the length sees itself. */
function maskOf(T: number, B: number, { heads, causal, window, lengths }: AttentionOptions): Tensor3D {
  const mask = new Float32Array(B * heads * T * T);
  for (let row = 0; row < B * heads; row++) {
    const length = lengths?.[Math.floor(row / heads)] ?? T;
    for (let t = 0; t < T; t++)
      for (let s = 0; s < T; s++) {
        const hidden = (causal && s > t) || (window > 0 && Math.abs(t - s) >= window) || s >= length;
        if (hidden && s !== t) mask[(row * T + t) * T + s] = -1e9;
      }
  }
  return tensor3d(mask, [B * heads, T, T]);
}

/** (T, B, 1): 1 inside of a sequence. */
function insideOf(T: number, lengths: Int32Array): Tensor3D {
  const inside = Float32Array.from({ length: T * lengths.length }, (_, i) =>
    Math.floor(i / lengths.length) < lengths[i % lengths.length]! ? 1 : 0,
  );
  return tensor3d(inside, [T, lengths.length, 1]);
}

/** y_t = φ(b + Σ_k W_k x_{t - (K-1-k)·dilation}): x (T, B, I), weight (O, I, K), bias (O). */
export function causalConvolution(
  x: Tensor3D,
  weight: Tensor,
  bias: Tensor,
  options: ConvolutionOptions,
): Tensor3D {
  if (hasKernel('UnrollCausalConvolution')) return convolutionKernel(x, weight, bias, options);
  const [T, B, I] = x.shape;
  const [O, , K] = weight.shape as [number, number, number];
  let y: Tensor = bias;
  for (let tap = 0; tap < K; tap++) {
    const shift = Math.min(T, (K - 1 - tap) * options.dilation);
    const earlier = shift < T ? [slice(x, [0, 0, 0], [T - shift, B, I])] : [];
    const shifted = concat([zeros([shift, B, I]), ...earlier] as Tensor3D[], 0);
    const matrix = reshape(slice(weight, [0, 0, tap], [O, I, 1]), [O, I]) as Tensor2D;
    y = add(y, matMul(reshape(shifted, [T * B, I]), matrix, false, true));
  }
  const sums = reshape(y, [T, B, O]) as Tensor3D;
  return options.activation ? activation(options.activation, sums) : sums;
}
