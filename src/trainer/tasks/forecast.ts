// Forecasting: from a window of rows, the next `horizon` values of one column. Loss: mean squared error in units of
// the training part's standard deviation; baseline: persistence, the last known value for all of the horizon.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { Experiment } from '../../experiment/schema.ts';
import { count, plural } from '../../experiment/words.ts';
import { readCsv, type Table } from '../data/csv.ts';
import { DataError } from '../data/errors.ts';
import type { Model } from '../layers/model.ts';
import { randomStream } from '../random.ts';
import { fillMissing, type PreparedSeries, prepareSeries } from './series-data.ts';
import type { Batch, Score, Task } from './task.ts';
import { answersOf, scoreValues, valueLoss } from './values.ts';

type ForecastData = Extract<Experiment['data'], { task: 'forecast' }>;

/** A window reads the rows before `at` and predicts `at` and what follows. */
interface Part {
  from: number;
  to: number;
}

const SHOWN_ROWS = 150;

export async function forecastTask(experiment: Experiment, data: ForecastData, path: string): Promise<Task> {
  const features = data.features ?? [data.target];
  const table = await readCsv(path, data.path, [...new Set([data.target, ...features])]);
  const columns = fillMissing(table, data.missing, data.path);
  const rows = columns.get(data.target)!.length;
  const trainRows = Math.floor(rows * data.split[0]);
  const validRows = Math.floor(rows * (data.split[0] + data.split[1]));
  const series = prepareSeries(columns, { ...data, features, trainRows }, data.path);
  const first = series.firstRow + data.window;
  const part = (from: number, to: number): Part => ({
    from: Math.max(first, from),
    to: to - data.horizon + 1,
  });
  const train = part(first, trainRows);
  const valid = part(trainRows, validRows);
  const test = part(validRows, rows);
  const windows = train.to - train.from;
  if (windows < 1)
    throw new DataError(
      `${data.path} has ${plural(rows, 'usable row')}, its training part ${trainRows}: too few for a window of ${data.window} and a horizon of ${data.horizon}.`,
    );
  const { batchSize, seed, validation } = experiment.training;
  const size = Math.min(batchSize, windows);
  const perEpoch = Math.floor(windows / size);
  const orderOf = shuffles(windows, seed);
  const cut = cutter(series, data.window, data.horizon, features.length);

  function* batchesOf({ from, to }: Part, most: number): Iterable<Batch> {
    for (let at = from, count = 0; at < to && count < most; at += size, count++)
      yield cut(Array.from({ length: Math.min(size, to - at) }, (_, index) => at + index));
  }

  return {
    facts: {
      name: 'forecast',
      lossUnit: 'mse',
      baseline: {
        loss: persistenceLoss(series, data.horizon, valid.to > valid.from ? valid : train),
        name: 'persistence',
      },
      seqLen: data.window,
      batchSize: size,
      tokensPerStep: size * data.window,
      notes: describe(data, table, rows, windows, size, batchSize),
    },
    sizes: { input: { kind: 'vectors', features: features.length }, outputs: data.horizon },
    outputs: 'last-step',
    stream: false,
    trainingBatch(step) {
      const order = orderOf(Math.floor((step - 1) / perEpoch));
      const from = ((step - 1) % perEpoch) * size;
      return cut(Array.from(order.subarray(from, from + size), window => train.from + window));
    },
    epochOf: step => Math.floor((step - 1) / perEpoch),
    validationBatches: Math.min(
      validation.maxBatches,
      Math.max(0, Math.ceil((valid.to - valid.from) / size)),
    ),
    validation: () => batchesOf(valid, validation.maxBatches),
    test: () => batchesOf(test, Number.POSITIVE_INFINITY),
    loss: valueLoss,
    score(outputs, batch, score) {
      scoreValues(outputs, batch, score);
      scoreLevels(outputs, batch as ForecastBatch, series, data, score);
    },
    metrics(score) {
      const rmse = Math.sqrt(score.sums['squaredError']! / score.count);
      const persistenceRmse = Math.sqrt(score.sums['persistenceSquaredError']! / score.count);
      return { rmse, persistenceRmse, rmseRatio: rmse / persistenceRmse };
    },
    *sample(model) {
      const shown = valid.to > valid.from ? valid : train;
      const from = Math.max(shown.from, shown.to - SHOWN_ROWS);
      return sampleOf(
        model,
        cut(Array.from({ length: shown.to - from }, (_, index) => from + index)),
        series,
        data,
      );
    },
    artifact: () => ({
      task: 'forecast',
      target: data.target,
      features,
      window: data.window,
      horizon: data.horizon,
      difference: data.difference,
      missing: data.missing,
      scaling: series.scaling,
    }),
  };
}

interface ForecastBatch extends Batch {
  /** first predicted row of each window */
  places: number[];
}

function cutter(series: PreparedSeries, window: number, horizon: number, features: number) {
  return (places: number[]): ForecastBatch => {
    const batch = places.length;
    const input = new Float32Array(window * batch * features);
    const targets = new Float32Array(batch * horizon);
    places.forEach((at, row) => {
      for (let t = 0; t < window; t++) {
        const from = (at - window + t) * features;
        input.set(series.inputs.subarray(from, from + features), (t * batch + row) * features);
      }
      targets.set(series.wanted.subarray(at, at + horizon), row * horizon);
    });
    return { seqLen: window, batch, input, targets, lengths: null, continues: false, places };
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

/**
 * Predicted levels from scaled predictions: the value itself, or the level `difference` rows before plus the change,
 * where a level that is not known yet is the predicted one.
 */
export function levelsOf(
  scaled: ArrayLike<number>,
  at: number,
  level: ArrayLike<number>,
  scale: { mean: number; std: number },
  difference: number,
): number[] {
  const levels: number[] = [];
  for (let k = 0; k < scaled.length; k++) {
    const value = scaled[k]! * scale.std + scale.mean;
    const before = k < difference ? level[at + k - difference]! : levels[k - difference]!;
    levels.push(difference > 0 ? before + value : value);
  }
  return levels;
}

function scoreLevels(
  outputs: Tensor3D,
  batch: ForecastBatch,
  series: PreparedSeries,
  data: ForecastData,
  score: Score,
): void {
  const answers = outputs.dataSync();
  const { horizon, difference } = data;
  batch.places.forEach((at, row) => {
    const levels = levelsOf(
      answers.subarray(row * horizon, (row + 1) * horizon),
      at,
      series.level,
      series.wantedScale,
      difference,
    );
    levels.forEach((predicted, k) => {
      const truth = series.level[at + k]!;
      const still = series.level[at - 1]!;
      score.sums['squaredError'] = (score.sums['squaredError'] ?? 0) + (predicted - truth) ** 2;
      score.sums['persistenceSquaredError'] =
        (score.sums['persistenceSquaredError'] ?? 0) + (still - truth) ** 2;
    });
  });
}

/** What the loss would be if the last known level stayed: its implied changes where changes are modelled. */
function persistenceLoss(series: PreparedSeries, horizon: number, { from, to }: Part): number {
  const { level, firstRow: difference, wantedScale, wanted } = series;
  let sum = 0;
  let count = 0;
  for (let at = from; at < to; at++)
    for (let k = 0; k < horizon; k++) {
      const still = level[at - 1]!;
      const before = k < difference ? level[at + k - difference]! : still;
      const implied = ((difference > 0 ? still - before : still) - wantedScale.mean) / wantedScale.std;
      sum += (implied - wanted[at + k]!) ** 2;
      count++;
    }
  return count > 0 ? sum / count : Number.NaN;
}

function sampleOf(model: Model, batch: ForecastBatch, series: PreparedSeries, data: ForecastData) {
  const answers = answersOf(model, batch);
  const predicted = batch.places.map((at, row) =>
    levelsOf(
      answers.subarray(row * data.horizon, row * data.horizon + data.horizon),
      at,
      series.level,
      series.wantedScale,
      data.difference,
    ),
  );
  return {
    type: 'forecast' as const,
    index: batch.places.map(at => at + data.horizon - 1),
    truth: batch.places.map(at => series.level[at + data.horizon - 1]!),
    prediction: predicted.map(levels => levels.at(-1)!),
    persistence: batch.places.map(at => series.level[at - 1]!),
    target: data.target,
  };
}

function describe(
  data: ForecastData,
  table: Table,
  rows: number,
  windows: number,
  size: number,
  asked: number,
): string[] {
  const notes = [
    `${plural(rows, 'row')}, ${plural(windows, 'training window')} of ${data.window}; columns: ${table.columns.slice(0, 20).join(', ')}.`,
  ];
  for (const [column, missing] of table.missing)
    if (missing > 0) {
      const strange = table.strange.get(column);
      const which = strange ? ` (no number: ${strange})` : '';
      notes.push(
        `"${column}" lacks ${count(missing)} of ${plural(table.rows, 'value')}${which}: ${POLICY[data.missing]}.`,
      );
    }
  if (size < asked)
    notes.push(
      `Only ${plural(size, 'window fits', 'windows fit')} in the training part: batches have ${size} instead of ${asked}.`,
    );
  return notes;
}

const POLICY = {
  error: 'refused',
  drop: 'their rows are left out',
  previous: 'the value before stands in',
  interpolate: 'interpolated',
} as const;
