// What the groups of the benchmark share: how long to measure, the peak of the machine, and who takes part.
import type { Participant } from './participant.ts';
import { type Ours, oursOf, type PeerName, startBare, startOurs, startPytorch } from './participants.ts';
import { measurePeaks } from './peaks.ts';
import type { Pace } from './rounds.ts';

export interface Context {
  quick: boolean;
  threads: number;
  pace: Pace;
  /** names of our engines that take part; null: all */
  engines: readonly string[] | null;
  /** that `recurrences` measures; null: all */
  layers: readonly string[] | null;
  peaks(): ReturnType<typeof measurePeaks>;
  say(line: string): void;
}

export function contextOf(options: Omit<Context, 'peaks' | 'say'>): Context {
  let peaks: ReturnType<typeof measurePeaks> | null = null;
  return {
    ...options,
    peaks: () => (peaks ??= measurePeaks(options.threads)),
    say: line => console.error(line),
  };
}

/** Participants of one group; those that cannot be had are told in `skipped`. */
export class Crowd {
  readonly members: Participant[] = [];
  readonly skipped: string[] = [];
  /** by name, for what came up on the way */
  readonly refused = new Map<string, string>();

  add(name: string, start: Participant | string): this {
    if (typeof start === 'string') this.skipped.push(`${name}: ${start}`);
    else this.members.push(start);
    return this;
  }

  /** Every engine of ours with one of these names; one that does not start here is left out. */
  async addOurs(context: Context, names: readonly string[]): Promise<Ours[]> {
    const wanted = oursOf(context.threads).filter(
      ({ name }) => names.includes(name) && (context.engines?.includes(name) ?? true),
    );
    const there: Ours[] = [];
    for (const ours of wanted) {
      const participant = startOurs(ours);
      const { error } = await participant.close();
      if (error) this.skipped.push(`${ours.name}: ${error}`);
      else {
        this.members.push(participant);
        there.push(ours);
      }
    }
    return there;
  }

  addBare(ours: Ours): this {
    return this.add(`${ours.name}-bare`, startBare(ours));
  }

  addPytorch(names: readonly PeerName[], threads: number): this {
    for (const name of names) this.add(name, startPytorch(name, threads));
    return this;
  }

  end(): void {
    for (const member of this.members) member.end();
    for (const [name, reason] of this.refused) this.skipped.push(`${name}: ${reason}`);
  }
}
