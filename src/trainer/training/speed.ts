// Speed and time left, from own training time. Only shown, never used.
import type { PendingStep } from './recorder.ts';

/** Seconds of own time between two readings. */
const READING = 0.5;
/** Weight of a new reading. */
const FRESH = 0.3;

type Reading = Pick<PendingStep, 'ownSeconds' | 'step' | 'tokens' | 'waited' | 'stepped'>;

export class Speed {
  /** per second of own time; null until the first reading */
  tokens: number | null = null;
  /** share of the steps' time in which they waited for their batch; null until the first reading */
  waiting: number | null = null;
  private steps: number | null = null;
  private mark: { seconds: number; step: number; tokens: number; waited: number; stepped: number } | null =
    null;

  /** `waited` and `stepped`: milliseconds. @returns whether there is a new reading */
  observe({ ownSeconds: seconds, step, tokens, waited, stepped }: Reading): boolean {
    this.mark ??= { seconds, step, tokens, waited, stepped };
    const passed = seconds - this.mark.seconds;
    if (passed < READING || step === this.mark.step) return false;
    this.tokens = blend(this.tokens, (tokens - this.mark.tokens) / passed);
    this.steps = blend(this.steps, (step - this.mark.step) / passed);
    this.waiting = blend(this.waiting, (waited - this.mark.waited) / (stepped - this.mark.stepped));
    this.mark = { seconds, step, tokens, waited, stepped };
    return true;
  }

  /** Seconds for `steps` more; null if not known. */
  secondsFor(steps: number): number | null {
    return this.steps === null || this.steps === 0 ? null : steps / this.steps;
  }
}

function blend(before: number | null, now: number): number {
  return before === null ? now : before + FRESH * (now - before);
}
