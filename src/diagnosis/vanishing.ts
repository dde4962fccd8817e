// Vanishing gradient: it does not arrive at the first steps, AND nothing has been learned. The ratio at the start
// says nothing: a GRU that solves 200 steps begins at 1e-23. Nor does a low one while it rises: an LSTM that solves 100
// steps goes from 4e-10 to 3e-9 in a thousand updates, and then to 0.2 in a hundred.
import type { Finder, Finding, Holds, RunFacts, Seen } from './facts.ts';
import { ignorance, isBelow, layerIndex, layerOf, reachGrows } from './facts.ts';
import * as fixes from './fixes.ts';
import { count, figure } from './text.ts';

/** Updates before anything is said, at least. */
const PATIENCE = 300;
/** log10 of first over last norm: below it has vanished */
const VANISHED = -4;
/** share of the loss of knowing nothing that counts as having learned nothing */
const STUCK = 0.9;

export const vanishing: Finder = (facts, seen) => {
  const { step } = seen;
  const nothing = ignorance(facts);
  if (!nothing || step < patience(facts)) return [];
  const loss = seen.loss.mean(step - 100, step);
  if (loss === null || loss < STUCK * nothing.loss || hasLearned(seen, nothing.loss)) return [];
  const level = widest(seen);
  if (!level || level.now > VANISHED || reachGrows(seen)) return [];
  return [describe(facts, seen, level, loss, nothing)];
};

/** Until one validation shows that something was learned. */
export const vanishingHolds: Holds = (evidence, last) =>
  !isBelow(last['valLoss'], evidence['baseline'], STUCK);

function patience({ experiment }: RunFacts): number {
  return Math.max(PATIENCE, experiment.training.steps * 0.15);
}

/** One good validation is enough. */
function hasLearned({ validations }: Seen, nothing: number): boolean {
  return validations.some(({ loss }) => loss < STUCK * nothing);
}

interface Level {
  name: string;
  first: number;
  /** over the last quarter of the run */
  now: number;
}

/** The level through which most arrives: one open way is enough. */
function widest({ ratios, step }: Seen): Level | null {
  let found: Level | null = null;
  for (const [name, history] of ratios) {
    const now = history.mean(step * 0.75, step);
    const first = history.mean(0, Math.max(20, step * 0.05));
    if (now === null || first === null) continue;
    if (!found || now > found.now) found = { name, first, now };
  }
  return found;
}

function describe(
  { experiment, task }: RunFacts,
  { step }: Seen,
  { name, first, now }: Level,
  loss: number,
  nothing: { loss: number; name: string },
): Finding {
  const index = layerIndex(name);
  const ratio = 10 ** now;
  const atEnd = task.seqLen.toLocaleString('en-US');
  return {
    id: 'vanishing',
    severity: 'warning',
    message: `The gradient vanishes: after ${count(step)} updates its norm at the first of ${atEnd} steps is ${figure(ratio)} of that at the last, and the loss ${figure(loss)} is still that of ${nothing.name} (${figure(nothing.loss)}).`,
    layer: layerOf(name),
    evidence: { ratio, initialRatio: 10 ** first, trainLoss: loss, baseline: nothing.loss, updates: step },
    fixes: fixes.existing(
      fixes.forgetBias(experiment, index),
      fixes.wholeWindow(experiment, task.seqLen),
      fixes.lstm(experiment, index),
      fixes.gru(experiment, index),
      fixes.identityRelu(experiment, index),
      fixes.orthogonal(experiment, index),
      fixes.shorterWindow(experiment, task.seqLen >> 1),
    ),
  };
}
