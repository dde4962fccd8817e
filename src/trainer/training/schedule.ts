// The learning rate of each step: a linear warm-up, then what the schedule says.
import type { Schedule } from '../../experiment/schema.ts';

/** `step` counts from 1 to `steps`; a pure function, so that resuming needs no state. */
export function learningRateAt(schedule: Schedule, base: number, step: number, steps: number): number {
  if (step <= schedule.warmup) return (base * step) / schedule.warmup;
  const done = Math.min(1, (step - 1 - schedule.warmup) / Math.max(1, steps - 1 - schedule.warmup));
  switch (schedule.type) {
    case 'constant':
      return base;
    case 'linear':
      return base * (1 - done * (1 - schedule.final));
    case 'cosine':
      return base * (schedule.final + ((1 - schedule.final) * (1 + Math.cos(Math.PI * done))) / 2);
    case 'step':
      return base * schedule.factor ** Math.floor((step - 1 - schedule.warmup) / schedule.every);
    default:
      return schedule satisfies never;
  }
}
