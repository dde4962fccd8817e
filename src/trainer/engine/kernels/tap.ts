// The identity, whose gradient is looked at on its way back. Any tensor (T, B, D) of a model can be tapped, so that a
// layer needs no gradient code of its own to show how much of the loss's gradient arrives at its output.
import { clone, customGrad, type Tensor } from '@tensorflow/tfjs-core';
import { glance } from '../storage.ts';

/**
 * x as it is. In the backward pass `report` gets (T): the mean over the batch of ‖∂L/∂x_t‖₂, x_t being the D numbers of
 * a step. With `lengths` (B) the steps of each sequence stand at the right end, and a mean is over the sequences that
 * have the step. It is not called when no gradient comes back to x, or when x depends on no variable.
 */
export function tap<X extends Tensor>(
  x: X,
  report: (norms: Float32Array) => void,
  lengths: Int32Array | null = null,
): X {
  const [steps, batch] = x.shape as [number, number];
  const tapped = customGrad((...inputs) => ({
    value: clone(inputs[0] as Tensor),
    gradFunc(dy: Tensor) {
      report(stepNorms(glance(dy), steps, batch, lengths));
      return [clone(dy)];
    },
  }));
  return tapped(x) as X;
}

/** rows (T, B, D) → (T), as `tap` reports it. */
export function stepNorms(
  rows: Float32Array,
  steps: number,
  batch: number,
  lengths: Int32Array | null,
): Float32Array {
  const norms = new Float32Array(steps);
  const width = rows.length / (steps * batch);
  const sums = new Float64Array(steps);
  for (let t = 0, at = 0; t < steps; t++)
    for (let b = 0; b < batch; b++, at += width) {
      const length = lengths ? lengths[b]! : steps;
      if (t < length) sums[t + steps - length]! += Math.sqrt(sumOfSquares(rows, at, at + width));
    }
  for (let column = 0; column < steps; column++) {
    const count = lengths ? lengths.reduce((n, length) => n + Number(length + column >= steps), 0) : batch;
    norms[column] = count === 0 ? 0 : sums[column]! / count;
  }
  return norms;
}

/** In four sums, which do not wait for each other. */
function sumOfSquares(values: Float32Array, from: number, to: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = from;
  for (; i + 4 <= to; i += 4) {
    a += values[i]! * values[i]!;
    b += values[i + 1]! * values[i + 1]!;
    c += values[i + 2]! * values[i + 2]!;
    d += values[i + 3]! * values[i + 3]!;
  }
  for (; i < to; i++) a += values[i]! * values[i]!;
  return a + b + c + d;
}
