// Forecasts of a whole horizon from windows: all rows at once, or row by row from the model's own predictions (recursive).
import { aheadOf, targetsOf } from '../../experiment/tasks/forecast.ts';
import type { Model } from '../layers/model.ts';
import { answerShape, levelsOf, pathOf } from './forecast-artifact.ts';
import { inputWidth, type PreparedSeries, readRow, windowsOf } from './series-data.ts';
import { answersOf } from './values.ts';

/** What a forecast needs of the task or of its artifact. */
export interface Plan {
  target: string | readonly string[];
  features: readonly string[];
  known?: readonly string[] | undefined;
  window: number;
  horizon: number;
  strategy: 'direct' | 'recursive';
  difference: number;
  missing: string;
  quantiles?: readonly number[] | undefined;
}

/** Scaled predictions by window, target and row ahead. */
export type Paths = number[][][];

/** What the outputs of one pass over `count` windows say: of quantiles the one at this place, else the one nearest to the median. */
export function saidPaths(answers: ArrayLike<number>, count: number, plan: Plan, place?: number): Paths {
  const shape = answerShape(plan as Parameters<typeof answerShape>[0]);
  return Array.from({ length: count }, (_, row) =>
    Array.from({ length: shape.targets }, (_, target) => pathOf(answers, row, shape, target, place)),
  );
}

/** Of the windows before each place, which must be known up to there. */
export function pathsOf(model: Model, series: PreparedSeries, places: readonly number[], plan: Plan): Paths {
  return allPathsOf(model, series, places, plan).paths;
}

/** With the paths of each quantile, in their order. */
export function allPathsOf(
  model: Model,
  series: PreparedSeries,
  places: readonly number[],
  plan: Plan,
): { paths: Paths; quantiles: Paths[] } {
  const input = windowsOf(series, places, plan.window);
  const answers = said(model, input, places.length, plan.window);
  const first = saidPaths(answers, places.length, plan);
  // a path that reads its own predictions follows one value a row
  if (aheadOf(plan) < plan.horizon)
    return { paths: goOn(model, series, places, plan, input, first), quantiles: [] };
  const quantiles = (plan.quantiles ?? []).map((_, place) => saidPaths(answers, places.length, plan, place));
  return { paths: first, quantiles };
}

/** Goes on from the first row of each path: what was predicted is read as if it were known. */
export function goOn(
  model: Model,
  series: PreparedSeries,
  places: readonly number[],
  plan: Plan,
  input: Float32Array,
  first: Paths,
): Paths {
  const { window, horizon, features, missing } = plan;
  const names = targetsOf(plan.target);
  const width = inputWidth(series);
  const slots = features.map(name => names.indexOf(name));
  const paths = first.map(targets => targets.map(path => path.slice(0, 1)));
  let read = input;
  for (let k = 1; k < horizon; k++) {
    // one row further: the oldest one leaves the window, the newest prediction enters it
    const next = new Float32Array(read.length);
    next.set(read.subarray(places.length * width));
    places.forEach((at, row) => {
      const to = ((window - 1) * places.length + row) * width;
      readRow(series, at + k - 1, next, to);
      slots.forEach((target, place) => {
        if (target < 0) return;
        next[to + place] = paths[row]![target]![k - 1]!;
        if (missing === 'mask') next[to + features.length + place] = 0;
      });
    });
    read = next;
    saidPaths(said(model, read, places.length, window), places.length, plan).forEach((targets, row) => {
      targets.forEach(([value], target) => {
        paths[row]![target]!.push(value!);
      });
    });
  }
  return paths;
}

/** Predicted levels by window, target and row ahead. */
export function levelPaths(
  paths: Paths,
  places: readonly number[],
  { targets }: PreparedSeries,
  { difference }: Plan,
): number[][][] {
  return paths.map((own, row) =>
    own.map((path, target) => {
      const { level, scale } = targets[target]!;
      return levelsOf(path, places[row]!, at => level.get(at), scale, difference);
    }),
  );
}

function said(model: Model, input: Float32Array, count: number, window: number): Float32Array {
  const targets = new Float32Array(0);
  return answersOf(model, { seqLen: window, batch: count, input, targets, lengths: null, continues: false });
}
