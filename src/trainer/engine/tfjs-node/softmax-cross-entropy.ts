// UnrollSoftmaxCrossEntropy on TensorFlow, by its operation that gives each row's loss and gradient: logits (N, C).
import {
  engine,
  mul,
  oneHot,
  sum,
  type Tensor,
  tensor1d,
  tensor2d,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { CrossEntropyContext } from '../kernels/softmax-cross-entropy.ts';
import type { TensorflowKernel } from './kernel.ts';
import type { NodeBackend } from './node-backend.ts';

export const softmaxCrossEntropyOnTensorflow: TensorflowKernel = {
  name: 'UnrollSoftmaxCrossEntropy',
  saved: ['logits'],
  run({ logits }, context) {
    const { losses, shares } = rowsOf(logits!, context as CrossEntropyContext);
    return sum(mul(losses, tensor1d(shares)));
  },
  gradient(dy, [logits], context) {
    return {
      logits() {
        const { gradients, shares } = rowsOf(logits!, context as CrossEntropyContext);
        return mul(mul(gradients, tensor2d(shares, [shares.length, 1])), dy);
      },
    };
  },
};

/** Losses (N) and their gradients (N, C), and each row's share of the mean. Rows without one are not looked at. */
function rowsOf(logits: Tensor, { targets, weights, labelSmoothing }: CrossEntropyContext) {
  const [rows, classes] = logits.shape as [number, number];
  const shares = sharesOf(rows, weights);
  const known = weights ? targets.map((target, row) => (weights[row] === 0 ? 0 : target)) : targets;
  const rest = labelSmoothing / classes;
  const labels = oneHot(tensor1d(known, 'int32'), classes, 1 - labelSmoothing + rest, rest, 'float32');
  const seen = weights ? where(maskOf(weights), logits, zerosLike(logits)) : logits;
  const backend = engine().backend as NodeBackend;
  const { TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
  const attributes = [{ name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT }];
  const [losses, gradients] = backend.executeMultipleOutputs(
    'SoftmaxCrossEntropyWithLogits',
    attributes,
    [seen, labels],
    2,
  ) as [Tensor, Tensor];
  return { losses, gradients, shares };
}

function sharesOf(rows: number, weights: Float32Array | null): Float32Array {
  if (!weights) return new Float32Array(rows).fill(1 / rows);
  const total = weights.reduce((partial, weight) => partial + weight, 0);
  return total === 0 ? new Float32Array(rows) : weights.map(weight => weight / total);
}

function maskOf(weights: Float32Array): Tensor {
  return tensor2d(
    Uint8Array.from(weights, weight => (weight === 0 ? 0 : 1)),
    [weights.length, 1],
    'bool',
  );
}
