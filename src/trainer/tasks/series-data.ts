// A table's columns made ready for forecasting: missing values filled from what is before, differences taken, scaled by
// the training part. Nothing a window shows is later than the window.
import type { Table } from '../data/csv.ts';
import { DataError } from '../data/errors.ts';

export type MissingPolicy = 'error' | 'drop' | 'previous' | 'mask' | 'interpolate';

export interface Scale {
  mean: number;
  std: number;
}

/** One of the columns to predict. */
export interface TargetSeries {
  name: string;
  /** in its own unit, by row; where it is missing, the value before */
  level: Float64Array;
  /** its value or change, scaled; NaN where it is not known */
  wanted: Float32Array;
  scale: Scale;
}

export interface PreparedSeries {
  rows: number;
  targets: TargetSeries[];
  /** whether all targets of this row were there, and with them the changes that are modelled: only such rows are scored */
  known: Uint8Array;
  /** what the model reads of a row itself: (rows, width), scaled, row-major; missing values are the ones before */
  inputs: Float32Array;
  /** numbers of a row: the features; with "mask", one more for each; the calendar */
  width: number;
  /** the same where a value is interpolated, with the row that it takes from the future; null for other policies */
  interpolated: { inputs: Float32Array; until: Int32Array } | null;
  /** what is known in advance: (rows, columns), scaled; each row is read with the values of the next `steps` rows */
  ahead: { values: Float32Array; columns: number; steps: number };
  /** first row with a known change */
  firstRow: number;
  /** number of each row in the file, from 1 */
  numbers: Int32Array;
  /** rows before the first one that has all columns */
  leftOut: number;
  scaling: Record<string, Scale>;
}

export type Cycle = 'hour' | 'weekday' | 'day' | 'month';

export interface SeriesOptions {
  targets: readonly string[];
  features: readonly string[];
  /** columns known in advance, and of how many rows to come each row tells them */
  known?: readonly string[] | undefined;
  ahead?: number | undefined;
  difference: number;
  missing: MissingPolicy;
  /** share of the rows that scaling is fitted on */
  trainShare: number;
  /** cycles of the column of dates that are inputs too */
  calendar?: readonly Cycle[] | undefined;
  /** a finished run's scaling, instead of fitting */
  scaling?: Record<string, Scale> | undefined;
  /** rows at the end of the table that are still to come: of them only what is known in advance is there */
  toCome?: number | undefined;
}

/** @throws DataError for missing values under the policy "error", or a column that never changes */
export function prepareSeries(table: Table, options: SeriesOptions, name: string): PreparedSeries {
  const { targets, features, known: told = [], difference, missing } = options;
  const { columns, numbers, leftOut, places } = usableRows(table, missing, name, options);
  const cycles = options.calendar ?? [];
  const turns = cyclesOf(table, cycles, places, name);
  const rows = numbers.length;
  const trainRows = Math.floor(rows * options.trainShare);
  const carried = new Map([...columns].map(([column, values]) => [column, carry(values)]));
  const isChange = (column: string) => difference > 0 && targets.includes(column);
  const isKnown = (column: string, row: number) => {
    const raw = columns.get(column)!;
    return (
      !Number.isNaN(raw[row]!) &&
      (!isChange(column) || (row >= difference && !Number.isNaN(raw[row - difference]!)))
    );
  };
  const modelled = (values: Float64Array, column: string) =>
    isChange(column) ? changes(values, difference) : values;

  const scaling: Record<string, Scale> = {};
  for (const column of new Set([...targets, ...features, ...told])) {
    const values = modelled(carried.get(column)!, column);
    const fitted = () =>
      values.slice(0, trainRows).filter((_, row) => row >= difference && isKnown(column, row));
    scaling[column] = options.scaling?.[column] ?? fitScale(fitted(), column, name);
  }

  const own = features.length * (missing === 'mask' ? 2 : 1);
  const width = own + 2 * cycles.length;
  const scaled = (source: ReadonlyMap<string, Float64Array>): Float32Array => {
    const inputs = new Float32Array(rows * width);
    features.forEach((column, place) => {
      const { mean, std } = scaling[column]!;
      const values = modelled(source.get(column)!, column);
      for (let row = 0; row < rows; row++) {
        inputs[row * width + place] = (values[row]! - mean) / std;
        if (own > features.length)
          inputs[row * width + features.length + place] = isKnown(column, row) ? 0 : 1;
      }
    });
    for (let row = 0; row < rows; row++)
      for (let at = 0; at < 2 * cycles.length; at++)
        inputs[row * width + own + at] = turns[row * 2 * cycles.length + at]!;
    return inputs;
  };
  const ahead = new Float32Array(rows * told.length);
  told.forEach((column, place) => {
    const { mean, std } = scaling[column]!;
    carried.get(column)!.forEach((value, row) => {
      ahead[row * told.length + place] = (value - mean) / std;
    });
  });
  const series = {
    rows,
    targets: targets.map(column => {
      const level = carried.get(column)!;
      const scale = scaling[column]!;
      const wanted = Float32Array.from(modelled(level, column), (value, row) =>
        isKnown(column, row) ? (value - scale.mean) / scale.std : Number.NaN,
      );
      return { name: column, level, wanted, scale };
    }),
    known: Uint8Array.from({ length: rows }, (_, row) =>
      targets.every(column => isKnown(column, row)) ? 1 : 0,
    ),
    inputs: scaled(carried),
    width,
    interpolated: missing === 'interpolate' ? interpolated(columns, features, scaled, rows) : null,
    ahead: { values: ahead, columns: told.length, steps: options.ahead ?? 1 },
    firstRow: difference,
    numbers,
    leftOut,
    scaling,
  };
  requireFinite(series, features, told, name);
  return series;
}

/** Numbers that the model reads at each row: the row's own, then what is known of the rows to come. */
export function inputWidth({ width, ahead }: PreparedSeries): number {
  return width + ahead.columns * ahead.steps;
}

/** Windows of the rows before each place: (window, places, width). */
export function windowsOf(series: PreparedSeries, places: readonly number[], window: number): Float32Array {
  const { width, interpolated, rows } = series;
  const all = inputWidth(series);
  const input = new Float32Array(window * places.length * all);
  places.forEach((at, index) => {
    for (let t = 0; t < window; t++) {
      const from = (at - window + t) * width;
      const to = (t * places.length + index) * all;
      readRow(series, at - window + t, input, to);
      if (!interpolated) continue;
      // a line to a value that the window does not show would tell it
      const features = interpolated.until.length / rows;
      for (let k = 0; k < features; k++)
        if (interpolated.until[(at - window + t) * features + k]! < at)
          input[to + k] = interpolated.inputs[from + k]!;
    }
  });
  return input;
}

/** What the model reads at a row, with missing values as the ones before. */
export function readRow(series: PreparedSeries, row: number, input: Float32Array, to: number): void {
  const { inputs, width, ahead } = series;
  input.set(inputs.subarray(row * width, (row + 1) * width), to);
  const from = (row + 1) * ahead.columns;
  input.set(ahead.values.subarray(from, from + ahead.columns * ahead.steps), to + width);
}

const PERIODS: Readonly<Record<Cycle, (date: Date) => number>> = {
  hour: date => (date.getUTCHours() + date.getUTCMinutes() / 60) / 24,
  weekday: date => date.getUTCDay() / 7,
  day: date => (date.getUTCDate() - 1) / 31,
  month: date => date.getUTCMonth() / 12,
};

/** (rows, 2 · cycles): the sine and cosine of each cycle. @throws DataError without dates */
function cyclesOf(
  table: Table,
  cycles: readonly Cycle[],
  places: ArrayLike<number>,
  name: string,
): Float32Array {
  const turns = new Float32Array(places.length * 2 * cycles.length);
  if (cycles.length === 0) return turns;
  const { time } = table;
  if (!time?.isDate)
    throw new DataError(
      `${name} has no column of dates for "calendar"; name one with "time", or leave it out.`,
    );
  for (let row = 0; row < places.length; row++) {
    const moment = time.times[places[row]!]!;
    if (Number.isNaN(moment))
      throw new DataError(
        `${name}, line ${table.lines[places[row]!]}: "${time.column}" has no date, and "calendar" needs one.`,
      );
    const date = new Date(moment);
    cycles.forEach((cycle, at) => {
      const angle = 2 * Math.PI * PERIODS[cycle](date);
      turns[(row * cycles.length + at) * 2] = Math.sin(angle);
      turns[(row * cycles.length + at) * 2 + 1] = Math.cos(angle);
    });
  }
  return turns;
}

interface UsableRows {
  /** rows of the table */
  places: ArrayLike<number>;
  /** NaN where a value is missing */
  columns: Map<string, Float64Array>;
  numbers: Int32Array;
  leftOut: number;
}

/** Rows from the first one on that has all columns; with "drop", only those that have them. */
function usableRows(
  table: Table,
  policy: MissingPolicy,
  name: string,
  { toCome = 0, known = [] }: SeriesOptions,
): UsableRows {
  const columns = [...table.values];
  const told = columns.filter(([column]) => known.includes(column));
  const hole = (row: number) =>
    (row < table.rows - toCome ? columns : told).find(([, values]) => Number.isNaN(values[row]));
  const take = (rows: ArrayLike<number>, leftOut: number): UsableRows => ({
    columns: new Map(
      columns.map(([column, values]) => [column, Float64Array.from(rows, row => values[row]!)]),
    ),
    numbers: Int32Array.from(rows, row => table.numbers[row]!),
    places: rows,
    leftOut,
  });
  const all = Array.from({ length: table.rows }, (_, row) => row);
  if (policy === 'error') {
    const row = all.find(row => hole(row));
    if (row !== undefined)
      throw new DataError(
        `${name}, line ${table.lines[row]}: "${hole(row)![0]}" has no value; "missing" can be "previous", "mask", "interpolate" or "drop".`,
      );
  }
  if (policy === 'drop') {
    const kept = all.filter(row => !hole(row));
    if (kept.length === 0) throw new DataError(`${name}: every row has a missing value.`);
    return take(kept, 0);
  }
  const first = columns.reduce(
    (latest, [, values]) =>
      Math.max(
        latest,
        values.findIndex(value => !Number.isNaN(value)),
      ),
    0,
  );
  return take(all.slice(first), first);
}

/** The value before. */
function carry(values: Float64Array): Float64Array {
  let last = values[0]!;
  return values.map(value => {
    if (!Number.isNaN(value)) last = value;
    return last;
  });
}

function interpolated(
  columns: ReadonlyMap<string, Float64Array>,
  features: readonly string[],
  scaled: (source: ReadonlyMap<string, Float64Array>) => Float32Array,
  rows: number,
): PreparedSeries['interpolated'] {
  const lines = new Map([...columns].map(([column, values]) => [column, interpolate(values)]));
  const until = new Int32Array(rows * features.length);
  features.forEach((column, place) => {
    lines.get(column)!.until.forEach((row, at) => {
      until[at * features.length + place] = row;
    });
  });
  return { inputs: scaled(new Map([...lines].map(([column, { filled }]) => [column, filled]))), until };
}

/** Holes on a line between their ends; `until`: the row whose value a row needs, itself where it is there. */
function interpolate(values: Float64Array): { filled: Float64Array; until: Int32Array } {
  const filled = carry(values);
  const until = Int32Array.from(values.keys());
  for (let row = 1; row < values.length; row++) {
    if (!Number.isNaN(values[row])) continue;
    let next = row;
    while (next < values.length && Number.isNaN(values[next])) next++;
    const before = filled[row - 1]!;
    // a hole that has no end is the value before
    for (let at = row; at < next && next < values.length; at++) {
      filled[at] = before + ((values[next]! - before) * (at - row + 1)) / (next - row + 1);
      until[at] = next;
    }
    row = next;
  }
  return { filled, until };
}

function changes(level: Float64Array, over: number): Float64Array {
  return level.map((value, row) => (row < over ? Number.NaN : value - level[row - over]!));
}

function fitScale(values: Float64Array, column: string, name: string): Scale {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let variance = 0;
  for (const value of values) variance += (value - mean) ** 2 / values.length;
  const std = Math.sqrt(variance);
  if (!Number.isFinite(std))
    throw new DataError(`The column "${column}" of ${name} holds numbers too large to compute with.`);
  if (!(std > 1e-12 * Math.max(1, Math.abs(mean))))
    throw new DataError(
      `The column "${column}" of ${name} never changes in its training part: there is nothing to learn from it.`,
    );
  return { mean, std };
}

/** Scaled values that float32 cannot hold: a value is far beyond the training part's. */
function requireFinite(
  series: PreparedSeries,
  features: readonly string[],
  told: readonly string[],
  name: string,
): void {
  const { inputs, targets, width, ahead, firstRow, numbers } = series;
  const fail = (row: number, column: string): never => {
    throw new DataError(
      `The column "${column}" of ${name} holds numbers too large to compute with beside its training part, first in data row ${numbers[row]}.`,
    );
  };
  for (let at = firstRow * width; at < inputs.length; at++)
    if (!isComputable(inputs[at]!))
      fail(Math.floor(at / width), features[(at % width) % features.length] ?? '');
  ahead.values.forEach((value, at) => {
    if (!isComputable(value)) fail(Math.floor(at / ahead.columns), told[at % ahead.columns]!);
  });
  for (const { name: column, wanted } of targets)
    wanted.forEach((value, row) => {
      if (!Number.isNaN(value) && !isComputable(value)) fail(row, column);
    });
}

/** Its square is still a float32. */
function isComputable(value: number): boolean {
  return Math.abs(value) < 1e18;
}
