// y = φ(x) element by element, and its gradient, each in one pass.
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import type { ActivationKind } from '../provider.ts';
import { floats, slice, whole } from '../storage.ts';
import { type EngineKernel, output, runKernel, sizeOf } from './kernel.ts';

interface ActivationContext {
  kind: ActivationKind;
  x?: Float32Array;
  y?: Float32Array;
}

export function activation<T extends Tensor>(kind: ActivationKind, x: T): T {
  const context: ActivationContext = { kind };
  return runKernel<T>('UnrollActivation', { x }, context);
}

export const activationKernel: EngineKernel = {
  name: 'UnrollActivation',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as ActivationContext;
    const x = inputs.x!;
    const count = sizeOf(x.shape);
    const y = newFloats(count);
    operations().activation({ kind: context.kind, count, x: slice(x), y: whole(y) });
    context.x = floats(x);
    const made = output(backend, [...x.shape], y);
    context.y = floats(made);
    return made;
  },
  gradient(dy, _saved, attrs) {
    const { kind, x, y } = attrs as unknown as Required<ActivationContext>;
    return {
      x() {
        const dx = newFloats(x.length);
        const call = { kind, count: x.length, x: whole(x), y: whole(y) };
        operations().activationBackward({ ...call, dy: slice(dy as Tensor), dx: whole(dx) });
        return tensor(dx, (dy as Tensor).shape);
      },
    };
  },
};
