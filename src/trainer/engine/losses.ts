// Losses as scalars on the tape. A weight of 0 masks a row out; the mean is over the weights.
import {
  div,
  mean,
  mul,
  reshape,
  type Scalar,
  squaredDifference,
  sum,
  type Tensor2D,
  type Tensor3D,
  tensor2d,
} from '@tensorflow/tfjs-core';
import { ctcOf } from './kernels/ctc.ts';
import { DENSE_CROSS_ENTROPY, type DenseHead, denseCrossEntropyOf } from './kernels/dense-cross-entropy.ts';
import { hasKernel } from './kernels/kernel.ts';
import { softmaxCrossEntropyOf } from './kernels/softmax-cross-entropy.ts';

/** A last layer that has a way of its own to its cross-entropy. */
export interface LossHead {
  classes: number;
  rows: number;
  /** logits (T, B, classes) */
  applied(): Tensor3D;
  crossEntropy(targets: Int32Array, weights: Float32Array | null): Scalar;
}

/** What a model hands to a loss: its outputs (T, B, W), or the last layer that would give them. */
export type Outputs = Tensor3D | DenseHead | LossHead;

export function appliedOutputs(outputs: Outputs): Tensor3D {
  return 'applied' in outputs ? outputs.applied() : outputs;
}

/**
 * Mean of -log softmax(logits)[target], in nats. logits (T, B, C) or (N, C), or the dense layer that gives them, which
 * takes one kernel with it; targets (N) from 0 to C-1, weights (N) or null for ones. Rows of weight 0 are not looked at,
 * whatever stands in them.
 */
export function softmaxCrossEntropy(
  logits: Outputs | Tensor2D,
  targets: Int32Array,
  weights: Float32Array | null,
  labelSmoothing = 0,
): Scalar {
  const isOwn = 'crossEntropy' in logits;
  if ('applied' in logits && (isOwn ? labelSmoothing > 0 : !hasKernel(DENSE_CROSS_ENTROPY)))
    return softmaxCrossEntropy(logits.applied(), targets, weights, labelSmoothing);
  const [rows, classes] = sizesOf(logits);
  if (targets.length !== rows || (weights && weights.length !== rows))
    throw new Error(
      `softmaxCrossEntropy: ${rows} rows of logits, ${targets.length} targets and ${weights?.length ?? 'no'} weights do not fit.`,
    );
  const isWhole = targets instanceof Int32Array;
  for (let row = 0; row < rows; row++) {
    const target = targets[row]!;
    // one comparison for both ends: a negative number is a large one without its sign
    if (isWhole && target >>> 0 < classes) continue;
    if (weights?.[row] !== 0 && !(target >= 0 && target < classes))
      throw new RangeError(
        `softmaxCrossEntropy: target ${target} of row ${row} is not one of ${classes} classes.`,
      );
  }
  if ('crossEntropy' in logits) return logits.crossEntropy(targets, weights);
  const context = { targets, weights, labelSmoothing };
  if ('applied' in logits) return denseCrossEntropyOf(logits, context);
  const flat = logits.shape.length === 2 ? logits : reshape(logits, [rows, classes]);
  return softmaxCrossEntropyOf(flat as Tensor2D, context);
}

/** Rows and classes. */
function sizesOf(logits: Outputs | Tensor2D): [number, number] {
  if ('crossEntropy' in logits) return [logits.rows, logits.classes];
  const [input, classes] =
    'applied' in logits ? [logits.x, logits.weight.shape[0]!] : [logits, logits.shape.at(-1)!];
  return [input.size / input.shape.at(-1)!, classes];
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

/** Labels of each sequence of a batch, for the loss over their alignments. */
export interface Labels {
  /** (B, most): classes from 1; what stands behind a sequence's own is not read */
  labels: Int32Array;
  /** (B) */
  counts: Int32Array;
  most: number;
}

/**
 * Connectionist temporal classification (Graves et al. 2006): -log p(labels | logits) in nats, summed over the sequences
 * and divided by their labels. logits (T, B, C), class 0 the blank; `lengths` (B) valid steps, or null for all.
 */
export function ctcLoss(
  logits: Outputs,
  { labels, counts, most }: Labels,
  lengths: Int32Array | null,
): Scalar {
  const all = counts.reduce((sum, own) => sum + own, 0);
  const scale = 1 / (all || counts.length);
  return ctcOf(appliedOutputs(logits), { lengths, labels, labelLengths: counts, maxLabels: most, scale });
}
