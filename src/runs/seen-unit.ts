// What a run's speed counts: tokens of what it reads as symbols, frames of sound, time steps of everything else.
import type { Experiment } from '../experiment/schema.ts';
import type { TaskFacts } from './format.ts';

export type SeenUnit = 'tokens' | 'frames' | 'time steps';

/** @param task null before the run knows its data */
export function seenUnitOf({ data }: Pick<Experiment, 'data'>, task: TaskFacts | null): SeenUnit {
  if ('audio' in data && data.audio !== undefined) return 'frames';
  // version 0.1.0 tells no sizes; its losses of symbols are in nats or bits of one
  const reads = task?.sizes?.input.kind ?? (task?.lossUnit.includes('/') ? 'tokens' : 'vectors');
  return reads === 'tokens' ? 'tokens' : 'time steps';
}
