// What state runs are in, in words.
import type { RunView, ShownState } from '../../protocol/messages.ts';
import { count } from '../format.ts';

export const STATE_WORDS: Readonly<Record<ShownState, string>> = {
  queued: 'Queued',
  starting: 'Starting',
  training: 'Training',
  paused: 'Paused',
  finished: 'Finished',
  'early-stopped': 'Stopped early',
  stopped: 'Stopped',
  diverged: 'Diverged',
  failed: 'Failed',
  crashed: 'Crashed',
  silent: 'Silent',
};

/** The state that needs attention first stands for all. */
const ORDER: readonly ShownState[] = [
  'crashed',
  'silent',
  'training',
  'starting',
  'paused',
  'queued',
  'failed',
  'diverged',
  'stopped',
  'early-stopped',
  'finished',
];

export function stateOfAll(runs: readonly RunView[]): ShownState {
  return ORDER.find(state => runs.some(run => run.state === state)) ?? 'finished';
}

/** "Training", or of runs in several states how many are in each: "1 training · 2 finished". */
export function statesText(runs: readonly RunView[]): string {
  const found = ORDER.map(state => ({ state, n: runs.filter(run => run.state === state).length })).filter(
    ({ n }) => n > 0,
  );
  if (found.length < 2) return STATE_WORDS[stateOfAll(runs)];
  return found.map(({ state, n }) => `${n} ${STATE_WORDS[state].toLowerCase()}`).join(' · ');
}

export function stateText(run: RunView): string {
  const step = count(run.step);
  switch (run.state) {
    case 'training':
      return `step ${step}`;
    case 'queued':
    case 'starting':
      return STATE_WORDS[run.state].toLowerCase();
    case 'diverged':
      return `diverged, ${step}`;
    default:
      return `${STATE_WORDS[run.state].toLowerCase()}, ${step}`;
  }
}

export function isBroken({ state }: RunView): boolean {
  return state === 'diverged' || state === 'failed' || state === 'crashed';
}
