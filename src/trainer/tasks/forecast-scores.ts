// How forecasts are scored: in the unit of each column, against what a naive forecast says of the same rows, by row ahead
// and by origin (rolling-origin evaluation: L. Tashman, 2000, https://doi.org/10.1016/S0169-2070(00)00065-0).
import {
  add,
  mean,
  mul,
  neg,
  relu,
  reshape,
  type Scalar,
  sub,
  type Tensor3D,
  tensor2d,
} from '@tensorflow/tfjs-core';
import type { DataOf } from '../../experiment/tasks/index.ts';
import type { Column } from '../data/storage.ts';
import { appliedOutputs, type Outputs } from '../engine/losses.ts';
import type { PreparedSeries, TargetSeries } from './series-data.ts';
import type { Batch, Score } from './task.ts';

type ForecastData = DataOf<'forecast'>;

/** Rows ahead with a figure of their own: of longer horizons, as many in even distances. */
const MOST_STEPS = 32;

/** Rows ahead, from 1, whose errors are recorded; none of a horizon of one row. */
export function recordedSteps(horizon: number): number[] {
  if (horizon === 1) return [];
  const all = Math.min(horizon, MOST_STEPS);
  return Array.from({ length: all }, (_, at) => 1 + Math.round((at * (horizon - 1)) / (all - 1)));
}

/** What errors of several targets are divided by before they are added: each one's own deviation in the training part. */
export function unitOf({ targets }: PreparedSeries, target: number): number {
  return targets.length > 1 ? targets[target]!.scale.std : 1;
}

/** `levels`: predicted, by window, target and row ahead. */
export function scoreLevels(
  levels: readonly (readonly (readonly number[])[])[],
  places: readonly number[],
  series: PreparedSeries,
  { season, horizon }: ForecastData,
  score: Score,
): void {
  const steps = new Set(recordedSteps(horizon));
  const addTo = (name: string, value: number) => {
    score.sums[name] = (score.sums[name] ?? 0) + value;
  };
  places.forEach((at, row) => {
    const origin = {
      row: series.numbers.get(at - 1),
      answers: 0,
      squaredError: 0,
      persistenceSquaredError: 0,
    };
    levels[row]!.forEach((path, target) => {
      const { level } = series.targets[target]!;
      const unit = unitOf(series, target) ** 2;
      const still = level.get(at - 1);
      path.forEach((predicted, k) => {
        const truth = level.get(at + k);
        const error = Math.abs(predicted - truth);
        const own = (name: string, value: number) => addTo(`${name}.${target}`, value);
        own('answers', 1);
        own('squaredError', (predicted - truth) ** 2);
        own('persistenceSquaredError', (still - truth) ** 2);
        own('absoluteError', error);
        // both zero: right, and no division by zero
        own('symmetricError', error === 0 ? 0 : (2 * error) / (Math.abs(predicted) + Math.abs(truth)));
        if (season) own('seasonalSquaredError', (naiveAt(level, at, k, season) - truth) ** 2);
        if (steps.has(k + 1)) addTo(`step.${k + 1}`, error ** 2 / unit);
        origin.answers++;
        origin.squaredError += error ** 2 / unit;
        origin.persistenceSquaredError += (still - truth) ** 2 / unit;
      });
    });
    if (horizon > 1) (score.origins ??= []).push(origin);
  });
}

/** `errorScales`: of each target, the naive error in the training part. */
export function levelFigures(
  { sums }: Score,
  series: PreparedSeries,
  errorScales: readonly number[],
  { season, horizon }: ForecastData,
): Record<string, number> {
  const each = series.targets.map(({ name }, target) => {
    const sum = (what: string) => sums[`${what}.${target}`]!;
    const answers = sum('answers');
    const root = (what: string) => Math.sqrt(sum(what) / answers);
    return {
      name,
      answers,
      rmse: root('squaredError'),
      persistenceRmse: root('persistenceSquaredError'),
      mase: sum('absoluteError') / answers / errorScales[target]!,
      smape: sum('symmetricError') / answers,
      ...(season ? { seasonalRmse: root('seasonalSquaredError') } : {}),
    };
  });
  const average = (part: (one: (typeof each)[number], target: number) => number) =>
    each.reduce((sum, one, target) => sum + part(one, target), 0) / each.length;
  const isOne = each.length === 1;
  const together = (of: (one: (typeof each)[number]) => number) =>
    isOne ? of(each[0]!) : Math.sqrt(average((one, target) => (of(one) / unitOf(series, target)) ** 2));
  const rmse = together(one => one.rmse);
  const persistenceRmse = together(one => one.persistenceRmse);
  const seen = each.reduce((sum, { answers }) => sum + answers, 0) / horizon;
  return {
    rmse,
    persistenceRmse,
    rmseRatio: rmse / persistenceRmse,
    mase: average(({ mase }) => mase),
    smape: average(({ smape }) => smape),
    ...(season ? { seasonalRmse: together(one => one.seasonalRmse!) } : {}),
    ...(isOne
      ? {}
      : Object.fromEntries(
          each.flatMap(one => [
            [`rmse.${one.name}`, one.rmse],
            [`rmseRatio.${one.name}`, one.rmse / one.persistenceRmse],
            [`mase.${one.name}`, one.mase],
            [`smape.${one.name}`, one.smape],
          ]),
        )),
    ...Object.fromEntries(
      recordedSteps(horizon).map(step => [`rmseStep${step}`, Math.sqrt(sums[`step.${step}`]! / seen)]),
    ),
  };
}

/** The value `season` rows before row at + k, or as many seasons as it takes to be known at `at`; 1: the last known value. */
export function naiveAt(
  level: Column<Float64ArrayConstructor>,
  at: number,
  k: number,
  season: number,
): number {
  const from = at + k - season * Math.ceil((k + 1) / season);
  return level.get(from >= 0 ? from : at - 1);
}

export function naiveName(season: number | undefined): string {
  return season === undefined ? 'persistence' : `the value ${season} rows before`;
}

/** What the loss would be of the naive level over `ahead` rows: its implied changes where changes are modelled. */
export function naiveLoss(
  { targets, firstRow: difference }: PreparedSeries,
  { season = 1, quantiles }: ForecastData,
  ahead: number,
  places: Iterable<number>,
): number {
  let sum = 0;
  let count = 0;
  for (const at of places)
    for (let k = 0; k < ahead; k++)
      for (const { level, wanted, scale } of targets) {
        const naive = naiveAt(level, at, k, season);
        const before =
          k < difference ? level.get(at + k - difference) : naiveAt(level, at, k - difference, season);
        const implied = ((difference > 0 ? naive - before : naive) - scale.mean) / scale.std;
        const error = wanted.get(at + k) - implied;
        sum += quantiles
          ? quantiles.reduce((all, q) => all + pinball(error, q), 0) / quantiles.length
          : error ** 2;
        count++;
      }
  return count > 0 ? sum / count : Number.NaN;
}

/** Mean absolute error of the naive forecast over the training part: the scale of MASE (Hyndman & Koehler 2006). */
export function naiveError({ level, wanted }: TargetSeries, rows: number, season: number): number {
  let [sum, count] = [0, 0];
  for (let row = season; row < rows; row++) {
    if (Number.isNaN(wanted.get(row))) continue;
    sum += Math.abs(level.get(row) - level.get(row - season));
    count++;
  }
  return sum / count;
}

/** `error`: truth less prediction (Koenker & Bassett 1978). */
export function pinball(error: number, quantile: number): number {
  return Math.max(quantile * error, (quantile - 1) * error);
}

/** Mean over windows, rows, targets and quantiles. outputs (1, B, K · Q), targets (B · K). */
export function pinballLoss(outputs: Outputs, targets: Float32Array, quantiles: readonly number[]): Scalar {
  const said = appliedOutputs(outputs);
  const rows = targets.length;
  const error = sub(tensor2d(targets, [rows, 1]), reshape(said, [rows, quantiles.length]));
  // q e + relu(−e) is max(q e, (q − 1) e)
  return mean(add(mul(error, tensor2d(quantiles as number[], [1, quantiles.length])), relu(neg(error))));
}

export function scorePinball(
  outputs: Tensor3D,
  batch: Batch,
  quantiles: readonly number[],
  score: Score,
): void {
  const said = outputs.dataSync();
  const width = quantiles.length;
  batch.targets.forEach((truth, row) => {
    quantiles.forEach((quantile, at) => {
      score.lossSum += pinball(truth - said[row * width + at]!, quantile);
    });
    const inside = said[row * width]! <= truth && truth <= said[row * width + width - 1]!;
    score.sums['covered'] = (score.sums['covered'] ?? 0) + (inside ? 1 : 0);
  });
  score.count += batch.targets.length * width;
}
