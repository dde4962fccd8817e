// tfjs's own addition, on the provider where both are float32 of one shape: residuals, and on the way back the sum of
// the gradients of what is used twice. The rest stays with tfjs-backend-cpu.
import { getKernel } from '@tensorflow/tfjs-core';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import { slice, whole } from '../storage.ts';
import { type EngineKernel, output, sizeOf } from './kernel.ts';

export const addKernel: EngineKernel = {
  name: 'Add',
  run(params) {
    const { a, b } = params.inputs;
    const alike = a!.dtype === 'float32' && b!.dtype === 'float32' && String(a!.shape) === String(b!.shape);
    if (!alike) return getKernel('Add', 'cpu').kernelFunc(params);
    const count = sizeOf(a!.shape);
    const sum = newFloats(count);
    operations().add(count, slice(a!), slice(b!), whole(sum));
    return output(params.backend, [...a!.shape], sum);
  },
};
