// Muon: K. Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/. Of a matrix W (R, C) with gradient G:
//
//   M ← μ M + (1-μ) G      U = (1-μ) G + μ M (Nesterov) or M
//   X = U / ‖U‖            then `iterations` times: A = X Xᵀ, X ← a X + (b A + c A²) X
//   W ← (1 - η λ) W - η √max(1, R/C) X
//
// (a, b, c) = (3.4445, -4.7750, 2.0315), for which five steps bring every singular value near 1. A tall matrix is
// transposed first, so that A is small. torch.optim.Muon is the same but computes X in bfloat16.
import { matMul, type Tensor2D, tensor2d, tidy } from '@tensorflow/tfjs-core';
import type { Optimizer } from '../../experiment/schema.ts';
import type { Numbers } from './update-rules.ts';

const [A, B, C] = [3.4445, -4.775, 2.0315];
const LEAST_NORM = 1e-7;

/** @returns Σ |p| after the update */
export function muon(
  { momentum, nesterov, iterations, weightDecay }: Extract<Optimizer, { type: 'muon' }>,
  { p, g, learningRate }: Numbers,
  [rows, columns]: readonly [number, number],
  buffer: Float32Array,
): number {
  const update = new Float32Array(p.length);
  for (let i = 0; i < p.length; i++) {
    buffer[i] = momentum * buffer[i]! + (1 - momentum) * g[i]!;
    update[i] = nesterov ? (1 - momentum) * g[i]! + momentum * buffer[i]! : buffer[i]!;
  }
  const x = orthogonal(update, rows, columns, iterations);
  const rate = learningRate * Math.sqrt(Math.max(1, rows / columns));
  let size = 0;
  for (let i = 0; i < p.length; i++) {
    p[i] = p[i]! * (1 - learningRate * weightDecay) - rate * x[i]!;
    size += Math.abs(p[i]!);
  }
  return size;
}

/** (rows, columns): about U Vᵀ of the values' singular value decomposition U S Vᵀ. */
export function orthogonal(
  values: Float32Array,
  rows: number,
  columns: number,
  iterations: number,
): Float32Array {
  let squares = 0;
  for (const value of values) squares += value * value;
  const norm = Math.max(Math.sqrt(squares), LEAST_NORM);
  const tall = rows > columns;
  return tidy(() => {
    const start = tensor2d(
      values.map(value => value / norm),
      [rows, columns],
    );
    let x: Tensor2D = tall ? transposed(start) : start;
    for (let step = 0; step < iterations; step++) {
      const a: Tensor2D = matMul(x, x, false, true);
      const mixed = combined(B, a, C, matMul(a, a));
      x = combined(A, x, 1, matMul(mixed, x) as Tensor2D);
    }
    return Float32Array.from((tall ? transposed(x) : x).dataSync());
  });
}

function combined(a: number, x: Tensor2D, b: number, y: Tensor2D): Tensor2D {
  const other = y.dataSync();
  return tensor2d(
    (x.dataSync() as Float32Array).map((value, i) => a * value + b * other[i]!),
    x.shape,
  );
}

function transposed(x: Tensor2D): Tensor2D {
  const [rows, columns] = x.shape;
  const values = x.dataSync();
  const made = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      made[column * rows + row] = values[row * columns + column]!;
  return tensor2d(made, [columns, rows]);
}
