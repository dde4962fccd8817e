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
import { attentionMask, seesKey } from '../engine/attention-mask.ts';
import { activation as activationKernel } from '../engine/kernels/activation.ts';
import {
  type AttentionOptions,
  attention as attentionKernel,
  type CrossAttentionOptions,
  crossAttention as crossAttentionKernel,
  widthsOf,
} from '../engine/kernels/attention.ts';
import {
  type ConvolutionOptions,
  convolution as convolutionKernel,
  convolutionShape,
} from '../engine/kernels/convolution.ts';
import { dense as denseKernel } from '../engine/kernels/dense.ts';
import { hasKernel } from '../engine/kernels/kernel.ts';
import { layerNorm as layerNormKernel } from '../engine/kernels/layer-norm.ts';
import type { ActivationKind } from '../engine/provider.ts';

/** x Wᵀ + b at every step: x (T, B, I), weight (O, I), bias (O). */
export function dense(x: Tensor3D, weight: Tensor, bias: Tensor | null): Tensor3D {
  if (hasKernel('UnrollDense')) return denseKernel(x, weight, bias);
  const [steps, batch, width] = x.shape;
  const rows = matMul(reshape(x, [steps * batch, width]), weight, false, true);
  return reshape(bias ? add(rows, bias) : rows, [steps, batch, weight.shape[0]!]);
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

/**
 * softmax(QKᵀ/√d) V by heads: qkv (T, B, 3·D) → (T, B, D), or (T, B, D + 2·E) where heads share keys and values. The
 * composition takes memory of T².
 */
export function attention(qkv: Tensor3D, options: AttentionOptions): Tensor3D {
  if (hasKernel('UnrollAttention')) return attentionKernel(qkv, options);
  const [T, B, width] = qkv.shape;
  const { D, E } = widthsOf(width, options);
  const part = (from: number, size: number) => slice(qkv, [0, 0, from], [T, B, size]) as Tensor3D;
  const both = { ...options, queryLengths: options.lengths };
  return composedAttention(part(0, D), part(D, E), part(D + E, E), both);
}

/** The same of queries (T_q, B, D) to keys and values kv (T_k, B, 2·D). */
export function crossAttention(q: Tensor3D, kv: Tensor3D, options: CrossAttentionOptions): Tensor3D {
  if (hasKernel('UnrollAttention')) return crossAttentionKernel(q, kv, options);
  const [T, B, doubled] = kv.shape;
  const part = (index: number) => slice(kv, [0, 0, (index * doubled) / 2], [T, B, doubled / 2]) as Tensor3D;
  return composedAttention(q, part(0), part(1), options);
}

function composedAttention(
  queries: Tensor3D,
  keys: Tensor3D,
  values: Tensor3D,
  options: CrossAttentionOptions,
): Tensor3D {
  const [T, B, D] = queries.shape;
  const H = options.heads;
  const group = H / (options.kvHeads ?? H);
  const byHeads = (x: Tensor3D) =>
    transpose(reshape(x, [x.shape[0], B * H, D / H]) as Tensor3D, [1, 0, 2]) as Tensor3D;
  const shared = (x: Tensor3D) => {
    const [steps, , E] = x.shape;
    const heads = reshape(x, [steps, (B * E * H) / D, 1, D / H]);
    return byHeads(reshape(copies(heads, group, 2), [steps, B, D]) as Tensor3D);
  };
  let products: Tensor = matMul(byHeads(queries), shared(keys), false, true);
  if (options.relative) {
    const { q, table } = options.relative;
    const rows = reshape(copies(table, B, 1), [keys.shape[0], B, D]) as Tensor3D;
    products = add(products, byPlace(matMul(byHeads(q), byHeads(lastFirst(rows)), false, true) as Tensor3D));
  }
  const { mask, sees } = maskOf(T, keys.shape[0], B, options);
  const scores = add(mul(products, 1 / Math.sqrt(D / H)), mask);
  // shifted by what bounds the row, as a constant: the softmax does not change, and its gradient neither
  const exponentials = exp(sub(scores, rowMaxima(scores)));
  const weights: Tensor3D = mul(div(exponentials, sum(exponentials, 2, true)), sees);
  options.onWeights?.(Float32Array.from(weights.dataSync()));
  const mixed = matMul(weights, shared(values));
  return reshape(transpose(mixed, [1, 0, 2]), [T, B, D]);
}

/** The steps from the last on; `reverse` has no gradient here. */
function lastFirst(x: Tensor3D): Tensor3D {
  const [T, B, D] = x.shape;
  return concat(
    Array.from({ length: T }, (_, t) => slice(x, [T - 1 - t, 0, 0], [1, B, D])),
    0,
  ) as Tensor3D;
}

/** Side by side along an axis; `tile` has no gradient here. */
function copies(x: Tensor, times: number, axis: number): Tensor {
  return concat(
    Array.from({ length: times }, () => x),
    axis,
  );
}

/** (N, T_q, T_k) by distance from the longest on → by key: row t moves by T_q - 1 - t (Dai et al. 2019, appendix B). */
function byPlace(x: Tensor3D): Tensor3D {
  const [N, T, S] = x.shape;
  const rows = reshape(concat([zeros([N, T, 1]), x], 2), [N, S + 1, T]);
  return reshape(slice(rows, [0, 1, 0], [N, S, T]), [N, T, S]);
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

/**
 * (B·H, T_q, T_k): 0 or -m |t - s| where a query looks, and so low elsewhere that exp is 0; and (B·H, T_q, 1): 0 for a query that sees no
 * key, for which the first one stands in.
 */
function maskOf(
  T: number,
  S: number,
  B: number,
  { heads, lengths, queryLengths, starts, slopes, ...options }: CrossAttentionOptions,
): { mask: Tensor3D; sees: Tensor3D } {
  const rule = attentionMask(options);
  const mask = new Float32Array(B * heads * T * S).fill(-1e9);
  const sees = new Float32Array(B * heads * T);
  for (let row = 0; row < B * heads * T; row++) {
    const [b, t] = [Math.floor(row / T / heads), row % T];
    const keys = t < (queryLengths?.[b] ?? T) ? (lengths?.[b] ?? S) : 0;
    const slope = slopes?.[Math.floor(row / T) % heads] ?? 0;
    for (let s = starts?.[b] ?? 0; s < keys; s++)
      if (seesKey(rule, rule.offset + t, s)) {
        mask[row * S + s] = -slope * Math.abs(rule.offset + t - s);
        sees[row] = 1;
      }
    if (sees[row] === 0) mask[row * S] = 0;
  }
  return { mask: tensor3d(mask, [B * heads, T, S]), sees: tensor3d(sees, [B * heads, T, 1]) };
}

/** y_t = φ(b + Σ_j W_{K-1-j} x_{t·stride + ahead - j·dilation}): x (T, B, I), weight (O, I / groups, K), bias (O). */
export function convolution(
  x: Tensor3D,
  weight: Tensor,
  bias: Tensor,
  options: ConvolutionOptions,
): Tensor3D {
  if (hasKernel('UnrollConvolution')) return convolutionKernel(x, weight, bias, options);
  const shape = convolutionShape(x.shape, weight.shape, bias.size, options);
  const { seqLen: T, outputLen, batch: B, dilation, ahead, stride, groups, kernelSize } = shape;
  const [inputs, outputs] = [shape.inputSize / groups, shape.outputSize / groups];
  const sums = (group: number): Tensor => {
    const edge = zeros([1, B, inputs]) as Tensor3D;
    const ofGroup = slice(x, [0, 0, group * inputs], [T, B, inputs]) as Tensor3D;
    const padded = concat([edge, ofGroup, edge], 0);
    let y: Tensor = slice(bias, [group * outputs], [outputs]);
    for (let tap = 0; tap < kernelSize; tap++) {
      const read = Array.from({ length: outputLen }, (_, t) => {
        const s = t * stride + ahead - (kernelSize - 1 - tap) * dilation;
        return slice(padded, [Math.min(Math.max(s + 1, 0), T + 1), 0, 0], [1, B, inputs]);
      });
      const matrix = slice(weight, [group * outputs, 0, tap], [outputs, inputs, 1]);
      const rows = reshape(concat(read, 0), [outputLen * B, inputs]) as Tensor2D;
      y = add(y, matMul(rows, reshape(matrix, [outputs, inputs]) as Tensor2D, false, true));
    }
    return reshape(y, [outputLen, B, outputs]);
  };
  const all = Array.from({ length: groups }, (_, group) => sums(group) as Tensor3D);
  const y = groups > 1 ? concat(all, 2) : all[0]!;
  return options.activation ? activation(options.activation, y) : y;
}
