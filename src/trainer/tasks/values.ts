// Loss and score of tasks whose answers are numbers, and a model's answers at the last step.
import { reshape, type Scalar, type Tensor2D, type Tensor3D, tensor2d } from '@tensorflow/tfjs-core';
import { appliedOutputs, meanSquaredError, type Outputs } from '../engine/losses.ts';
import { evaluate } from '../layers/evaluate.ts';
import type { Model } from '../layers/model.ts';
import type { Batch, Score } from './task.ts';

/** Mean squared error of outputs (1, B, K) against B·K numbers. */
export function valueLoss(
  outputs: Outputs,
  targets: Int32Array | Float32Array,
  weights: Float32Array | null,
): Scalar {
  const values = appliedOutputs(outputs);
  const [steps, batch, width] = values.shape;
  return meanSquaredError(
    reshape(values, [steps * batch, width]) as Tensor2D,
    tensor2d(targets as Float32Array, [steps * batch, width]),
    weights,
  );
}

export function scoreValues(outputs: Tensor3D, batch: Batch, score: Score): void {
  const answers = outputs.dataSync();
  for (let i = 0; i < answers.length; i++) score.lossSum += (answers[i]! - batch.targets[i]!) ** 2;
  score.count += answers.length;
}

/** What the model says at the last step of each sequence, or at every one. */
export function answersOf(
  model: Model,
  batch: Batch,
  at: 'every-step' | 'last-step' = 'last-step',
): Float32Array {
  const { outputs } = evaluate(model, batch, at, null);
  const answers = Float32Array.from(outputs.dataSync());
  outputs.dispose();
  return answers;
}

/** The class with the largest of this row's logits. */
export function best(logits: ArrayLike<number>, row: number, classes: number): number {
  let winner = 0;
  for (let index = 1; index < classes; index++)
    if (logits[row * classes + index]! > logits[row * classes + winner]!) winner = index;
  return winner;
}
