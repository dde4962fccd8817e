// Forecasting: from a window of rows, the next `horizon` values of one column or several. Loss: mean squared error in units
// of the training part's standard deviation; baseline: persistence, the last known value for all of the horizon.
import { knownSizes } from '../../experiment/models.ts';
import type { Experiment } from '../../experiment/schema.ts';
import { widthOf } from '../../experiment/sizes.ts';
import { aheadOf, targetsOf, widthsOf } from '../../experiment/tasks/forecast.ts';
import type { DataOf } from '../../experiment/tasks/index.ts';
import { count, plural } from '../../experiment/words.ts';
import { BadRows } from '../data/bad-rows.ts';
import type { Table } from '../data/csv.ts';
import { DataError } from '../data/errors.ts';
import { locateData } from '../data/locate.ts';
import type { FilePart } from '../data/readers/reader.ts';
import type { Storage } from '../data/storage.ts';
import { type ReadTable, readTable } from '../data/table.ts';
import { randomStream } from '../random.ts';
import { forecastArtifact as artifact, type ForecastArtifact } from './forecast-artifact.ts';
import { goOn, levelPaths, pathsOf, saidPaths } from './forecast-paths.ts';
import { forecastSample } from './forecast-sample.ts';
import {
  levelFigures,
  naiveError,
  naiveLoss,
  naiveName,
  pinballLoss,
  scoreLevels,
  scorePinball,
} from './forecast-scores.ts';
import { forecastSteps } from './forecast-steps.ts';
import type { TaskModule } from './module.ts';
import { Places, scattered } from './places.ts';
import { inputWidth, type PreparedSeries, prepareSeries, windowsOf } from './series-data.ts';
import type { Batch, Task } from './task.ts';
import { scoreValues, valueLoss } from './values.ts';

type ForecastData = DataOf<'forecast'>;

const SHOWN_ROWS = 150;
/** Windows whose order in an epoch is held in memory. */
const MOST_LISTED = 1 << 23;

export async function forecastTask(
  experiment: Experiment,
  data: ForecastData,
  { path, part, storage }: { path: string; part?: FilePart | undefined; storage?: Storage | undefined },
  known: ForecastArtifact | null,
): Promise<Task> {
  const targets = targetsOf(data.target);
  const features = data.features ?? targets;
  const ahead = aheadOf(data);
  const plan = { ...data, features };
  const { formats, scaling } = known ?? {};
  const bad = new BadRows(data.onError);
  const read = await readTable(path, data.path, { ...data, targets, features, formats, part, bad, storage });
  const trainShare = data.split[0];
  const series = prepareSeries(
    read.table,
    { ...data, targets, features, ahead, trainShare, scaling },
    data.path,
  );
  const { rows } = series;
  const trainRows = Math.floor(rows * data.split[0]);
  const validRows = Math.floor(rows * (data.split[0] + data.split[1]));
  const first = series.firstRow + data.window;
  const within = (from: number, to: number, horizon = data.horizon) =>
    scoredPlaces(series, Math.max(first, from), to, horizon);
  // the rows from which a part is forecast
  const origins = (from: number, to: number) => {
    const places = within(from, to);
    return data.stride === 1 || places.length === 0 ? places : places.every(data.stride);
  };
  const train = within(first, trainRows, ahead);
  const valid = origins(trainRows, validRows);
  const test = origins(validRows, rows);
  const windows = train.length;
  if (windows < 1)
    throw new DataError(
      `${data.path} has ${plural(rows, 'usable row')}, its training part ${trainRows}: too few ${ahead > 1 ? 'in a row ' : ''}for a window of ${data.window} and a horizon of ${ahead}.`,
    );
  const { batchSize, seed, validation } = experiment.training;
  const size = Math.min(batchSize, windows);
  const perEpoch = Math.floor(windows / size);
  const orderOf = shuffles(windows, seed);
  const cut = cutter(series, data.window, ahead);
  const shown = valid.length > 0 ? valid : origins(first, trainRows);

  function* batchesOf(places: Places, most: number): Iterable<Batch> {
    for (let at = 0, count = 0; at < places.length && count < most; at += size, count++)
      yield cut(places.slice(at, at + size));
  }
  const dateOf = datesOf(read.table, series);
  const baseline = naiveLoss(series, data, ahead, valid.length > 0 ? valid : train);
  const errorScales = series.targets.map(target => naiveError(target, trainRows, data.season ?? 1));

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
    read: { rows: read.table.rows, columns: read.table.columns.length, ...bad.read() },
    sizes: {
      input: { kind: 'vectors', features: inputWidth(series) },
      outputs: widthsOf(data).outputs,
    },
    outputs: 'last-step',
    stream: false,
    trainingBatch(step) {
      const order = orderOf(Math.floor((step - 1) / perEpoch));
      const from = ((step - 1) % perEpoch) * size;
      return cut(Array.from({ length: size }, (_, index) => train.at(order(from + index))));
    },
    epochOf: step => Math.floor((step - 1) / perEpoch),
    validationBatches: Math.min(validation.maxBatches, Math.ceil(valid.length / size)),
    validation: () => batchesOf(valid, validation.maxBatches),
    test: () => batchesOf(test, Number.POSITIVE_INFINITY),
    all: () => batchesOf(origins(first, rows), Number.POSITIVE_INFINITY),
    loss: (outputs, targets, weights) =>
      data.quantiles
        ? pinballLoss(outputs, targets as Float32Array, data.quantiles)
        : valueLoss(outputs, targets, weights),
    score(outputs, batch, score, model) {
      if (data.quantiles) scorePinball(outputs, batch, data.quantiles, score);
      else scoreValues(outputs, batch, score);
      const { places } = batch as ForecastBatch;
      let paths = saidPaths(outputs.dataSync(), places.length, plan);
      if (ahead < data.horizon && model) {
        paths = goOn(model, series, places, plan, batch.input as Float32Array, paths);
        score.sums['freeError'] = (score.sums['freeError'] ?? 0) + freeError(paths, places, series);
      }
      scoreLevels(levelPaths(paths, places, series, plan), places, series, data, score);
    },
    metrics(score) {
      const { sums } = score;
      const answers = score.count / (data.quantiles?.length ?? 1);
      return {
        ...levelFigures(score, series, errorScales, data),
        ...(ahead < data.horizon ? { freeLoss: sums['freeError']! / (answers * data.horizon) } : {}),
        ...(data.quantiles && data.quantiles.length > 1 ? { coverage: sums['covered']! / answers } : {}),
      };
    },
    *sample(model) {
      const places = shown.slice(Math.max(0, shown.length - SHOWN_ROWS), shown.length);
      yield;
      const levels = levelPaths(pathsOf(model, series, places, plan), places, series, plan);
      return forecastSample({ places, levels }, series, data, dateOf);
    },
    artifact: () => ({
      task: 'forecast',
      target: data.target,
      features: [...features],
      ...(data.known && { known: data.known }),
      ...(data.strategy !== 'direct' && { strategy: data.strategy }),
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

/** Sum of the squared errors of paths, scaled as the loss is. */
function freeError(
  paths: readonly (readonly (readonly number[])[])[],
  places: readonly number[],
  { targets }: PreparedSeries,
): number {
  let sum = 0;
  paths.forEach((own, row) => {
    own.forEach((path, target) => {
      path.forEach((value, k) => {
        sum += (value - targets[target]!.wanted.get(places[row]! + k)) ** 2;
      });
    });
  });
  return sum;
}

interface ForecastBatch extends Batch {
  /** first predicted row of each window */
  places: number[];
}

/** Where a window may end: all rows that it is to predict are known. */
function scoredPlaces(series: PreparedSeries, from: number, to: number, horizon: number): Places {
  const places = new Places();
  let knownSince = from;
  for (let row = from; row < to; row++) {
    if (!series.known.get(row)) knownSince = row + 1;
    if (row - horizon + 1 >= knownSince) places.push(row - horizon + 1);
  }
  return places;
}

function cutter(series: PreparedSeries, window: number, ahead: number) {
  const { targets } = series;
  return (places: number[]): ForecastBatch => {
    const batch = places.length;
    const wanted = new Float32Array(batch * ahead * targets.length);
    places.forEach((at, row) => {
      targets.forEach((target, own) => {
        target.wanted.slice(at, at + ahead).forEach((value, k) => {
          wanted[(row * ahead + k) * targets.length + own] = value;
        });
      });
    });
    return {
      seqLen: window,
      batch,
      input: windowsOf(series, places, window),
      targets: wanted,
      lengths: null,
      continues: false,
      places,
    };
  };
}

/** The order of the windows in each epoch: a function of the seed and the epoch alone. */
function shuffles(windows: number, seed: number): (epoch: number) => (index: number) => number {
  let made: { epoch: number; order: (index: number) => number } | null = null;
  return epoch => {
    if (made?.epoch === epoch) return made.order;
    if (windows > MOST_LISTED) {
      made = { epoch, order: scattered(windows, seed, epoch) };
      return made.order;
    }
    const random = randomStream(seed, 'data/order', epoch);
    const order = Uint32Array.from({ length: windows }, (_, index) => index);
    for (let last = windows - 1; last > 0; last--) {
      const other = random.int(last + 1);
      [order[last], order[other]] = [order[other]!, order[last]!];
    }
    made = { epoch, order: index => order[index]! };
    return made.order;
  };
}

/** By row: milliseconds since 1970. null: no column tells dates. */
function datesOf({ time }: Table, { tableRow }: PreparedSeries): ((row: number) => number) | null {
  return time?.isDate ? row => time.times.get(tableRow(row)) : null;
}

function describe(
  data: ForecastData,
  { table, notes }: ReadTable,
  series: PreparedSeries,
  windows: number,
  size: number,
  asked: number,
): string[] {
  const { rows } = series;
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
    const target =
      targetsOf(data.target).includes(column) && data.missing !== 'drop' ? ', and they are never scored' : '';
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
    forecastTask(experiment, data, { ...place, path: locateData(data.path, place) }, known),
  sizes(own, experiment) {
    const sizes = knownSizes(experiment)!;
    const { features, outputs } = widthsOf(own);
    return widthOf(sizes.input) === features && sizes.outputs === outputs ? sizes : null;
  },
  stepping: own => forecastSteps(own),
  fault: ({ target, features, known, scaling }) =>
    [...targetsOf(target), ...features, ...known].every(column => Object.hasOwn(scaling, column))
      ? null
      : 'it has no scaling for a column the model reads',
};
