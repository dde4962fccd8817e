// Dropout, inverted: in training each number is zero with probability `rate`, else divided by 1 - rate.
// N. Srivastava et al., 2014, https://jmlr.org/papers/v15/srivastava14a.html. Shapes are kept.
import { mul, type Tensor, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import type { Layer } from '../../experiment/schema.ts';
import { dropout as dropoutKernel } from '../engine/kernels/dropout.ts';
import { hasKernel } from '../engine/kernels/kernel.ts';
import { operations } from '../engine/operations.ts';
import { newFloats } from '../engine/pool.ts';
import { glance, whole } from '../engine/storage.ts';
import { type StreamKey, streamKey, streamOf } from '../random.ts';
import { computed } from './by-channel.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';

export function buildDropout(layer: Extract<Layer, { type: 'dropout' }>, place: Place): BuiltLayer {
  return {
    output: place.input,
    forward: (x, pass) => dropout(x as Tensor3D, layer.rate, place.seed, place.name, pass),
  };
}

/** The mask is a function of (seed, name, step), so that a resumed run drops the same units. */
export function dropout<T extends Tensor>(x: T, rate: number, seed: number, name: string, pass: Pass): T {
  const { training, step } = pass.options;
  if (!training || rate === 0) return x;
  const stream = streamKey(seed, `dropout/${name}`, step);
  if (hasKernel('UnrollDropout')) return dropoutKernel(x, rate, stream);
  return mul(x, dropoutMask(x.shape, rate, stream));
}

/** 0 or 1 / (1 - rate): the mask that dropout of this stream multiplies by. */
export function dropoutMask<T extends Tensor>(shape: number[], rate: number, stream: StreamKey): T {
  const mask = newFloats(shape.reduce((product, size) => product * size, 1));
  if (hasKernel('UnrollDropout')) {
    mask.fill(1);
    operations().dropout({ count: mask.length, rate, stream, x: whole(mask), y: whole(mask) });
  } else {
    const random = streamOf(stream);
    const kept = 1 / (1 - rate);
    for (let i = 0; i < mask.length; i++) mask[i] = random.uniform() < rate ? 0 : kept;
  }
  return tensor(mask, shape) as T;
}

/**
 * The same of whole channels: x (T, B, D), where a channel of a sequence is zero at all of its steps. J. Tompson et al.,
 * 2015, https://arxiv.org/abs/1411.4280.
 */
export function channelDropout(x: Tensor3D, rate: number, seed: number, name: string, pass: Pass): Tensor3D {
  const { training, step } = pass.options;
  if (!training || rate === 0) return x;
  const random = streamOf(streamKey(seed, `dropout/${name}`, step));
  const kept = 1 / (1 - rate);
  const [, batch, width] = x.shape;
  const mask = Float32Array.from({ length: batch * width }, () => (random.uniform() < rate ? 0 : kept));
  return timesMask(x, mask);
}

/** x (T, B, D) ⊙ mask (B, D) at every step; the mask has no gradient. */
export function maskedSteps(x: Tensor3D, mask: Tensor): Tensor3D {
  return timesMask(x, Float32Array.from(glance(mask)));
}

function timesMask(x: Tensor3D, mask: Float32Array): Tensor3D {
  const masked = (values: Float32Array) => {
    const y = newFloats(values.length);
    for (let at = 0; at < y.length; at += mask.length)
      for (let i = 0; i < mask.length; i++) y[at + i] = values[at + i]! * mask[i]!;
    return y;
  };
  return computed([x], x.shape, masked, dy => [masked(dy)]) as Tensor3D;
}
