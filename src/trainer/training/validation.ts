// Scores a model on the batches of a part, a batch at a time, so that requests are heard in between.
import { tidy } from '@tensorflow/tfjs-core';
import { evaluate } from '../layers/evaluate.ts';
import type { Model } from '../layers/model.ts';
import type { State } from '../layers/state.ts';
import { type Batch, emptyScore, type Score, type Task } from '../tasks/task.ts';

/** State is carried along a stream, as in training; null if there are no batches. */
export function* scorePart(
  model: Model,
  task: Task,
  batches: Iterable<Batch>,
): Generator<undefined, Score | null> {
  const score = emptyScore();
  let state: State | null = null;
  for (const batch of batches) {
    const result = evaluate(model, batch, task.outputs, task.stream && batch.continues ? state : null);
    state = result.state;
    tidy(() => task.score(result.outputs, batch, score, model));
    result.outputs.dispose();
    task.run?.(model, batch, score);
    yield;
  }
  return score.count > 0 ? score : null;
}

/** The loss and the task's own figures. */
export function figuresOf(task: Task, score: Score): Record<string, number> {
  return { valLoss: score.lossSum / score.count, ...task.metrics(score) };
}

/** Runs a piecewise computation to its end. */
export function whole<T>(pieces: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = pieces.next();
    if (done) return value;
  }
}
