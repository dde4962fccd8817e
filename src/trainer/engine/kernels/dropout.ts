// y = x ⊙ mask: the mask of dropout is a function of a random stream, and is made anew on the way back.
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { StreamKey } from '../../random.ts';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import type { Slice } from '../provider.ts';
import { slice, whole } from '../storage.ts';
import { type EngineKernel, output, runKernel, sizeOf } from './kernel.ts';

interface DropoutContext {
  rate: number;
  stream: StreamKey;
}

export function dropout<T extends Tensor>(x: T, rate: number, stream: StreamKey): T {
  return runKernel<T>('UnrollDropout', { x }, { rate, stream } satisfies DropoutContext);
}

function masked({ rate, stream }: DropoutContext, x: Slice, count: number): Float32Array {
  const y = newFloats(count);
  operations().dropout({ count, rate, stream, x, y: whole(y) });
  return y;
}

export const dropoutKernel: EngineKernel = {
  name: 'UnrollDropout',
  run({ inputs, attrs, backend }) {
    const { shape } = inputs.x!;
    const y = masked(attrs as unknown as DropoutContext, slice(inputs.x!), sizeOf(shape));
    return output(backend, [...shape], y);
  },
  gradient(dy, _saved, attrs) {
    const { shape, size } = dy as Tensor;
    return {
      x: () => tensor(masked(attrs as unknown as DropoutContext, slice(dy as Tensor), size), shape),
    };
  },
};
