// Speed and time left, from own training time. Only shown, never used.

/** Seconds of own time between two readings. */
const READING = 0.5;
/** Weight of a new reading. */
const FRESH = 0.3;

export class Speed {
  /** per second of own time; null until the first reading */
  tokens: number | null = null;
  private steps: number | null = null;
  private mark: { seconds: number; step: number; tokens: number } | null = null;

  /** @returns whether there is a new reading */
  observe(seconds: number, step: number, tokens: number): boolean {
    this.mark ??= { seconds, step, tokens };
    const passed = seconds - this.mark.seconds;
    if (passed < READING || step === this.mark.step) return false;
    this.tokens = blend(this.tokens, (tokens - this.mark.tokens) / passed);
    this.steps = blend(this.steps, (step - this.mark.step) / passed);
    this.mark = { seconds, step, tokens };
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
