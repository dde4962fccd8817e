// A forward pass over a whole batch without gradients.
import { concat, type Tensor3D, tidy } from '@tensorflow/tfjs-core';
import { type Batch, inputOf, lengthsIn, sourceOf, stretchesOf } from './batch.ts';
import type { Encoded, ForwardOptions, Model } from './model.ts';
import type { State } from './state.ts';

/** Steps that are evaluated at a time where a model reads sequences in parts: memory does not grow with longer ones. */
const EVALUATED_STEPS = 1024;

/** The outputs belong to the caller. */
export function evaluate(
  model: Model,
  batch: Batch,
  outputs: 'every-step' | 'last-step',
  state: State | null,
): { outputs: Tensor3D; state: State } {
  // the last steps of sequences of unequal lengths may stand in different parts, and a source would be read for each
  const inParts = model.context === null && !batch.source && (outputs === 'every-step' || !batch.lengths);
  let after = state;
  const made: Tensor3D[] = [];
  for (const part of stretchesOf(batch.seqLen, inParts ? EVALUATED_STEPS : batch.seqLen)) {
    const result = tidy(() => {
      const forward = model.forward(inputOf(batch, part), {
        training: false,
        step: 0,
        lengths: lengthsIn(batch, part),
        state: after,
        encoded: encodedOf(model, batch, { training: false, step: 0 }),
        outputs,
      });
      after = forward.state;
      return forward.outputs;
    });
    if (outputs === 'last-step') made.pop()?.dispose();
    made.push(result);
  }
  if (made.length === 1) return { outputs: made[0]!, state: after ?? {} };
  const joined = concat(made, 0);
  for (const part of made) part.dispose();
  return { outputs: joined, state: after ?? {} };
}

/** Reads the batch's source, on the tape of whoever calls; null: there is none. */
export function encodedOf(
  model: Model,
  batch: Batch,
  options: Pick<ForwardOptions, 'training' | 'step' | 'watch' | 'observe'>,
): Encoded | null {
  const source = sourceOf(batch);
  return source && model.encode(inputOf(source), { ...options, lengths: source.lengths });
}
