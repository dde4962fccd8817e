// Overfitting: validation has been getting worse for some time while training still gets better.
import { taskOf } from '../experiment/tasks/index.ts';
import type { Finder, Holds, RunFacts } from './facts.ts';
import { ignorance, isBelow } from './facts.ts';
import * as fixes from './fixes.ts';
import { count, figure, percent } from './text.ts';

/** Validations since the best, at least. */
const SINCE = 5;
/** Rise over the best, relative to it and to the loss of knowing nothing: below is noise. */
const RISE = { ofBest: 0.04, ofNothing: 0.015 };
const FALL = 0.97;

/** Until the best validation is beaten. */
export const overfittingHolds: Holds = (evidence, last) =>
  !isBelow(last['valLoss'], evidence['bestValLoss'], 1);

export const overfitting: Finder = (facts, { validations, loss, step }) => {
  // drawn data are new at every step: there is nothing to learn by heart
  const isDrawn = taskOf(facts.experiment.data).reads === 'nothing';
  if (isDrawn || validations.length < SINCE + 3) return [];
  const best = validations.reduce((least, each) => (each.loss < least.loss ? each : least));
  const since = validations.filter(each => each.step > best.step);
  if (since.length < SINCE) return [];
  const now = since.slice(-3).reduce((sum, each) => sum + each.loss, 0) / 3;
  const rise = now - best.loss;
  const nothing = ignorance(facts)?.loss ?? 0;
  if (rise < RISE.ofBest * best.loss || rise < RISE.ofNothing * nothing) return [];
  const width = Math.max(50, (step - best.step) / 2);
  const trainThen = loss.mean(best.step - width, best.step);
  const trainNow = loss.mean(step - width, step);
  if (trainThen === null || trainNow === null || trainNow > FALL * trainThen) return [];
  return [
    {
      id: 'overfitting',
      severity: 'warning',
      message: `Overfitting: validation loss was best, ${figure(best.loss)}, at step ${count(best.step)} and ${figure(now)} at step ${count(step)} (+${percent(rise / best.loss)}), while training loss fell from ${figure(trainThen)} to ${figure(trainNow)}. The best checkpoint is kept.`,
      layer: null,
      evidence: { bestValLoss: best.loss, bestStep: best.step, valLoss: now, trainThen, trainNow },
      fixes: mend(facts),
    },
  ];
};

function mend({ experiment }: RunFacts) {
  return fixes.existing(
    fixes.earlyStopping(experiment),
    fixes.dropout(experiment),
    fixes.weightPenalty(experiment),
    fixes.fewerUnits(experiment),
  );
}
