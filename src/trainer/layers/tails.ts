// The last inputs of a layer that looks back a fixed number of steps: its state between two parts of a sequence.
import { type Tensor3D, tensor3d } from '@tensorflow/tfjs-core';
import { glance } from '../engine/storage.ts';
import type { Pass } from './layer.ts';

/** (B, tail·I), as states are kept, → (tail, B, I). */
export function timeMajor(kept: Float32Array, tail: number, x: Tensor3D): Tensor3D {
  const [, batch, width] = x.shape;
  const values = new Float32Array(kept.length);
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < tail; t++) {
      const from = (b * tail + t) * width;
      values.set(kept.subarray(from, from + width), (t * batch + b) * width);
    }
  return tensor3d(values, [tail, batch, width]);
}

/** (B, tail·I): the last steps of each sequence, zeros before its first. `whole` ends with the pass's own `steps`. */
export function lastSteps(whole: Tensor3D, tail: number, steps: number, pass: Pass): Float32Array {
  const [all, batch, width] = whole.shape;
  const values = glance(whole);
  const kept = new Float32Array(batch * tail * width);
  for (let b = 0; b < batch; b++) {
    const end = all - steps + (pass.options.lengths?.[b] ?? steps);
    for (let t = Math.max(0, tail - end); t < tail; t++) {
      const from = ((end - tail + t) * batch + b) * width;
      kept.set(values.subarray(from, from + width), (b * tail + t) * width);
    }
  }
  return kept;
}

/** (T, B, 1): 1 inside of a sequence. */
export function insideOf(steps: number, lengths: Int32Array): Tensor3D {
  const inside = Float32Array.from({ length: steps * lengths.length }, (_, i) =>
    Math.floor(i / lengths.length) < lengths[i % lengths.length]! ? 1 : 0,
  );
  return tensor3d(inside, [steps, lengths.length, 1]);
}
