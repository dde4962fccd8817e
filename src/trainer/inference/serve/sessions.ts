// Sequences that clients read step by step: bounded in number, and dropped when nobody has gone on with them.
import { randomBytes } from 'node:crypto';
import type { Stepper } from '../../layers/stepper.ts';
import type { StepReader } from '../../tasks/stepping.ts';

export const MOST_SESSIONS = 64;
export const IDLE_MINUTES = 10;

export interface Session {
  stepper: Stepper;
  reader: StepReader;
  /** read so far */
  steps: number;
}

export class Sessions {
  private readonly all = new Map<string, { session: Session; used: number }>();
  private readonly now: () => number;

  /** `now`: milliseconds on a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  get size(): number {
    this.drop();
    return this.all.size;
  }

  /** null: there is none of this id, or it was dropped. */
  find(id: string): Session | null {
    this.drop();
    const found = this.all.get(id);
    if (!found) return null;
    found.used = this.now();
    return found.session;
  }

  /** null: there is no room for another. */
  add(session: Session): string | null {
    this.drop();
    if (this.all.size >= MOST_SESSIONS) return null;
    const id = randomBytes(16).toString('base64url');
    this.all.set(id, { session, used: this.now() });
    return id;
  }

  end(id: string): void {
    this.all.delete(id);
  }

  /** Drops what nobody has used for `IDLE_MINUTES`. */
  drop(): void {
    const oldest = this.now() - IDLE_MINUTES * 60_000;
    for (const [id, { used }] of this.all) if (used < oldest) this.all.delete(id);
  }
}
