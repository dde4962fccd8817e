// Losses as scalars on the tape. A weight of 0 masks a row out; the mean is over the weights.
import {
  div,
  mean,
  mul,
  type Scalar,
  squaredDifference,
  sum,
  type Tensor2D,
  tensor2d,
} from '@tensorflow/tfjs-core';
import { softmaxCrossEntropyOf } from './kernels/softmax-cross-entropy.ts';

/**
 * Mean of -log softmax(logits)[target], in nats. logits (N, C), targets (N) from 0 to C-1, weights (N) or null for
 * ones. Rows of weight 0 are not looked at, whatever stands in them.
 */
export function softmaxCrossEntropy(
  logits: Tensor2D,
  targets: Int32Array,
  weights: Float32Array | null,
  labelSmoothing = 0,
): Scalar {
  const [rows, classes] = logits.shape;
  if (targets.length !== rows || (weights && weights.length !== rows))
    throw new Error(
      `softmaxCrossEntropy: ${rows} rows of logits, ${targets.length} targets and ${weights?.length ?? 'no'} weights do not fit.`,
    );
  for (let row = 0; row < rows; row++) {
    const target = targets[row]!;
    if (weights?.[row] !== 0 && !(target >= 0 && target < classes))
      throw new RangeError(
        `softmaxCrossEntropy: target ${target} of row ${row} is not one of ${classes} classes.`,
      );
  }
  return softmaxCrossEntropyOf(logits, { targets, weights, labelSmoothing });
}

/** Mean of (prediction - target)² over columns and weighted rows. Both (N, K), weights (N) or null for ones. */
export function meanSquaredError(
  predictions: Tensor2D,
  targets: Tensor2D,
  weights: Float32Array | null = null,
): Scalar {
  const errors = squaredDifference(predictions, targets);
  if (!weights) return mean(errors);
  const [rows, columns] = predictions.shape;
  if (weights.length !== rows)
    throw new Error(
      `meanSquaredError: ${rows} rows of predictions and ${weights.length} weights do not fit.`,
    );
  const total = weights.reduce((partial, weight) => partial + weight, 0);
  if (total === 0) return mul(sum(errors), 0);
  return div(sum(mul(errors, tensor2d(weights, [rows, 1]))), total * columns);
}
