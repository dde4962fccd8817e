// Forecasting: from a window of rows, the next `horizon` values of one column. Loss: mean squared error in units of
// the training part's standard deviation; baseline: persistence, the last known value for all of the horizon.
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
import { knownSizes } from '../../experiment/models.ts';
import type { Experiment } from '../../experiment/schema.ts';
import { widthOf } from '../../experiment/sizes.ts';
import { count, plural } from '../../experiment/words.ts';
import { toJsonNumber } from '../../runs/json.ts';
import type { Table } from '../data/csv.ts';
import { DataError } from '../data/errors.ts';
import { locateData } from '../data/locate.ts';
import { type ReadTable, readTable } from '../data/table.ts';
import { appliedOutputs, type Outputs } from '../engine/losses.ts';
import type { Model } from '../layers/model.ts';
import { randomStream } from '../random.ts';
import {
  forecastArtifact as artifact,
  type ForecastArtifact,
  levelsOf,
  pathOf,
} from './forecast-artifact.ts';
import { forecastSteps } from './forecast-steps.ts';
import type { TaskModule } from './module.ts';
import { type PreparedSeries, prepareSeries, windowsOf } from './series-data.ts';
import type { Batch, Score, Task } from './task.ts';
import { answersOf, scoreValues, valueLoss } from './values.ts';

type ForecastData = Extract<Experiment['data'], { task: 'forecast' }>;

const SHOWN_ROWS = 150;

export async function forecastTask(
  experiment: Experiment,
  data: ForecastData,
  { path, bytes }: { path: string; bytes?: number | undefined },
  known: ForecastArtifact | null,
): Promise<Task> {
  const features = data.features ?? [data.target];
  const { formats, scaling } = known ?? {};
  const read = await readTable(path, data.path, { ...data, features, formats, bytes });
  const trainShare = data.split[0];
  const series = prepareSeries(read.table, { ...data, features, trainShare, scaling }, data.path);
  const rows = series.level.length;
  const trainRows = Math.floor(rows * data.split[0]);
  const validRows = Math.floor(rows * (data.split[0] + data.split[1]));
  const first = series.firstRow + data.window;
  const part = (from: number, to: number) => scoredPlaces(series, Math.max(first, from), to, data.horizon);
  const train = part(first, trainRows);
  const valid = part(trainRows, validRows);
  const test = part(validRows, rows);
  const windows = train.length;
  if (windows < 1)
    throw new DataError(
      `${data.path} has ${plural(rows, 'usable row')}, its training part ${trainRows}: too few ${data.horizon > 1 ? 'in a row ' : ''}for a window of ${data.window} and a horizon of ${data.horizon}.`,
    );
  const { batchSize, seed, validation } = experiment.training;
  const size = Math.min(batchSize, windows);
  const perEpoch = Math.floor(windows / size);
  const orderOf = shuffles(windows, seed);
  const cut = cutter(series, data.window, data.horizon);

  function* batchesOf(places: Int32Array, most: number): Iterable<Batch> {
    for (let at = 0, count = 0; at < places.length && count < most; at += size, count++)
      yield cut(Array.from(places.subarray(at, at + size)));
  }
  const dateOf = datesOf(read.table);
  const baseline = naiveLoss(series, data, valid.length > 0 ? valid : train);
  const errorScale = naiveError(series, trainRows, data.season ?? 1);

  return {
    facts: {
      name: 'forecast',
      lossUnit: data.quantiles ? 'pinball' : 'mse',
      baseline: Number.isFinite(baseline) ? { loss: baseline, name: naiveName(data.season) } : null,
      seqLen: data.window,
      batchSize: size,
      tokensPerStep: size * data.window,
      notes: [...read.warnings, ...describe(data, read, series, windows, size, batchSize)],
    },
    warnings: read.warnings,
    read: { rows: read.table.rows, columns: read.table.columns.length },
    sizes: {
      input: { kind: 'vectors', features: series.width },
      outputs: data.horizon * (data.quantiles?.length ?? 1),
    },
    outputs: 'last-step',
    stream: false,
    trainingBatch(step) {
      const order = orderOf(Math.floor((step - 1) / perEpoch));
      const from = ((step - 1) % perEpoch) * size;
      return cut(Array.from(order.subarray(from, from + size), window => train[window]!));
    },
    epochOf: step => Math.floor((step - 1) / perEpoch),
    validationBatches: Math.min(validation.maxBatches, Math.ceil(valid.length / size)),
    validation: () => batchesOf(valid, validation.maxBatches),
    test: () => batchesOf(test, Number.POSITIVE_INFINITY),
    all: () => batchesOf(part(first, rows), Number.POSITIVE_INFINITY),
    loss: (outputs, targets, weights) =>
      data.quantiles
        ? pinballLoss(outputs, targets as Float32Array, data.quantiles)
        : valueLoss(outputs, targets, weights),
    score(outputs, batch, score) {
      if (data.quantiles) scorePinball(outputs, batch, data.quantiles, score);
      else scoreValues(outputs, batch, score);
      scoreLevels(outputs, batch as ForecastBatch, series, data, score);
    },
    metrics(score) {
      const { sums } = score;
      const answers = score.count / (data.quantiles?.length ?? 1);
      const rmse = Math.sqrt(sums['squaredError']! / answers);
      const persistenceRmse = Math.sqrt(sums['persistenceSquaredError']! / answers);
      return {
        rmse,
        persistenceRmse,
        rmseRatio: rmse / persistenceRmse,
        mase: sums['absoluteError']! / answers / errorScale,
        smape: sums['symmetricError']! / answers,
        ...(data.season ? { seasonalRmse: Math.sqrt(sums['seasonalSquaredError']! / answers) } : {}),
        ...(data.quantiles && data.quantiles.length > 1 ? { coverage: sums['covered']! / answers } : {}),
      };
    },
    *sample(model) {
      const shown = valid.length > 0 ? valid : train;
      const batch = cut(Array.from(shown.subarray(-SHOWN_ROWS)));
      yield;
      return sampleOf(model, batch, series, data, dateOf);
    },
    artifact: () => ({
      task: 'forecast',
      target: data.target,
      features,
      window: data.window,
      horizon: data.horizon,
      difference: data.difference,
      missing: data.missing,
      order: data.order,
      numbers: data.numbers ?? null,
      formats: formats ?? Object.fromEntries(read.table.formats),
      unreadable: data.unreadable,
      time: data.time ?? null,
      scaling: series.scaling,
      quantiles: data.quantiles ?? [],
      calendar: data.calendar ?? [],
    }),
  };
}

interface ForecastBatch extends Batch {
  /** first predicted row of each window */
  places: number[];
}

/** Where a window may end: all rows that it is to predict are known. */
function scoredPlaces(series: PreparedSeries, from: number, to: number, horizon: number): Int32Array {
  const places: number[] = [];
  let knownSince = from;
  for (let row = from; row < to; row++) {
    if (!series.known[row]) knownSince = row + 1;
    if (row - horizon + 1 >= knownSince) places.push(row - horizon + 1);
  }
  return Int32Array.from(places);
}

function cutter(series: PreparedSeries, window: number, horizon: number) {
  return (places: number[]): ForecastBatch => {
    const batch = places.length;
    const targets = new Float32Array(batch * horizon);
    places.forEach((at, row) => {
      targets.set(series.wanted.subarray(at, at + horizon), row * horizon);
    });
    return {
      seqLen: window,
      batch,
      input: windowsOf(series, places, window),
      targets,
      lengths: null,
      continues: false,
      places,
    };
  };
}

/** The order of the windows in each epoch: a function of the seed and the epoch alone. */
function shuffles(windows: number, seed: number): (epoch: number) => Uint32Array {
  let made: { epoch: number; order: Uint32Array } | null = null;
  return epoch => {
    if (made?.epoch === epoch) return made.order;
    const random = randomStream(seed, 'data/order', epoch);
    const order = Uint32Array.from({ length: windows }, (_, index) => index);
    for (let last = windows - 1; last > 0; last--) {
      const other = random.int(last + 1);
      [order[last], order[other]] = [order[other]!, order[last]!];
    }
    made = { epoch, order };
    return order;
  };
}

function scoreLevels(
  outputs: Tensor3D,
  batch: ForecastBatch,
  series: PreparedSeries,
  data: ForecastData,
  score: Score,
): void {
  const answers = outputs.dataSync();
  const { difference } = data;
  batch.places.forEach((at, row) => {
    const levels = levelsOf(pathOf(answers, row, data), at, series.level, series.wantedScale, difference);
    levels.forEach((predicted, k) => {
      const truth = series.level[at + k]!;
      const still = series.level[at - 1]!;
      const add = (name: string, value: number) => {
        score.sums[name] = (score.sums[name] ?? 0) + value;
      };
      const error = Math.abs(predicted - truth);
      add('squaredError', (predicted - truth) ** 2);
      add('persistenceSquaredError', (still - truth) ** 2);
      add('absoluteError', error);
      // both zero: right, and no division by zero
      add('symmetricError', error === 0 ? 0 : (2 * error) / (Math.abs(predicted) + Math.abs(truth)));
      if (data.season) add('seasonalSquaredError', (naiveAt(series, at, k, data.season) - truth) ** 2);
    });
  });
}

/** The value `season` rows before row at + k, or as many seasons as it takes to be known at `at`; 1: the last known value. */
function naiveAt({ level }: PreparedSeries, at: number, k: number, season: number): number {
  const from = at + k - season * Math.ceil((k + 1) / season);
  return level[from >= 0 ? from : at - 1]!;
}

function naiveName(season: number | undefined): string {
  return season === undefined ? 'persistence' : `the value ${season} rows before`;
}

/** What the loss would be of the naive level: its implied changes where changes are modelled. */
function naiveLoss(
  series: PreparedSeries,
  { horizon, season = 1, quantiles }: ForecastData,
  places: Int32Array,
): number {
  const { level, firstRow: difference, wantedScale, wanted } = series;
  let sum = 0;
  let count = 0;
  for (const at of places)
    for (let k = 0; k < horizon; k++) {
      const naive = naiveAt(series, at, k, season);
      const before =
        k < difference ? level[at + k - difference]! : naiveAt(series, at, k - difference, season);
      const implied = ((difference > 0 ? naive - before : naive) - wantedScale.mean) / wantedScale.std;
      const error = wanted[at + k]! - implied;
      sum += quantiles
        ? quantiles.reduce((all, q) => all + pinball(error, q), 0) / quantiles.length
        : error ** 2;
      count++;
    }
  return count > 0 ? sum / count : Number.NaN;
}

/** Mean absolute error of the naive forecast over the training part: the scale of MASE (Hyndman & Koehler 2006). */
function naiveError({ level, known }: PreparedSeries, rows: number, season: number): number {
  let [sum, count] = [0, 0];
  for (let row = season; row < rows; row++) {
    if (!known[row]) continue;
    sum += Math.abs(level[row]! - level[row - season]!);
    count++;
  }
  return sum / count;
}

/** `error`: truth less prediction (Koenker & Bassett 1978). */
export function pinball(error: number, quantile: number): number {
  return Math.max(quantile * error, (quantile - 1) * error);
}

/** Mean over windows, rows and quantiles. outputs (1, B, horizon · Q), targets (B · horizon). */
function pinballLoss(outputs: Outputs, targets: Float32Array, quantiles: readonly number[]): Scalar {
  const said = appliedOutputs(outputs);
  const rows = targets.length;
  const error = sub(tensor2d(targets, [rows, 1]), reshape(said, [rows, quantiles.length]));
  // q e + relu(−e) is max(q e, (q − 1) e)
  return mean(add(mul(error, tensor2d(quantiles as number[], [1, quantiles.length])), relu(neg(error))));
}

function scorePinball(outputs: Tensor3D, batch: Batch, quantiles: readonly number[], score: Score): void {
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

function sampleOf(
  model: Model,
  batch: ForecastBatch,
  series: PreparedSeries,
  data: ForecastData,
  dateOf: ((number: number) => number) | null,
) {
  const answers = answersOf(model, batch);
  const predicted = batch.places.map((at, row) =>
    levelsOf(pathOf(answers, row, data), at, series.level, series.wantedScale, data.difference),
  );
  const numbers = batch.places.map(at => series.numbers[at + data.horizon - 1]!);
  return {
    type: 'series' as const,
    index: numbers.map(number => number - 1),
    ...(dateOf && { dates: numbers.map(number => toJsonNumber(dateOf(number))) }),
    truth: batch.places.map(at => series.level[at + data.horizon - 1]!),
    prediction: predicted.map(levels => levels.at(-1)!),
    persistence: batch.places.map(at => series.level[at - 1]!),
    target: data.target,
  };
}

/** By the number of a row in the file: milliseconds since 1970. null: no column tells dates. */
function datesOf({ time, numbers }: Table): ((number: number) => number) | null {
  if (!time?.isDate) return null;
  const found = new Map(Array.from(numbers, (number, row) => [number, time.times[row]!]));
  return number => found.get(number) ?? Number.NaN;
}

function describe(
  data: ForecastData,
  { table, notes }: ReadTable,
  series: PreparedSeries,
  windows: number,
  size: number,
  asked: number,
): string[] {
  const rows = series.level.length;
  const all = [
    `${plural(rows, 'row')}, ${plural(windows, 'training window')} of ${data.window}; columns: ${table.columns.slice(0, 20).join(', ')}.`,
    ...notes,
  ];
  if (series.leftOut > 0)
    all.push(
      `The first ${plural(series.leftOut, 'row is', 'rows are')} left out: not all columns have begun there.`,
    );
  for (const [column, empty] of table.missing) {
    const strange = table.strange.get(column)!;
    const missing = empty + strange.count;
    if (missing === 0) continue;
    const which = strange.count > 0 ? ` (${count(strange.count)} are no number: ${strange.first})` : '';
    const share = (100 * missing) / table.rows;
    const target = column === data.target && data.missing !== 'drop' ? ', and they are never scored' : '';
    all.push(
      `"${column}" lacks ${count(missing)} of ${plural(table.rows, 'value')}, ${share < 1 ? share.toFixed(2) : share.toFixed(0)} %${which}: ${POLICY[data.missing]}${target}.`,
    );
  }
  if (size < asked)
    all.push(
      `Only ${plural(size, 'window fits', 'windows fit')} in the training part: batches have ${size} instead of ${asked}.`,
    );
  return all;
}

const POLICY = {
  error: 'refused',
  drop: 'their rows are left out',
  previous: 'the value before stands in',
  mask: 'the value before stands in, and a further input tells it',
  interpolate: 'they are interpolated where the window shows both ends',
} as const;

export const forecast: TaskModule<'forecast', typeof artifact> = {
  artifact,
  open: (experiment, data, place, known) =>
    forecastTask(experiment, data, { path: locateData(data.path, place), bytes: place.bytes }, known),
  sizes({ features, missing, horizon, quantiles, calendar }, experiment) {
    const sizes = knownSizes(experiment)!;
    const width = features.length * (missing === 'mask' ? 2 : 1) + 2 * calendar.length;
    const outputs = horizon * Math.max(1, quantiles.length);
    return widthOf(sizes.input) === width && sizes.outputs === outputs ? sizes : null;
  },
  stepping: own => forecastSteps(own),
  fault: ({ target, features, scaling }) =>
    [target, ...features].every(column => Object.hasOwn(scaling, column))
      ? null
      : 'it has no scaling for a column the model reads',
};
