// UnrollJoin on TensorFlow: (…, A) and (…, C) side by side.
import { concat, slice } from '@tensorflow/tfjs-core';
import type { JoinContext } from '../kernels/join.ts';
import type { TensorflowKernel } from './kernel.ts';

export const joinOnTensorflow: TensorflowKernel = {
  name: 'UnrollJoin',
  saved: [],
  run: ({ left, right }) => concat([left!, right!], left!.shape.length - 1),
  gradient(dy, _saved, context) {
    const { widths } = context as JoinContext;
    const outer = dy.shape.slice(0, -1);
    const cut = (width: number, from: number) => () =>
      slice(dy, [...outer.map(() => 0), from], [...outer, width]);
    return { left: cut(widths[0], 0), right: cut(widths[1], widths[0]) };
  },
};
