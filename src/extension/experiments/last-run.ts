// The newest run or comparison of one experiment file, as lenses, hovers and squiggles need it.
import type { Experiment } from '../../experiment/schema.ts';
import type { Finding, JsonNumber } from '../../runs/format.ts';
import type { LifeState } from '../../runs/life.ts';

export interface Reach {
  /** how many steps back the gradient stays above 1 % of its value at the last step */
  steps: number;
  /** how many there are before the last one */
  of: number;
}

export interface LastRun {
  /** members in their order; one if it was no comparison */
  runs: {
    folder: string;
    label: string;
    state: LifeState;
    step: number;
    steps: number;
    valLoss: JsonNumber | undefined;
    trainLoss: JsonNumber | undefined;
    /** the task's own first metric, such as "accuracy 97.5 %"; null: it has none, or was not validated yet */
    metric: string | null;
    /** as it was trained */
    experiment: Experiment;
  }[];
  /** runs of this file, the older ones included */
  total: number;
  findings: (Finding & { step: number; label: string; folder: string })[];
  reach: Reach | null;
}

const THRESHOLD = 0.01;
const PROBES = 10;

/** The median over the newest probes; rows are [layer][t]. */
export function reachOf(
  rows: readonly ArrayLike<number>[],
  layers: number,
  layer = layers - 1,
): Reach | null {
  const newest = rows.slice(-PROBES);
  const first = newest[0];
  if (!first || layers < 1) return null;
  const length = first.length / layers;
  if (!Number.isInteger(length) || length < 1) return null;
  const reaches = newest
    .map(row => stepsBack(row, layer * length, length))
    .filter(steps => steps !== null)
    .sort((a, b) => a - b);
  const steps = reaches[Math.floor(reaches.length / 2)];
  return steps === undefined ? null : { steps, of: length - 1 };
}

function stepsBack(row: ArrayLike<number>, start: number, length: number): number | null {
  const last = row[start + length - 1]!;
  if (!(last > 0) || !Number.isFinite(last)) return null;
  let steps = 0;
  while (steps < length - 1 && row[start + length - 2 - steps]! >= THRESHOLD * last) steps++;
  return steps;
}
