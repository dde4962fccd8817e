// Scheduled sampling: S. Bengio et al., 2015, https://arxiv.org/abs/1506.03099. At each step of a training sequence the
// decoder reads the true symbol with the probability of its schedule, and else the one it finds most likely itself. No
// gradient flows through that choice.
import { tidy } from '@tensorflow/tfjs-core';
import type { Training } from '../../experiment/training.ts';
import type { Batch } from '../layers/batch.ts';
import { mostLikely } from '../layers/decode.ts';
import { encodedOf } from '../layers/evaluate.ts';
import type { Model } from '../layers/model.ts';
import { stepper } from '../layers/stepper.ts';
import { randomStream } from '../random.ts';

export type TeacherForcing = NonNullable<Training['teacherForcing']>;

/** How far the exponential schedule goes: what is left at the end of its way from 1 to the ratio. */
const LEFT = 0.01;
/** Steepness of the inverse sigmoid: 12 from end to end leaves 0.25 % at each. */
const STEEPNESS = 12;

/** Probability of the true symbol at a step, counted from 1 to `steps`: from 1 to the ratio. */
export function forcingAt({ ratio, schedule }: TeacherForcing, step: number, steps: number): number {
  const done = Math.min(1, (step - 1) / Math.max(1, steps - 1));
  const left = {
    constant: 0,
    linear: 1 - done,
    exponential: LEFT ** done,
    'inverse-sigmoid': 1 / (1 + Math.exp(STEEPNESS * (done - 0.5))),
  }[schedule];
  return ratio + (1 - ratio) * left;
}

export interface Sampled {
  batch: Batch;
  /** the share of true symbols among those after the first */
  forced: number;
}

/** The batch with the symbols that the decoder reads: a function of the weights, the seed and the step. */
export function sampledInputs(
  model: Model,
  batch: Batch,
  probability: number,
  { seed, step }: { seed: number; step: number },
): Sampled {
  if (probability === 1) return { batch, forced: 1 };
  const { seqLen, batch: rows, lengths } = batch;
  const random = randomStream(seed, 'teacher-forcing', step);
  const input = Int32Array.from(batch.input);
  let [own, all] = [0, 0];
  tidy(() => {
    const encoded = encodedOf(model, batch, { training: false, step: 0 });
    const walker = stepper(model, rows, encoded);
    for (let t = 1; t < seqLen; t++) {
      const logits = walker.step(input.slice((t - 1) * rows, t * rows));
      const classes = logits.length / rows;
      for (let row = 0; row < rows; row++) {
        const isOwn = random.uniform() >= probability;
        if (lengths && t >= lengths[row]!) continue;
        all++;
        if (!isOwn) continue;
        own++;
        input[t * rows + row] = mostLikely(logits, row, classes);
      }
    }
  });
  return { batch: { ...batch, input }, forced: all > 0 ? 1 - own / all : 1 };
}
