// Element-wise work that tfjs would broadcast element by element: loops over rows of channels, with their gradients.
// They read and write plain arrays, and so run on every backend. R rows are all steps of all sequences.
import { customGrad, type Tensor, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import { newFloats } from '../engine/pool.ts';
import { glance } from '../engine/storage.ts';

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

/** f of each number; `slope` is its derivative, of the number and of f of it. */
function mapped<T extends Tensor>(
  x: T,
  f: (x: number) => number,
  slope: (x: number, y: number) => number,
): T {
  return computed(
    [x],
    x.shape,
    x => {
      const y = newFloats(x.length);
      for (let i = 0; i < x.length; i++) y[i] = f(x[i]!);
      return y;
    },
    (dy, x) => {
      const dx = newFloats(x.length);
      for (let i = 0; i < x.length; i++) dx[i] = dy[i]! * slope(x[i]!, f(x[i]!));
      return [dx];
    },
  ) as T;
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x));

/** log(1 + exp(x)) */
export function softplus<T extends Tensor>(x: T): T {
  return mapped(x, x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), logistic);
}

/** 1 + elu(x), which is positive. */
export function positiveElu<T extends Tensor>(x: T): T {
  return mapped(
    x,
    x => (x > 0 ? 1 + x : Math.exp(x)),
    (x, y) => (x > 0 ? 1 : y),
  );
}

/** x + 0.5 for x ≥ 0, else σ(x). */
export function positiveCandidate<T extends Tensor>(x: T): T {
  return mapped(
    x,
    x => (x >= 0 ? x + 0.5 : logistic(x)),
    (x, y) => (x >= 0 ? 1 : y * (1 - y)),
  );
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

/** x (…, D) ⊙ weight (D). */
export function scaled(x: Tensor3D, weight: Tensor): Tensor3D {
  const D = weight.size;
  return computed(
    [x, weight],
    x.shape,
    (x, w) => {
      const y = newFloats(x.length);
      for (let at = 0; at < x.length; at += D) for (let d = 0; d < D; d++) y[at + d] = x[at + d]! * w[d]!;
      return y;
    },
    (dy, x, w) => {
      const [dx, dw] = [newFloats(x.length), newFloats(D).fill(0)];
      for (let at = 0; at < x.length; at += D)
        for (let d = 0; d < D; d++) {
          dx[at + d] = dy[at + d]! * w[d]!;
          dw[d]! += dy[at + d]! * x[at + d]!;
        }
      return [dx, dw];
    },
  ) as Tensor3D;
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

/** x (T, B, N) → (T, B, times·N): every row `times` times side by side. */
export function repeated(x: Tensor3D, times: number): Tensor3D {
  const [T, B, N] = x.shape;
  if (times === 1) return x;
  return computed(
    [x],
    [T, B, times * N],
    x => {
      const y = newFloats(x.length * times);
      for (let row = 0; row < T * B; row++)
        for (let i = 0; i < times; i++) y.set(x.subarray(row * N, (row + 1) * N), (row * times + i) * N);
      return y;
    },
    dy => {
      const dx = newFloats(dy.length / times).fill(0);
      for (let row = 0, from = 0; row < T * B; row++)
        for (let i = 0; i < times; i++) for (let n = 0; n < N; n++) dx[row * N + n]! += dy[from++]!;
      return [dx];
    },
  ) as Tensor3D;
}

/**
 * A causal convolution of each channel by itself: y_t = bias + Σ_k w[d, k] x_{t-(K-1)+k}, the last tap at the present.
 * x (T, B, D), weight (D, K), `before` (K-1, B, D): the inputs before the first, of which no gradient is told.
 */
export function depthwise(x: Tensor3D, weight: Tensor, bias: Tensor, before: Float32Array): Tensor3D {
  const [T, B, D] = x.shape;
  const K = weight.shape[1]!;
  const row = B * D;
  return computed(
    [x, weight, bias],
    [T, B, D],
    (x, w, b) => {
      const y = newFloats(x.length);
      for (let t = 0; t < T; t++)
        for (let i = 0; i < B; i++)
          for (let d = 0; d < D; d++) {
            let sum = b[d]!;
            const at = i * D + d;
            for (let k = 0; k < K; k++) {
              const s = t + k - K + 1;
              sum += w[d * K + k]! * (s < 0 ? before[(s + K - 1) * row + at]! : x[s * row + at]!);
            }
            y[t * row + at] = sum;
          }
      return y;
    },
    (dy, x, w) => {
      const [dx, dw, db] = [newFloats(x.length).fill(0), newFloats(D * K).fill(0), newFloats(D).fill(0)];
      for (let t = 0; t < T; t++)
        for (let i = 0; i < B; i++)
          for (let d = 0; d < D; d++) {
            const at = i * D + d;
            const given = dy[t * row + at]!;
            db[d]! += given;
            for (let k = 0; k < K; k++) {
              const s = t + k - K + 1;
              if (s < 0) dw[d * K + k]! += given * before[(s + K - 1) * row + at]!;
              else {
                dw[d * K + k]! += given * x[s * row + at]!;
                dx[s * row + at]! += given * w[d * K + k]!;
              }
            }
          }
      return [dx, dw, db];
    },
  ) as Tensor3D;
}

/** Each run of `size` numbers divided by √(Σ x² + ε), or by √(mean x² + ε). */
export function normalisedRows(x: Tensor3D, size: number, epsilon: number, ofMean: boolean): Tensor3D {
  const share = ofMean ? 1 / size : 1;
  const inverse = (x: Float32Array, from: number) => {
    let squares = 0;
    for (let i = from; i < from + size; i++) squares += x[i]! * x[i]!;
    return 1 / Math.sqrt(share * squares + epsilon);
  };
  return computed(
    [x],
    x.shape,
    x => {
      const y = newFloats(x.length);
      for (let from = 0; from < x.length; from += size) {
        const by = inverse(x, from);
        for (let i = from; i < from + size; i++) y[i] = x[i]! * by;
      }
      return y;
    },
    (dy, x) => {
      const dx = newFloats(x.length);
      for (let from = 0; from < x.length; from += size) {
        const by = inverse(x, from);
        let along = 0;
        for (let i = from; i < from + size; i++) along += dy[i]! * x[i]!;
        const back = share * along * by * by * by;
        for (let i = from; i < from + size; i++) dx[i] = dy[i]! * by - x[i]! * back;
      }
      return [dx];
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
