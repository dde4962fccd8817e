// Work on rows of channels that tfjs would broadcast element by element, with its gradients. It is done on plain arrays, and
// so on every backend. R rows are all steps of all sequences.
import { customGrad, type Tensor, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import { f, formula } from '../engine/formula.ts';
import { applied } from '../engine/kernels/formula.ts';
import { operations } from '../engine/operations.ts';
import { newFloats } from '../engine/pool.ts';
import { glance, whole } from '../engine/storage.ts';

type Save = (tensors: Tensor[]) => void;

/** `value` and its gradients over what it was computed from; the gradient of a shape is that of its input. */
export function computed(
  inputs: Tensor[],
  shape: number[],
  value: (...inputs: Float32Array[]) => Float32Array,
  gradients: (dy: Float32Array, ...inputs: Float32Array[]) => Float32Array[],
): Tensor {
  const shapes = inputs.map(input => input.shape);
  const run = customGrad((...all) => {
    (all.at(-1) as unknown as Save)(all.slice(0, -1) as Tensor[]);
    return {
      value: tensor(value(...all.slice(0, -1).map(input => glance(input as Tensor))), shape),
      gradFunc: (dy: Tensor, saved: Tensor[]) =>
        gradients(glance(dy), ...saved.map(glance)).map((each, i) => tensor(each, shapes[i]!)),
    };
  });
  return run(...inputs);
}

const ofSoftplus = formula(1, x => [f.softplus(x)]);
const ofProduct = formula(2, (a, b) => [f.mul(a, b)]);

/** log(1 + exp(x)) */
export function softplus<T extends Tensor>(x: T): T {
  return applied<T>(ofSoftplus, [x])[0]!;
}

/** p x */
export function times(p: number): <T extends Tensor>(x: T) => T {
  const multiple = formula(1, x => [f.affine(x, p)]);
  return <T extends Tensor>(x: T) => applied<T>(multiple, [x])[0]!;
}

/** x ⊙ y of one shape, or x (…, D) ⊙ weight (D). */
export function product(x: Tensor3D, y: Tensor): Tensor3D {
  return applied<Tensor3D>(ofProduct, [x, y])[0]!;
}

/** exp(re + i im) of vectors (N): (2·N), real parts before imaginary ones. */
export function complexExp(re: Tensor, im: Tensor): Tensor {
  const N = re.size;
  const values = (re: Float32Array, im: Float32Array) => {
    const y = newFloats(2 * N);
    for (let n = 0; n < N; n++) {
      y[n] = Math.exp(re[n]!) * Math.cos(im[n]!);
      y[N + n] = Math.exp(re[n]!) * Math.sin(im[n]!);
    }
    return y;
  };
  return computed([re, im], [2 * N], values, (dy, re, im) => {
    const y = values(re, im);
    const [dRe, dIm] = [newFloats(N), newFloats(N)];
    for (let n = 0; n < N; n++) {
      dRe[n] = dy[n]! * y[n]! + dy[N + n]! * y[N + n]!;
      dIm[n] = dy[N + n]! * y[n]! - dy[n]! * y[N + n]!;
    }
    return [dRe, dIm];
  });
}

/** x (R, D) as D·N numbers a row in each of P parts: y[p·D·N + d·N + n] = w[p, d, n] x[d], w (P, D, N). */
export function spread(x: Tensor3D, weight: Tensor): Tensor3D {
  const [P, D, N] = weight.shape as [number, number, number];
  const [T, B] = x.shape;
  return computed(
    [x, weight],
    [T, B, P * D * N],
    (x, w) => spreadRows(x, w, D, N),
    (dy, x, w) => [gatheredRows(dy, w, D, N), outerSums(x, dy, w.length, D, N)],
  ) as Tensor3D;
}

/** The other way: s (T, B, P·D·N) → y[d] = Σ_{p, n} w[p, d, n] s[p·D·N + d·N + n], (T, B, D). */
export function gathered(s: Tensor3D, weight: Tensor): Tensor3D {
  const [, D, N] = weight.shape as [number, number, number];
  const [T, B] = s.shape;
  return computed(
    [s, weight],
    [T, B, D],
    (s, w) => gatheredRows(s, w, D, N),
    (dy, s, w) => [spreadRows(dy, w, D, N), outerSums(dy, s, w.length, D, N)],
  ) as Tensor3D;
}

function spreadRows(x: Float32Array, w: Float32Array, D: number, N: number): Float32Array {
  const y = newFloats((x.length / D) * w.length);
  for (let from = 0, to = 0; from < x.length; from += D)
    for (let i = 0; i < w.length; i += N) {
      const value = x[from + ((i / N) % D)]!;
      for (let n = 0; n < N; n++) y[to++] = w[i + n]! * value;
    }
  return y;
}

function gatheredRows(s: Float32Array, w: Float32Array, D: number, N: number): Float32Array {
  const y = newFloats((s.length / w.length) * D).fill(0);
  for (let from = 0, to = 0; from < s.length; to += D)
    for (let i = 0; i < w.length; i += N) {
      let sum = 0;
      for (let n = 0; n < N; n++) sum += w[i + n]! * s[from++]!;
      y[to + ((i / N) % D)]! += sum;
    }
  return y;
}

/** Σ over rows of x[d] s[p, d, n]. */
function outerSums(x: Float32Array, s: Float32Array, size: number, D: number, N: number): Float32Array {
  const sums = newFloats(size).fill(0);
  for (let from = 0, at = 0; from < s.length; at += D)
    for (let i = 0; i < size; i += N) {
      const value = x[at + ((i / N) % D)]!;
      for (let n = 0; n < N; n++) sums[i + n]! += value * s[from++]!;
    }
  return sums;
}

/** The narrower of two strides in each row, from one place to the other. */
function copyPart(
  from: Float32Array,
  fromOffset: number,
  fromStride: number,
  to: Float32Array,
  toOffset: number,
  toStride: number,
): void {
  operations().copyColumns({
    rows: from.length / fromStride,
    width: Math.min(fromStride, toStride),
    from: { data: from, offset: fromOffset },
    fromStride,
    to: { data: to, offset: toOffset },
    toStride,
  });
}

/** x (T, B, N) → (T, B, times·N): every row `times` times side by side. */
export function repeated(x: Tensor3D, times: number): Tensor3D {
  const [T, B, N] = x.shape;
  if (times === 1) return x;
  return computed(
    [x],
    [T, B, times * N],
    x => {
      const y = newFloats(x.length * times);
      for (let i = 0; i < times; i++) copyPart(x, 0, N, y, i * N, times * N);
      return y;
    },
    dy => {
      const [dx, part] = [newFloats(dy.length / times), newFloats(dy.length / times)];
      copyPart(dy, 0, times * N, dx, 0, N);
      for (let i = 1; i < times; i++) {
        copyPart(dy, i * N, times * N, part, 0, N);
        operations().add(dx.length, whole(dx), whole(part), whole(dx));
      }
      return [dx];
    },
  ) as Tensor3D;
}

/**
 * A causal convolution of each channel by itself, with SiLU behind it: s_t = bias + Σ_k w[d, k] x_{t-(K-1)+k}, the last tap at
 * the present. x (T, B, D), weight (D, K), `before` (K-1, B, D): the inputs before the first, of which no gradient is told.
 */
export function convolvedByChannel(
  x: Tensor3D,
  weight: Tensor,
  bias: Tensor,
  before: Float32Array,
): Tensor3D {
  const [seqLen, batch, width] = x.shape;
  const shape = { seqLen, batch, width, kernelSize: weight.shape[1]!, silu: true, before: whole(before) };
  return computed(
    [x, weight, bias],
    x.shape,
    (x, weight, bias) => {
      const y = newFloats(x.length);
      const operands = { x: whole(x), weight: whole(weight), bias: whole(bias), y: whole(y) };
      operations().shortConvolution({ ...shape, ...operands });
      return y;
    },
    (dy, x, weight, bias) => {
      const [dx, dWeight, dBias] = [newFloats(x.length), newFloats(weight.length), newFloats(bias.length)];
      operations().shortConvolutionBackward({
        ...shape,
        x: whole(x),
        weight: whole(weight),
        bias: whole(bias),
        dy: whole(dy),
        dx: whole(dx),
        dWeight: whole(dWeight),
        dBias: whole(dBias),
      });
      return [dx, dWeight, dBias];
    },
  ) as Tensor3D;
}

/** Each run of `width` numbers divided by √(share Σ x² + ε), times `weight` (width), which all share; null: ones. */
export function normalisedRows(
  x: Tensor3D,
  weight: Tensor | null,
  shape: { width: number; share: number; epsilon: number },
): Tensor3D {
  const rows = x.size / shape.width;
  let inverse: Float32Array | null = null;
  return computed(
    weight ? [x, weight] : [x],
    x.shape,
    (x, weight) => {
      const y = newFloats(x.length);
      inverse = new Float32Array(rows);
      const operands = {
        x: whole(x),
        weight: weight ? whole(weight) : null,
        y: whole(y),
        inverse: whole(inverse),
      };
      operations().rowNorm({ ...shape, rows, ...operands });
      return y;
    },
    (dy, x, weight) => {
      const [dx, dWeight] = [newFloats(x.length), weight ? newFloats(shape.width) : null];
      operations().rowNormBackward({
        ...shape,
        rows,
        x: whole(x),
        weight: weight ? whole(weight) : null,
        inverse: whole(inverse!),
        dy: whole(dy),
        dx: whole(dx),
        dWeight: dWeight && whole(dWeight),
      });
      return dWeight ? [dx, dWeight] : [dx];
    },
  ) as Tensor3D;
}

/** x_{t-1}: x (T, B, D), `before` (B, D) stands first; no gradient of it is told. */
export function delayed(x: Tensor3D, before: Float32Array): Tensor3D {
  const row = before.length;
  return computed(
    [x],
    x.shape,
    x => {
      const y = newFloats(x.length);
      y.set(before);
      y.set(x.subarray(0, x.length - row), row);
      return y;
    },
    dy => {
      const dx = newFloats(dy.length);
      dx.set(dy.subarray(row));
      dx.fill(0, dy.length - row);
      return [dx];
    },
  ) as Tensor3D;
}
