// A forward pass over a whole batch without gradients.
import { concat, type Tensor3D, tidy } from '@tensorflow/tfjs-core';
import { type Batch, inputOf, lengthsIn, stretchesOf } from './batch.ts';
import type { LayerState, Model } from './model.ts';

/** Steps that are evaluated at a time where a model reads sequences in parts: memory does not grow with longer ones. */
const EVALUATED_STEPS = 1024;

/** The outputs belong to the caller. */
export function evaluate(
  model: Model,
  batch: Batch,
  outputs: 'every-step' | 'last-step',
  state: LayerState[] | null,
): { outputs: Tensor3D; state: LayerState[] } {
  // the last steps of sequences of unequal lengths may stand in different parts
  const inParts = model.context === null && (outputs === 'every-step' || !batch.lengths);
  let after = state;
  const made: Tensor3D[] = [];
  for (const part of stretchesOf(batch.seqLen, inParts ? EVALUATED_STEPS : batch.seqLen)) {
    const result = tidy(() => {
      const forward = model.forward(inputOf(batch, part), {
        training: false,
        step: 0,
        lengths: lengthsIn(batch, part),
        state: after,
        outputs,
      });
      after = forward.state;
      return forward.outputs;
    });
    if (outputs === 'last-step') made.pop()?.dispose();
    made.push(result);
  }
  if (made.length === 1) return { outputs: made[0]!, state: after ?? [] };
  const joined = concat(made, 0);
  for (const part of made) part.dispose();
  return { outputs: joined, state: after ?? [] };
}
