// Interleaved rounds: each round measures everybody on the same case, one after the other, so that what the machine
// does beside it meets all alike.
import type { Case } from './cases.ts';
import type { Answer, Participant } from './participant.ts';
import { median } from './statistics.ts';

export interface Pace {
  rounds: number;
  seconds: number;
  /** before the first round */
  warmup: number;
}

export interface Measured {
  /** a median of each round */
  ms: number[];
  /** a mean of each round */
  means: number[];
  /** processor time of each round, from those who tell it */
  processor: number[];
  /** of the last round */
  last: Answer;
}

/** Before a process is measured at all: its compilers are at work for the first thousands of steps. */
const FIRST_WARMUP = 2;
const warm = new WeakSet<Participant>();

/** By participant's name; who cannot do the case is left out, with the reason in `refused`. */
export async function measureCase(
  asked: Case | ((participant: Participant) => Case),
  participants: readonly Participant[],
  pace: Pace,
  refused: Map<string, string>,
): Promise<Map<string, Measured>> {
  const taking: Participant[] = [];
  for (const participant of participants) {
    const { error } = await participant.open(typeof asked === 'function' ? asked(participant) : asked);
    const seconds = warm.has(participant) ? pace.warmup : Math.max(pace.warmup, FIRST_WARMUP);
    warm.add(participant);
    const warmed = error ? { error } : await participant.measure({ seconds });
    if (warmed.error) refused.set(participant.name, warmed.error);
    else taking.push(participant);
  }
  const measured = new Map<string, Measured>();
  for (let round = 0; round < pace.rounds; round++)
    // in turning order, so that nobody always follows the same one
    for (let turn = 0; turn < taking.length; turn++) {
      const participant = taking[(turn + round) % taking.length]!;
      const answer = await participant.measure({ seconds: pace.seconds });
      if (answer.error) {
        refused.set(participant.name, answer.error);
        continue;
      }
      const entry = measured.get(participant.name) ?? { ms: [], means: [], processor: [], last: answer };
      entry.ms.push(answer.msMedian!);
      entry.means.push(answer.msMean ?? answer.msMedian!);
      entry.processor.push(answer.msProcessor ?? Number.NaN);
      entry.last = answer;
      measured.set(participant.name, entry);
    }
  for (const participant of participants) await participant.close();
  for (const [name, { ms }] of measured) if (ms.length < pace.rounds) measured.delete(name);
  return measured;
}

export function msOf({ ms }: Measured): number {
  return median(ms);
}
