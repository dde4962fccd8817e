// The learning rate that drops when the validation loss stops falling, as torch.optim.lr_scheduler.ReduceLROnPlateau has it.
import type { Schedule } from '../../experiment/schema.ts';

export interface PlateauState {
  /** share of the learning rate that is left */
  scale: number;
  best: number | null;
  /** validations since the best that count */
  bad: number;
  /** validations that still do not count */
  cooldown: number;
}

/** A drop by less than this changes nothing. */
const LEAST_DROP = 1e-8;

export const PLATEAU_START: PlateauState = { scale: 1, best: null, bad: 0, cooldown: 0 };

/** After a validation; `base` is the learning rate of the optimizer. A loss that is not finite is never better. */
export function observePlateau(
  { factor, patience, threshold, cooldown, final }: Extract<Schedule, { type: 'plateau' }>,
  base: number,
  state: PlateauState,
  loss: number,
): PlateauState {
  const next = { ...state };
  if (Number.isFinite(loss) && (next.best === null || loss < next.best * (1 - threshold))) {
    next.best = loss;
    next.bad = 0;
  } else next.bad++;
  if (next.cooldown > 0) {
    next.cooldown--;
    next.bad = 0;
  }
  if (next.bad <= patience) return next;
  const scale = Math.max(next.scale * factor, final);
  if (base * (next.scale - scale) > LEAST_DROP) next.scale = scale;
  return { ...next, cooldown, bad: 0 };
}
