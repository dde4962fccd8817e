// Keys and values of the steps that were read before, by sequence, for reading one step at a time: the state
// "<name>.keys", (B, n·2·E), which grows by a row a step. It is kept only where a pass asks for it.
import { slice, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import { glance } from '../engine/storage.ts';
import type { Pass } from './layer.ts';

export interface CachedKeys {
  /** (n + T, B, width) */
  kv: Tensor3D;
  /** n */
  before: number;
}

/** Steps that are in the cache. */
export function stepsCached(name: string, width: number, batch: number, pass: Pass): number {
  const past = pass.options.caching ? pass.state(name) : null;
  return past ? past.length / (batch * width) : 0;
}

/** Those of before and those of the columns of x (T, B, …) from `column` on, `width` of them. */
export function cachedKeys(
  name: string,
  x: Tensor3D,
  columns: { from: number; width: number },
  pass: Pass,
): CachedKeys {
  const [T, B] = x.shape;
  const { from, width } = columns;
  const past = pass.state(name) ?? new Float32Array(0);
  const before = past.length / (B * width);
  const fresh = glance(slice(x, [0, 0, from], [T, B, width]));
  const steps = before + T;
  const kept = new Float32Array(B * steps * width);
  const kv = new Float32Array(kept.length);
  for (let b = 0; b < B; b++) {
    kept.set(past.subarray(b * before * width, (b + 1) * before * width), b * steps * width);
    for (let t = 0; t < T; t++) {
      const row = fresh.subarray((t * B + b) * width, (t * B + b + 1) * width);
      kept.set(row, (b * steps + before + t) * width);
    }
    for (let t = 0; t < steps; t++)
      kv.set(kept.subarray((b * steps + t) * width, (b * steps + t + 1) * width), (t * B + b) * width);
  }
  pass.keep(name, kept);
  return { kv: tensor(kv, [steps, B, width]), before };
}

/** What a pass has made of a source (S, B, width), once for all steps that follow. */
export function cachedSource(
  name: string,
  batch: number,
  width: number,
  make: () => Tensor3D,
  pass: Pass,
): Tensor3D {
  if (!pass.options.caching) return make();
  const past = pass.state(name);
  const kept = past ?? bySequence(make());
  pass.keep(name, kept);
  const steps = kept.length / (batch * width);
  return tensor(turned(kept, batch, steps, width), [steps, batch, width]);
}

function bySequence(x: Tensor3D): Float32Array {
  const [S, B, width] = x.shape;
  return turned(glance(x), S, B, width);
}

/** (M, N, width) → (N, M, width) */
function turned(x: Float32Array, M: number, N: number, width: number): Float32Array {
  const y = new Float32Array(x.length);
  for (let m = 0; m < M; m++)
    for (let n = 0; n < N; n++)
      y.set(x.subarray((m * N + n) * width, (m * N + n + 1) * width), (n * M + m) * width);
  return y;
}
