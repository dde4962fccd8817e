// Two sequences side by side: (T, B, A) and (T, B, C) → (T, B, A + C).
import { concat, type Tensor3D } from '@tensorflow/tfjs-core';
import { join } from '../engine/kernels/join.ts';
import { fusedKernels } from '../engine/storage.ts';

export function joined(left: Tensor3D, right: Tensor3D): Tensor3D {
  return fusedKernels() ? join(left, right) : (concat([left, right], 2) as Tensor3D);
}
