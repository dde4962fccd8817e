// Clipping of gradients: each number, each tensor's norm, and the norm of all together, in this order.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Training } from '../../experiment/schema.ts';
import { floats, provider, whole } from '../engine/storage.ts';
import { clipByGlobalNorm, globalNorm } from './optimizers.ts';

type Limits = Pick<Training, 'clipNorm' | 'clipTensorNorm' | 'clipValue'>;

export interface Clipped {
  /** of all gradients before clipping */
  norm: number;
  /** whether any limit was passed */
  clipped: boolean;
}

/** Changes gradients in place, as torch's clip_grad_value_ and clip_grad_norm_ do; nothing where a norm is not finite. */
export function clip(
  gradients: ReadonlyMap<string, Tensor>,
  { clipNorm, clipTensorNorm, clipValue }: Limits,
): Clipped {
  if (clipTensorNorm === null && clipValue === null) {
    const norm = clipNorm === null ? globalNorm(gradients) : clipByGlobalNorm(gradients, clipNorm);
    return { norm, clipped: clipNorm !== null && norm > clipNorm };
  }
  const norm = globalNorm(gradients);
  if (!Number.isFinite(norm)) return { norm, clipped: false };
  let clipped = false;
  // tensors may share an array; it is clipped once
  for (const array of new Set([...gradients.values()].map(floats))) {
    if (clipValue !== null && clampedTo(array, clipValue)) clipped = true;
    if (clipTensorNorm === null) continue;
    const own = Math.sqrt(provider().sumOfSquares(array.length, whole(array)));
    if (own > clipTensorNorm) clipped = true;
    const factor = clipTensorNorm / (own + 1e-6);
    if (factor < 1) provider().scale(array.length, whole(array), factor);
  }
  if (clipNorm !== null && clipByGlobalNorm(gradients, clipNorm) > clipNorm) clipped = true;
  return { norm, clipped };
}

/** @returns whether any number was beyond the limit */
function clampedTo(values: Float32Array, limit: number): boolean {
  let beyond = false;
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(values[i]!) <= limit) continue;
    values[i] = Math.sign(values[i]!) * limit;
    beyond = true;
  }
  return beyond;
}
