// A table's columns made ready for forecasting: missing values filled from what is before, differences taken, scaled by
// the training part. Nothing a window shows is later than the window.
import type { Table } from '../data/csv.ts';
import { DataError } from '../data/errors.ts';
import { Column, type Storage } from '../data/storage.ts';
import { mixedDates } from '../data/time-column.ts';

type Numbers = Column<Float64ArrayConstructor>;

export type MissingPolicy = 'error' | 'drop' | 'previous' | 'mask' | 'interpolate';

export interface Scale {
  mean: number;
  std: number;
}

/** One of the columns to predict. */
export interface TargetSeries {
  name: string;
  /** in its own unit, by row; where it is missing, the value before */
  level: Numbers;
  /** its value or change, scaled; NaN where it is not known */
  wanted: Column<Float32ArrayConstructor>;
  scale: Scale;
}

export interface PreparedSeries {
  rows: number;
  targets: TargetSeries[];
  /** whether all targets of this row were there, and with them the changes that are modelled: only such rows are scored */
  known: Column<Uint8ArrayConstructor>;
  /** what the model reads of a row itself: (rows, width), scaled, row-major; missing values are the ones before */
  inputs: Column<Float32ArrayConstructor>;
  /** numbers of a row: the features; with "mask", one more for each; the calendar */
  width: number;
  /** the same where a value is interpolated, with the row that it takes from the future; null for other policies */
  interpolated: { inputs: Column<Float32ArrayConstructor>; until: Column<Int32ArrayConstructor> } | null;
  /** what is known in advance: (rows, columns), scaled; each row is read with the values of the next `steps` rows */
  ahead: { values: Column<Float32ArrayConstructor>; columns: number; steps: number };
  /** first row with a known change */
  firstRow: number;
  /** number of each row in the file, from 1 */
  numbers: Column<Int32ArrayConstructor>;
  /** its row of the table */
  tableRow(row: number): number;
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
  const { storage } = table;
  const { rows, leftOut, tableRow } = usableRows(table, missing, name, options);
  const cycles = options.calendar ?? [];
  const turnsOf = cyclesOf(table, cycles, tableRow, name);
  const trainRows = Math.floor(rows * options.trainShare);
  const read = [...new Set([...targets, ...features, ...told])];
  const raw = new Map(
    read.map(column => {
      const values = table.values.get(column)!;
      return [column, (row: number) => values.get(tableRow(row))];
    }),
  );
  const size = { rows, before: leftOut, storage };
  const carried = new Map(read.map(column => [column, carry(raw.get(column)!, size)]));
  const isChange = (column: string) => difference > 0 && targets.includes(column);
  const isKnown = (column: string, row: number) => {
    const own = raw.get(column)!;
    return (
      !Number.isNaN(own(row)) &&
      (!isChange(column) || (row >= difference && !Number.isNaN(own(row - difference))))
    );
  };
  const modelled = (values: Numbers, column: string) =>
    isChange(column) ? changes(values, difference) : (row: number) => values.get(row);

  const scaling: Record<string, Scale> = {};
  for (const column of read) {
    const values = modelled(carried.get(column)!, column);
    const fitted = function* () {
      for (let row = difference; row < trainRows; row++) if (isKnown(column, row)) yield values(row);
    };
    scaling[column] = options.scaling?.[column] ?? fitScale(fitted, column, name);
  }

  const own = features.length * (missing === 'mask' ? 2 : 1);
  const width = own + 2 * cycles.length;
  const scaled = (source: ReadonlyMap<string, Numbers>) => {
    const inputs = new Column(Float32Array, storage);
    const columns = features.map(column => ({
      column,
      values: modelled(source.get(column)!, column),
      ...scaling[column]!,
    }));
    for (let row = 0; row < rows; row++) {
      for (const { values, mean, std } of columns) inputs.push((values(row) - mean) / std);
      if (own > features.length) for (const { column } of columns) inputs.push(isKnown(column, row) ? 0 : 1);
      if (cycles.length > 0) inputs.pushAll(turnsOf(row));
    }
    return inputs;
  };
  const ahead = new Column(Float32Array, storage);
  for (let row = 0; told.length > 0 && row < rows; row++)
    for (const column of told) {
      const { mean, std } = scaling[column]!;
      ahead.push((carried.get(column)!.get(row) - mean) / std);
    }
  const known = new Column(Uint8Array, storage);
  const numbers = new Column(Int32Array, storage);
  for (let row = 0; row < rows; row++) {
    known.push(targets.every(column => isKnown(column, row)) ? 1 : 0);
    numbers.push(table.numbers.get(tableRow(row)));
  }
  const series = {
    rows,
    targets: targets.map(column => {
      const level = carried.get(column)!;
      const scale = scaling[column]!;
      const value = modelled(level, column);
      const wanted = new Column(Float32Array, storage);
      for (let row = 0; row < rows; row++)
        wanted.push(isKnown(column, row) ? (value(row) - scale.mean) / scale.std : Number.NaN);
      return { name: column, level, wanted, scale };
    }),
    known,
    inputs: scaled(carried),
    width,
    interpolated: missing === 'interpolate' ? interpolated(raw, features, scaled, size) : null,
    ahead: { values: ahead, columns: told.length, steps: options.ahead ?? 1 },
    firstRow: difference,
    numbers,
    tableRow,
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
  const { inputs, width, interpolated, rows } = series;
  const all = inputWidth(series);
  const input = new Float32Array(window * places.length * all);
  places.forEach((at, index) => {
    const own = inputs.slice((at - window) * width, at * width);
    for (let t = 0; t < window; t++) {
      const to = (t * places.length + index) * all;
      input.set(own.subarray(t * width, (t + 1) * width), to);
      readAhead(series, at - window + t, input, to);
    }
    if (!interpolated) return;
    // a line to a value that the window does not show would tell it
    const features = interpolated.until.length / rows;
    const until = interpolated.until.slice((at - window) * features, at * features);
    const filled = interpolated.inputs.slice((at - window) * width, at * width);
    for (let t = 0; t < window; t++)
      for (let k = 0; k < features; k++)
        if (until[t * features + k]! < at)
          input[(t * places.length + index) * all + k] = filled[t * width + k]!;
  });
  return input;
}

/** What the model reads at a row, with missing values as the ones before. */
export function readRow(series: PreparedSeries, row: number, input: Float32Array, to: number): void {
  const { inputs, width } = series;
  input.set(inputs.slice(row * width, (row + 1) * width), to);
  readAhead(series, row, input, to);
}

function readAhead({ width, ahead }: PreparedSeries, row: number, input: Float32Array, to: number): void {
  if (ahead.columns === 0) return;
  const from = (row + 1) * ahead.columns;
  const end = Math.min(ahead.values.length, from + ahead.columns * ahead.steps);
  if (from < end) input.set(ahead.values.slice(from, end), to + width);
}

const PERIODS: Readonly<Record<Cycle, (date: Date) => number>> = {
  hour: date => (date.getUTCHours() + date.getUTCMinutes() / 60) / 24,
  weekday: date => date.getUTCDay() / 7,
  day: date => (date.getUTCDate() - 1) / 31,
  month: date => date.getUTCMonth() / 12,
};

/** By row, 2 · cycles numbers: the sine and cosine of each cycle. @throws DataError without dates */
function cyclesOf(
  table: Table,
  cycles: readonly Cycle[],
  tableRow: (row: number) => number,
  name: string,
): (row: number) => Float32Array {
  const turns = new Float32Array(2 * cycles.length);
  if (cycles.length === 0) return () => turns;
  const { time } = table;
  if (!time?.isDate)
    throw new DataError(
      `${name} has no column of dates for "calendar"; name one with "time", or leave it out.`,
    );
  if (time.mixed) throw new DataError(`${name}: ${mixedDates(time, table.lines)}.`);
  return row => {
    const moment = time.times.get(tableRow(row));
    if (Number.isNaN(moment))
      throw new DataError(
        `${name}, line ${table.lines.get(tableRow(row))}: "${time.column}" has no date, and "calendar" needs one.`,
      );
    const date = new Date(moment);
    cycles.forEach((cycle, at) => {
      const angle = 2 * Math.PI * PERIODS[cycle](date);
      turns[at * 2] = Math.sin(angle);
      turns[at * 2 + 1] = Math.cos(angle);
    });
    return turns;
  };
}

interface UsableRows {
  rows: number;
  tableRow(row: number): number;
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
    (row < table.rows - toCome ? columns : told).find(([, values]) => Number.isNaN(values.get(row)));
  if (policy === 'error')
    for (let row = 0; row < table.rows; row++) {
      const found = hole(row);
      if (found)
        throw new DataError(
          `${name}, line ${table.lines.get(row)}: "${found[0]}" has no value; "missing" can be "previous", "mask", "interpolate" or "drop".`,
        );
    }
  if (policy === 'drop') {
    const kept = new Column(Int32Array, table.storage);
    for (let row = 0; row < table.rows; row++) if (!hole(row)) kept.push(row);
    if (kept.length === 0) throw new DataError(`${name}: every row has a missing value.`);
    return { rows: kept.length, tableRow: row => kept.get(row), leftOut: 0 };
  }
  let first = 0;
  for (const [, values] of columns) {
    let row = 0;
    while (row < table.rows && Number.isNaN(values.get(row))) row++;
    if (row < table.rows) first = Math.max(first, row);
  }
  return { rows: table.rows - first, tableRow: row => row + first, leftOut: first };
}

/** `before`: rows of the table above row 0, where a column may have begun that has a hole there */
interface Size {
  rows: number;
  before: number;
  storage: Storage;
}

/** The last row up to row 0 that has a value. */
function beginningOf(value: (row: number) => number, { before }: Size): number {
  let row = 0;
  while (row > -before && Number.isNaN(value(row))) row--;
  return row;
}

/** The value before. */
function carry(value: (row: number) => number, size: Size): Numbers {
  const { rows, storage } = size;
  const made = new Column(Float64Array, storage);
  let last = value(beginningOf(value, size));
  for (let row = 0; row < rows; row++) {
    const own = value(row);
    if (!Number.isNaN(own)) last = own;
    made.push(last);
  }
  return made;
}

function interpolated(
  columns: ReadonlyMap<string, (row: number) => number>,
  features: readonly string[],
  scaled: (source: ReadonlyMap<string, Numbers>) => Column<Float32ArrayConstructor>,
  size: Size,
): PreparedSeries['interpolated'] {
  const lines = new Map([...columns].map(([column, value]) => [column, interpolate(value, size)]));
  const until = new Column(Int32Array, size.storage);
  const each = features.map(column => lines.get(column)!.until);
  for (let row = 0; row < size.rows; row++) for (const own of each) until.push(own.get(row));
  return { inputs: scaled(new Map([...lines].map(([column, { filled }]) => [column, filled]))), until };
}

/** Holes on a line between their ends; `until`: the row whose value a row needs, itself where it is there. */
function interpolate(
  value: (row: number) => number,
  size: Size,
): { filled: Numbers; until: Column<Int32ArrayConstructor> } {
  const { rows, storage } = size;
  const filled = new Column(Float64Array, storage);
  const until = new Column(Int32Array, storage);
  let start = beginningOf(value, size);
  let before = value(start);
  for (let row = 0; row < rows; ) {
    const own = value(row);
    if (!Number.isNaN(own)) {
      before = own;
      start = row;
      filled.push(own);
      until.push(row++);
      continue;
    }
    let next = row;
    while (next < rows && Number.isNaN(value(next))) next++;
    const end = next < rows ? value(next) : Number.NaN;
    for (let at = row; at < next; at++) {
      // a hole that has no end is the value before
      filled.push(next < rows ? before + ((end - before) * (at - start)) / (next - start) : before);
      until.push(next < rows ? next : at);
    }
    row = next;
  }
  return { filled, until };
}

function changes(level: Numbers, over: number): (row: number) => number {
  return row => (row < over ? Number.NaN : level.get(row) - level.get(row - over));
}

function fitScale(values: () => Iterable<number>, column: string, name: string): Scale {
  let length = 0;
  for (const _ of values()) length++;
  let mean = 0;
  for (const value of values()) mean += value / length;
  let variance = 0;
  for (const value of values()) variance += (value - mean) ** 2 / length;
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
      `The column "${column}" of ${name} holds numbers too large to compute with beside its training part, first in data row ${numbers.get(row)}.`,
    );
  };
  for (let at = firstRow * width; at < inputs.length; at++)
    if (!isComputable(inputs.get(at)))
      fail(Math.floor(at / width), features[(at % width) % features.length] ?? '');
  let at = 0;
  for (const value of ahead.values) {
    if (!isComputable(value)) fail(Math.floor(at / ahead.columns), told[at % ahead.columns]!);
    at++;
  }
  for (const { name: column, wanted } of targets)
    for (let row = 0; row < wanted.length; row++) {
      const value = wanted.get(row);
      if (!Number.isNaN(value) && !isComputable(value)) fail(row, column);
    }
}

/** Its square is still a float32. */
function isComputable(value: number): boolean {
  return Math.abs(value) < 1e18;
}
