// The Cayley transform of a skew-symmetric matrix, in float64, so that the result is orthogonal to rounding of float32.
//
//   Q = (I + A)⁻¹ (I - A) = 2 P - I,  P = (I + A)⁻¹      ∂L/∂A = -2 Pᵀ (∂L/∂Q) Pᵀ
import { customGrad, matMul, mul, type Tensor, type Tensor2D, tensor, tensor2d } from '@tensorflow/tfjs-core';
import { glance } from '../storage.ts';

/** `skew` (n (n-1) / 2): the rows of A below its diagonal. @returns (n, n) */
export function cayley(skew: Tensor, n: number): Tensor2D {
  const run = customGrad((...inputs) => {
    const [given] = inputs as Tensor[];
    const inverse = inverseOf(glance(given!), n);
    const q = new Float32Array(n * n);
    for (let i = 0; i < n * n; i++) q[i] = 2 * inverse[i]! - (i % (n + 1) === 0 ? 1 : 0);
    return {
      value: tensor2d(q, [n, n]),
      gradFunc(dy) {
        const p = tensor2d(Float32Array.from(inverse), [n, n]);
        const dA = mul(matMul(matMul(p, dy as Tensor2D, true, false), p, false, true), -2);
        return tensor(belowDiagonal(glance(dA), n), [(n * (n - 1)) / 2]);
      },
    };
  });
  return run(skew) as Tensor2D;
}

/** of L in A = L - Lᵀ */
function belowDiagonal(dA: Float32Array, n: number): Float32Array {
  const made = new Float32Array((n * (n - 1)) / 2);
  let at = 0;
  for (let i = 1; i < n; i++) for (let j = 0; j < i; j++) made[at++] = dA[i * n + j]! - dA[j * n + i]!;
  return made;
}

/** (I + A)⁻¹ by Gauss and Jordan; needs no pivots, since xᵀ (I + A) x = |x|² for every x. */
function inverseOf(skew: Float32Array, n: number): Float64Array {
  const a = new Float64Array(n * n);
  let at = 0;
  for (let i = 0; i < n; i++) {
    a[i * n + i] = 1;
    for (let j = 0; j < i; j++) {
      a[i * n + j] = skew[at]!;
      a[j * n + i] = -skew[at++]!;
    }
  }
  // in place: column k of the inverse takes the place of column k
  for (let k = 0; k < n; k++) {
    const pivot = 1 / a[k * n + k]!;
    a[k * n + k] = 1;
    for (let j = 0; j < n; j++) a[k * n + j] = a[k * n + j]! * pivot;
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = a[i * n + k]!;
      if (factor === 0) continue;
      a[i * n + k] = 0;
      for (let j = 0; j < n; j++) a[i * n + j] = a[i * n + j]! - factor * a[k * n + j]!;
    }
  }
  return a;
}
