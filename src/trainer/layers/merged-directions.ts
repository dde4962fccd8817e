// Both directions of a bidirectional layer as one: (…, 2·H), forward half first, to the sum, mean or product of its halves.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { newFloats } from '../engine/pool.ts';
import { computed } from './by-channel.ts';

export type Merge = 'sum' | 'mean' | 'product';

export function merged(x: Tensor3D, how: Merge): Tensor3D {
  const [T, B, width] = x.shape;
  const H = width / 2;
  const factor = how === 'mean' ? 0.5 : 1;
  return computed(
    [x],
    [T, B, H],
    x => {
      const y = newFloats(T * B * H);
      for (let row = 0; row < T * B; row++)
        for (let h = 0; h < H; h++) {
          const [a, b] = [x[row * width + h]!, x[row * width + H + h]!];
          y[row * H + h] = how === 'product' ? a * b : factor * (a + b);
        }
      return y;
    },
    (dy, x) => {
      const dx = newFloats(x.length);
      for (let row = 0; row < T * B; row++)
        for (let h = 0; h < H; h++) {
          const at = row * width + h;
          const d = dy[row * H + h]!;
          dx[at] = how === 'product' ? d * x[at + H]! : factor * d;
          dx[at + H] = how === 'product' ? d * x[at]! : factor * d;
        }
      return [dx];
    },
  ) as Tensor3D;
}
