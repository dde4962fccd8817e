// Plateau: training loss stands still over a long stretch, and not because the task is solved.
import type { Finder, Fix, Holds, RunFacts } from './facts.ts';
import { ignorance, isBelow, reachGrows } from './facts.ts';
import * as fixes from './fixes.ts';
import { count, figure } from './text.ts';

const PATIENCE = 400;
/** share of the run that must have stood still */
const STRETCH = 0.5;
/** relative fall from the first to the second half of the stretch that is none */
const STILL = 0.003;
/** share of the loss of knowing nothing below which a task counts as solved */
const SOLVED = 0.05;
const STUCK = 0.97;
const NEARLY_OVER = 0.95;
/** share of its loss below which it has been left: one step's loss, which differs by its batch */
const LEFT = 0.8;

/** Until the loss has left it. */
export const plateauHolds: Holds = (evidence, last) =>
  !isBelow(last['trainLoss'], evidence['trainLoss'], LEFT);

export const plateau: Finder = (facts, seen) => {
  const { loss, step, validations } = seen;
  const { experiment } = facts;
  if (step < Math.max(PATIENCE, experiment.training.steps * 0.4)) return [];
  const from = step * (1 - STRETCH);
  const middle = (from + step) / 2;
  const before = loss.spread(from, middle);
  const now = loss.spread(middle, step);
  if (!before || !now) return [];
  const fall = before.mean - now.mean;
  const noise = Math.hypot(before.error, now.error);
  // neither falling nor rising beyond what the batches differ by
  if (fall > Math.max(STILL * before.mean, noise) || -fall > 3 * noise) return [];
  const nothing = ignorance(facts);
  if (nothing && now.mean < SOLVED * nothing.loss) return [];
  if (stillImproves(validations, from)) return [];
  const stuck = nothing !== null && now.mean > STUCK * nothing.loss;
  // what looks like standing still is on its way: cells often learn all at once when the gradient has come far enough
  if (stuck && reachGrows(seen) && step < experiment.training.steps * NEARLY_OVER) return [];
  const where = stuck ? `, which is that of ${nothing.name} (${figure(nothing.loss)})` : '';
  return [
    {
      id: 'plateau',
      severity: stuck ? 'warning' : 'info',
      message: `Training loss has stood at ${figure(now.mean)}${where} since about step ${count(from)}, for ${count(step - from)} updates.`,
      layer: null,
      evidence: { trainLoss: now.mean, before: before.mean, noise, since: Math.round(from), updates: step },
      fixes: stuck ? begin(facts) : settle(facts),
    },
  ];
};

/** Nothing was learned: another start. */
function begin({ experiment }: RunFacts): Fix[] {
  const index = experiment.model.layers.findIndex(layer => 'recurrentInit' in layer);
  return fixes.existing(
    fixes.forgetBias(experiment, index),
    fixes.gru(experiment, index),
    fixes.slower(experiment, 0.3),
    fixes.longer(experiment),
  );
}

/** Something was learned: smaller steps. */
function settle({ experiment }: RunFacts): Fix[] {
  return fixes.existing(fixes.cosine(experiment), fixes.slower(experiment, 0.3));
}

/** Validation's newest best is recent. */
function stillImproves(validations: readonly { step: number; loss: number }[], from: number): boolean {
  if (validations.length < 4) return false;
  const bestBefore = Math.min(...validations.filter(({ step }) => step <= from).map(({ loss }) => loss));
  const bestSince = Math.min(...validations.filter(({ step }) => step > from).map(({ loss }) => loss));
  return bestSince < bestBefore * (1 - 2 * STILL);
}
