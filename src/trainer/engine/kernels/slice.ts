// tfjs's Slice and SplitV (which the gradient of concat is) where one axis is cut: rows of a part, copied at once. tfjs's own
// look every number up by its coordinates, and take the whole out of the pool. What is cut along several axes, or is no
// float32, stays with tfjs-backend-cpu.
import { getKernel, slice_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import { livesInFloats, slice, whole } from '../storage.ts';
import { type EngineKernel, output, sizeOf } from './kernel.ts';

type Backend = Parameters<EngineKernel['run']>[0]['backend'];

function isPlain(x: TensorInfo): boolean {
  return x.dtype === 'float32' && sizeOf(x.shape) > 0 && livesInFloats(x);
}

/** Places first … first+count-1 of an axis. */
function part(backend: Backend, x: TensorInfo, axis: number, first: number, count: number): TensorInfo {
  const inner = sizeOf(x.shape.slice(axis + 1));
  const { data, offset } = slice(x);
  const shape = x.shape.with(axis, count);
  const values = newFloats(sizeOf(shape));
  operations().copyColumns({
    rows: sizeOf(x.shape.slice(0, axis)),
    width: count * inner,
    from: { data, offset: offset + first * inner },
    fromStride: x.shape[axis]! * inner,
    to: whole(values),
    toStride: count * inner,
  });
  return output(backend, shape, values);
}

const sliceKernel: EngineKernel = {
  name: 'Slice',
  run(params) {
    const x = params.inputs['x']!;
    const { begin, size } = params.attrs as unknown as { begin: number | number[]; size: number | number[] };
    const [from, sizes] = slice_util.parseSliceParams(x, begin, size) as [number[], number[]];
    slice_util.assertParamsValid(x, from, sizes);
    const cut = x.shape.flatMap((whole, axis) => (sizes[axis] === whole ? [] : [axis]));
    if (cut.length !== 1 || sizeOf(sizes) === 0 || !isPlain(x))
      return getKernel('Slice', 'cpu').kernelFunc(params);
    const [axis] = cut as [number];
    return part(params.backend, x, axis, from[axis]!, sizes[axis]!);
  },
};

const splitKernel: EngineKernel = {
  name: 'SplitV',
  run(params) {
    const x = params.inputs['x']!;
    const { numOrSizeSplits, axis } = params.attrs as unknown as { numOrSizeSplits: number[]; axis: number };
    const [along] = util.parseAxisParam(axis, x.shape) as [number];
    const whole = Array.isArray(numOrSizeSplits) && numOrSizeSplits.every(size => size > 0);
    if (!whole || !isPlain(x)) return getKernel('SplitV', 'cpu').kernelFunc(params);
    let first = 0;
    return numOrSizeSplits.map(size => {
      first += size;
      return part(params.backend, x, along, first - size, size);
    });
  },
};

export const sliceKernels: readonly EngineKernel[] = [sliceKernel, splitKernel];
