// What tells the steps of attention apart: sinusoids (A. Vaswani et al., 2017, section 3.5), rotations of queries and
// keys (J. Su et al., 2021, https://arxiv.org/abs/2104.09864), slopes (O. Press et al., 2021,
// https://arxiv.org/abs/2108.12409).
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { newFloats } from '../engine/pool.ts';
import { computed } from './by-channel.ts';

const BASE = 10_000;

/** (T, D): sin in the even columns, cos in the odd ones, of the steps from `first` on. */
export function sinusoids(seqLen: number, width: number, first = 0): Float32Array {
  return Float32Array.from({ length: seqLen * width }, (_, i) => {
    const [t, j] = [first + Math.floor(i / width), i % width];
    const angle = t / BASE ** ((j - (j % 2)) / width);
    return j % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
}

/** m of each head: 2^(-8 i / H) for i = 1 … H; where H is no power of 2, every second one of the next power follows. */
export function alibiSlopes(heads: number): Float32Array {
  const power = 2 ** Math.floor(Math.log2(heads));
  const of = (count: number, i: number) => 2 ** ((-8 * i) / count);
  return Float32Array.from({ length: heads }, (_, head) =>
    head < power ? of(power, head + 1) : of(2 * power, 2 * (head - power) + 1),
  );
}

interface Rotation {
  /** heads that turn, from the first number of a row on; what stands behind them stays */
  heads: number;
  headSize: number;
  /** place of the first step */
  first: number;
}

/**
 * x (T, B, …): numbers j and j + d/2 of a head turned as a pair by the angle t / 10000^(2j/d), so that products of two
 * steps depend on how far they are apart.
 */
export function rotated(x: Tensor3D, rotation: Rotation): Tensor3D {
  const turns = turnsOf(x.shape, rotation);
  return computed(
    [x],
    x.shape,
    x => turned(x, turns, 1),
    dy => [turned(dy, turns, -1)],
  ) as Tensor3D;
}

interface Turns extends Rotation {
  shape: [steps: number, batch: number, width: number];
  /** (T, d/2) */
  cos: Float32Array;
  sin: Float32Array;
}

function turnsOf(shape: Turns['shape'], rotation: Rotation): Turns {
  const half = rotation.headSize / 2;
  const angle = (i: number) => (rotation.first + Math.floor(i / half)) / BASE ** ((i % half) / half);
  const table = (f: (angle: number) => number) =>
    Float32Array.from({ length: shape[0] * half }, (_, i) => f(angle(i)));
  return { ...rotation, shape, cos: table(Math.cos), sin: table(Math.sin) };
}

/** `direction` -1: backwards, which is the gradient, since a rotation is orthogonal. */
function turned(x: Float32Array, turns: Turns, direction: number): Float32Array {
  const { shape, heads, headSize, cos, sin } = turns;
  const [steps, batch, width] = shape;
  const half = headSize / 2;
  const y = newFloats(x.length);
  y.set(x);
  for (let t = 0; t < steps; t++)
    for (let b = 0; b < batch; b++)
      for (let head = 0; head < heads; head++) {
        let i = (t * batch + b) * width + head * headSize;
        for (let k = t * half; k < (t + 1) * half; k++, i++) {
          const [c, s] = [cos[k]!, direction * sin[k]!];
          const [left, right] = [x[i]!, x[i + half]!];
          y[i] = left * c - right * s;
          y[i + half] = left * s + right * c;
        }
      }
  return y;
}
