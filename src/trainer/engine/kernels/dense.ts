// y = x Wᵀ + b over the last axis of x. Shapes: x (…, I), weight (O, I), bias (O), y (…, O).
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import { newFloats } from '../pool.ts';
import { floats, optionalSlice, provider, slice, whole } from '../storage.ts';
import { type EngineKernel, output, runKernel } from './kernel.ts';

interface DenseContext {
  rows: number;
  inputs: number;
  outputs: number;
  x?: Float32Array;
  weight?: Float32Array;
}

export function dense<T extends Tensor>(x: T, weight: Tensor, bias: Tensor | null): T {
  const inputs = x.shape[x.shape.length - 1]!;
  const [outputs, expected] = weight.shape as [number, number];
  if (inputs !== expected || (bias && bias.size !== outputs))
    throw new Error(
      `dense: input [${x.shape}], weight [${weight.shape}] and bias [${bias?.shape}] do not fit.`,
    );
  const context: DenseContext = { rows: x.size / inputs, inputs, outputs };
  return runKernel<T>('UnrollDense', bias ? { x, weight, bias } : { x, weight }, context);
}

export const denseKernel: EngineKernel = {
  name: 'UnrollDense',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as DenseContext;
    const { x, weight, bias } = inputs;
    const y = newFloats(context.rows * context.outputs);
    provider().gemm({
      m: context.rows,
      n: context.outputs,
      k: context.inputs,
      a: slice(x!),
      transA: false,
      b: slice(weight!),
      transB: true,
      bias: optionalSlice(bias),
      c: whole(y),
      accumulate: false,
    });
    context.x = floats(x!);
    context.weight = floats(weight!);
    return output(backend, [...x!.shape.slice(0, -1), context.outputs], y);
  },
  gradient(dy, _saved, attrs) {
    const { rows, inputs, outputs, x, weight } = attrs as unknown as Required<DenseContext>;
    const dOut = slice(dy as Tensor);
    const xShape = [...(dy as Tensor).shape.slice(0, -1), inputs];
    const product = (m: number, n: number, k: number, a: typeof dOut, transA: boolean, b: Float32Array) => {
      const c = newFloats(m * n);
      provider().gemm({
        m,
        n,
        k,
        a,
        transA,
        b: whole(b),
        transB: false,
        bias: null,
        c: whole(c),
        accumulate: false,
      });
      return c;
    };
    return {
      x: () => tensor(product(rows, inputs, outputs, dOut, false, weight), xShape),
      weight: () => tensor(product(outputs, inputs, rows, dOut, true, x), [outputs, inputs]),
      bias() {
        const sums = newFloats(outputs);
        provider().columnSums(rows, outputs, dOut, whole(sums));
        return tensor(sums, [outputs]);
      },
    };
  },
};
