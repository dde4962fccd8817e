// Is a run's writer alive? Clocks of machines are not compared: only what this reader saw change, and when.
import { join } from 'node:path';
import type { RunState, RunStatus, WriterFile } from './format.ts';
import { readSmall } from './json.ts';
import { FILES } from './paths.ts';
import { isAlive } from './process.ts';
import { checkWriter } from './validate.ts';

export type LifeState = RunState | 'crashed' | 'silent';

const ENDED: ReadonlySet<LifeState> = new Set(['finished', 'early-stopped', 'stopped', 'diverged', 'failed']);
const MAX_WRITER_BYTES = 10_000;
const SILENCE_MILLISECONDS = 10_000;
/** A change seen this recently is proof enough; asking the system costs a process on some. */
const FRESH_MILLISECONDS = 2000;

export function isEnded(state: LifeState): boolean {
  return ENDED.has(state);
}

/** Somebody should be writing this run. */
export function isActive(state: LifeState): boolean {
  return state === 'starting' || state === 'training' || state === 'paused';
}

export class LifeWatch {
  private readonly now: () => number;
  private heartbeat = -1;
  /** the heartbeat was seen to change, not only to be there */
  private changed = false;
  private seenAt: number;

  /** `now`: milliseconds of a monotonic clock */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.seenAt = now();
  }

  /** @returns the state to show, and the seconds since this reader last saw a sign of life */
  judge(folder: string, status: RunStatus): { state: LifeState; heartbeatAge: number } {
    if (status.heartbeat !== this.heartbeat) {
      this.changed = this.heartbeat >= 0;
      this.heartbeat = status.heartbeat;
      this.seenAt = this.now();
    }
    const silentFor = this.now() - this.seenAt;
    const heartbeatAge = silentFor / 1000;
    const fresh = this.changed && silentFor < FRESH_MILLISECONDS;
    if (!isActive(status.state) || fresh) return { state: status.state, heartbeatAge };
    const writer = readWriter(folder);
    const alive = writer ? isAlive(writer) : false;
    // on this host a process that is gone is known at once; the wait only covers a writer that is just starting
    if (alive === false && (writer !== null || silentFor > SILENCE_MILLISECONDS))
      return { state: 'crashed', heartbeatAge };
    if (alive === null && silentFor > SILENCE_MILLISECONDS) return { state: 'silent', heartbeatAge };
    return { state: status.state, heartbeatAge };
  }
}

/** Who holds the run; null when nobody does or the file is not valid. */
export function readWriter(folder: string): WriterFile | null {
  try {
    const checked = checkWriter(
      JSON.parse(readSmall(join(folder, FILES.writer), MAX_WRITER_BYTES) ?? 'null'),
    );
    return checked.ok ? checked.value : null;
  } catch {
    return null;
  }
}
