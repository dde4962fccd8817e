// tfjs's Slice where one axis is cut: rows of a part, copied at once. tfjs's own looks every number up by its coordinates, and
// takes the whole out of the pool. What is cut along several axes, or is no float32, stays with tfjs-backend-cpu.
import { getKernel, slice_util } from '@tensorflow/tfjs-core';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import { livesInFloats, slice, whole } from '../storage.ts';
import { type EngineKernel, output, sizeOf } from './kernel.ts';

export const sliceKernel: EngineKernel = {
  name: 'Slice',
  run(params) {
    const x = params.inputs['x']!;
    const { begin, size } = params.attrs as unknown as { begin: number | number[]; size: number | number[] };
    const [from, sizes] = slice_util.parseSliceParams(x, begin, size) as [number[], number[]];
    slice_util.assertParamsValid(x, from, sizes);
    const cut = x.shape.flatMap((whole, axis) => (sizes[axis] === whole ? [] : [axis]));
    const empty = sizeOf(sizes) === 0;
    if (cut.length !== 1 || empty || x.dtype !== 'float32' || !livesInFloats(x))
      return getKernel('Slice', 'cpu').kernelFunc(params);
    const [axis] = cut as [number];
    const inner = sizeOf(x.shape.slice(axis + 1));
    const { data, offset } = slice(x);
    const part = newFloats(sizeOf(sizes));
    operations().copyColumns({
      rows: sizeOf(x.shape.slice(0, axis)),
      width: sizes[axis]! * inner,
      from: { data, offset: offset + from[axis]! * inner },
      fromStride: x.shape[axis]! * inner,
      to: whole(part),
      toStride: sizes[axis]! * inner,
    });
    return output(params.backend, sizes, part);
  },
};
