// tfjs's Reshape: the same storage under another shape, without looking into it.
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { util } from '@tensorflow/tfjs-core';
import type { EngineKernel } from './kernel.ts';
import { sizeOf } from './kernel.ts';

export const reshapeKernel: EngineKernel = {
  name: 'Reshape',
  run({ inputs, attrs, backend }) {
    const { dataId, shape, dtype } = inputs.x!;
    const size = sizeOf(shape);
    const wanted = util.inferFromImplicitShape((attrs as unknown as { shape: number[] }).shape, size);
    if (sizeOf(wanted) !== size)
      throw new Error(`reshape: [${shape}] has not as many numbers as [${wanted}].`);
    (backend as MathBackendCPU).incRef(dataId);
    return { dataId, shape: wanted, dtype };
  },
};
