// The learning rate of each step: a linear warm-up, then what the schedule says.
import type { Schedule } from '../../experiment/schema.ts';

/** `step` counts from 1 to `steps`; a pure function, so that resuming needs no state but the scale of a plateau. */
export function learningRateAt(
  schedule: Schedule,
  base: number,
  step: number,
  steps: number,
  plateauScale = 1,
): number {
  if (schedule.type === 'one-cycle') return base * oneCycle(schedule, step - 1, steps);
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
    case 'plateau':
      return base * plateauScale;
    default:
      return schedule satisfies never;
  }
}

/** L. N. Smith, N. Topin, 2017, https://arxiv.org/abs/1708.07120, as torch.optim.lr_scheduler.OneCycleLR has it. */
function oneCycle(
  { rise, anneal, start, final }: Extract<Schedule, { type: 'one-cycle' }>,
  done: number,
  steps: number,
): number {
  const peak = rise * steps - 1;
  const rising = done <= peak;
  const [from, to] = rising ? [start, 1] : [1, final];
  const [begin, end] = rising ? [0, peak] : [Math.max(0, peak), steps - 1];
  const share = end > begin ? (done - begin) / (end - begin) : 1;
  if (anneal === 'linear') return from + (to - from) * share;
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
}
