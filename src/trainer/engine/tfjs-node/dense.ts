// UnrollDense on TensorFlow: y = x Wᵀ + b over the last axis of x. x (…, I), weight (O, I), bias (O), y (…, O).
import { add, matMul, reshape, sum, type Tensor } from '@tensorflow/tfjs-core';
import type { TensorflowKernel } from './kernel.ts';

/** (…, W) → (N, W) */
function flat(x: Tensor): Tensor {
  const width = x.shape.at(-1)!;
  return reshape(x, [x.size / width, width]);
}

export const denseOnTensorflow: TensorflowKernel = {
  name: 'UnrollDense',
  saved: ['x', 'weight'],
  run({ x, weight, bias }) {
    const product = matMul(flat(x!), weight!, false, true);
    return reshape(bias ? add(product, bias) : product, [...x!.shape.slice(0, -1), weight!.shape[0]!]);
  },
  gradient(dy, [x, weight]) {
    const dOut = flat(dy);
    return {
      x: () => reshape(matMul(dOut, weight!), x!.shape),
      weight: () => matMul(dOut, flat(x!), true, false),
      bias: () => sum(dOut, 0),
    };
  },
};
