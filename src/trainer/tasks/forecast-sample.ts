// What a forecaster shows: its predictions of the newest rows of validation, some whole paths, and the errors by row ahead
// and by origin.
import { targetsOf } from '../../experiment/tasks/forecast.ts';
import type { Sample } from '../../runs/format.ts';
import { toJsonNumber } from '../../runs/json.ts';
import type { Column } from '../data/storage.ts';
import type { PreparedSeries } from './series-data.ts';

type SeriesSample = Extract<Sample, { type: 'series' }>;

/** Origins whose whole path is shown. */
const PATHS = 6;

export interface Forecasts {
  /** first predicted row of each window */
  places: readonly number[];
  /** predicted, by window, target and row ahead */
  levels: readonly (readonly (readonly number[])[])[];
}

export function forecastSample(
  { places, levels }: Forecasts,
  series: PreparedSeries,
  { target, horizon }: { target: string | readonly string[]; horizon: number },
  dateOf: ((row: number) => number) | null,
): SeriesSample {
  const index = (rows: readonly number[]) => {
    return {
      index: rows.map(row => series.numbers.get(row) - 1),
      ...(dateOf && { dates: rows.map(row => toJsonNumber(dateOf(row))) }),
    };
  };
  const ofTarget = (own: number) => {
    const { level } = series.targets[own]!;
    const rows = levels.map(paths => paths[own]!);
    return {
      truth: places.map(at => level.get(at + horizon - 1)),
      prediction: rows.map(path => path.at(-1)!),
      persistence: places.map(at => level.get(at - 1)),
      target: targetsOf(target)[own]!,
      ...(horizon > 1 && {
        paths: shownOrigins(places.length).map(row => ({
          ...index(Array.from({ length: horizon }, (_, k) => places[row]! + k)),
          prediction: rows[row]!.map(toJsonNumber),
        })),
        steps: stepErrors(rows, places, level, horizon),
        origins: {
          ...index(places.map(at => at - 1)),
          rmse: rows.map((path, row) =>
            toJsonNumber(rootOf(path.map((y, k) => y - level.get(places[row]! + k)))),
          ),
          persistence: rows.map((path, row) =>
            toJsonNumber(
              rootOf(path.map((_, k) => level.get(places[row]! - 1) - level.get(places[row]! + k))),
            ),
          ),
        },
      }),
    };
  };
  const [first, ...others] = series.targets.map((_, own) => ofTarget(own));
  return {
    type: 'series',
    ...index(places.map(at => at + horizon - 1)),
    ...first!,
    ...(others.length > 0 && { others }),
  };
}

/** Evenly spaced, the newest one among them. */
function shownOrigins(count: number): number[] {
  const all = Math.min(PATHS, count);
  return Array.from(
    { length: all },
    (_, at) => count - 1 - Math.round(((all - 1 - at) * (count - 1)) / Math.max(1, all - 1)),
  );
}

/** Root mean squared errors over the origins, by row ahead. */
function stepErrors(
  paths: readonly (readonly number[])[],
  places: readonly number[],
  level: Column<Float64ArrayConstructor>,
  horizon: number,
) {
  const steps = Array.from({ length: horizon }, (_, k) => k);
  const by = (errorAt: (row: number, k: number) => number) =>
    steps.map(k => toJsonNumber(rootOf(places.map((_, row) => errorAt(row, k)))));
  return {
    rmse: by((row, k) => paths[row]![k]! - level.get(places[row]! + k)),
    persistence: by((row, k) => level.get(places[row]! - 1) - level.get(places[row]! + k)),
  };
}

function rootOf(errors: readonly number[]): number {
  return Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
}
