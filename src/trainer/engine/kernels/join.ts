// Two sequences side by side: (…, A) and (…, C) → (…, A + C). tfjs's own concat copies element by element.
import { type Tensor, type TensorInfo, tensor } from '@tensorflow/tfjs-core';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import { slice, whole } from '../storage.ts';
import { type EngineKernel, output, runKernel, sizeOf } from './kernel.ts';

export interface JoinContext {
  widths: [number, number];
}

export function join<T extends Tensor>(left: T, right: T): T {
  const outer = (x: Tensor) => String(x.shape.slice(0, -1));
  if (outer(left) !== outer(right))
    throw new Error(`join: [${left.shape}] and [${right.shape}] do not stand side by side.`);
  const context: JoinContext = { widths: [left.shape.at(-1)!, right.shape.at(-1)!] };
  return runKernel<T>('UnrollJoin', { left, right }, context);
}

export const joinKernel: EngineKernel = {
  name: 'UnrollJoin',
  run({ inputs, attrs, backend }) {
    const { widths } = attrs as unknown as JoinContext;
    const [left, right] = [inputs.left!, inputs.right!];
    const outer = left.shape.slice(0, -1);
    const rows = sizeOf(outer);
    const toStride = widths[0] + widths[1];
    const joined = newFloats(rows * toStride);
    const put = (from: TensorInfo, width: number, offset: number) =>
      operations().copyColumns({
        rows,
        width,
        from: slice(from),
        fromStride: width,
        to: { data: joined, offset },
        toStride,
      });
    put(left, widths[0], 0);
    put(right, widths[1], widths[0]);
    return output(backend, [...outer, toStride], joined);
  },
  gradient(dy, _saved, attrs) {
    const { widths } = attrs as unknown as JoinContext;
    const outer = (dy as Tensor).shape.slice(0, -1);
    const rows = sizeOf(outer);
    const cut = (width: number, offset: number) => () => {
      const part = newFloats(rows * width);
      operations().copyColumns({
        rows,
        width,
        from: { data: slice(dy as Tensor).data, offset },
        fromStride: widths[0] + widths[1],
        to: whole(part),
        toStride: width,
      });
      return tensor(part, [...outer, width]);
    };
    return { left: cut(widths[0], 0), right: cut(widths[1], widths[0]) };
  },
};
