// Remembers the best validation loss, and says when it has not improved for too long (Prechelt 1998).
import type { Training } from '../../experiment/schema.ts';

export interface EarlyStoppingState {
  best: number | null;
  bestStep: number;
  /** validations since the best */
  since: number;
}

export class EarlyStopping {
  state: EarlyStoppingState;
  private readonly spec: Training['earlyStopping'];

  constructor(
    spec: Training['earlyStopping'],
    state: EarlyStoppingState = { best: null, bestStep: 0, since: 0 },
  ) {
    this.spec = spec;
    this.state = { ...state };
  }

  /** @returns whether this is a new best; a loss that is not finite never is */
  observe(step: number, loss: number): boolean {
    const { best } = this.state;
    const better = Number.isFinite(loss) && (best === null || loss < best - (this.spec?.minDelta ?? 0));
    this.state = better
      ? { best: loss, bestStep: step, since: 0 }
      : { ...this.state, since: this.state.since + 1 };
    return better;
  }

  get exhausted(): boolean {
    return this.spec !== null && this.state.since >= this.spec.patience;
  }
}
