// A table's columns made ready for forecasting: missing values filled, differences taken, scaled by the training part.
import type { Table } from '../data/csv.ts';
import { DataError } from '../data/errors.ts';

export type MissingPolicy = 'error' | 'drop' | 'previous' | 'interpolate';

export interface Scale {
  mean: number;
  std: number;
}

export interface PreparedSeries {
  /** target in its own unit, by row */
  level: Float64Array;
  /** what the model reads: (rows, features), scaled, row-major */
  inputs: Float32Array;
  /** what it predicts: the target's value or change, scaled; NaN where there is no change yet */
  wanted: Float32Array;
  /** first row with a known change */
  firstRow: number;
  scaling: Record<string, Scale>;
  wantedScale: Scale;
}

/** @throws DataError for missing values under the policy "error", or a column that never changes */
export function fillMissing(table: Table, policy: MissingPolicy, name: string): Map<string, Float64Array> {
  const columns = [...table.values];
  const holes = (row: number) => columns.some(([, values]) => Number.isNaN(values[row]));
  if (policy === 'error') {
    for (let row = 0; row < table.rows; row++)
      if (holes(row))
        throw new DataError(
          `${name}: data row ${row + 1} has a missing value; "missing" can be "interpolate", "previous" or "drop".`,
        );
  }
  if (policy === 'drop') {
    const kept = Array.from({ length: table.rows }, (_, row) => row).filter(row => !holes(row));
    if (kept.length === 0) throw new DataError(`${name}: every row has a missing value.`);
    return new Map(columns.map(([column, values]) => [column, Float64Array.from(kept, row => values[row]!)]));
  }
  return new Map(
    columns.map(([column, values]) => [column, policy === 'previous' ? carry(values) : interpolate(values)]),
  );
}

/** The value before; the first known value at the start. */
function carry(values: Float64Array): Float64Array {
  let last = values.find(value => !Number.isNaN(value))!;
  return values.map(value => {
    if (!Number.isNaN(value)) last = value;
    return last;
  });
}

function interpolate(values: Float64Array): Float64Array {
  const filled = carry(values);
  for (let row = 0; row < values.length; row++) {
    if (!Number.isNaN(values[row])) continue;
    let next = row;
    while (next < values.length && Number.isNaN(values[next])) next++;
    const before = row > 0 ? filled[row - 1]! : null;
    for (let at = row; at < next && before !== null && next < values.length; at++)
      filled[at] = before + ((values[next]! - before) * (at - row + 1)) / (next - row + 1);
    row = next;
  }
  return filled;
}

export interface SeriesOptions {
  target: string;
  features: readonly string[];
  difference: number;
  /** rows of the training part */
  trainRows: number;
  /** a finished run's scaling, instead of fitting */
  scaling?: Record<string, Scale>;
}

export function prepareSeries(
  columns: Map<string, Float64Array>,
  options: SeriesOptions,
  name: string,
): PreparedSeries {
  const { target, features, difference, trainRows } = options;
  const level = columns.get(target)!;
  const modelled = new Map<string, Float64Array>();
  for (const column of new Set([target, ...features]))
    modelled.set(
      column,
      column === target && difference > 0 ? changes(level, difference) : columns.get(column)!,
    );
  const scaling: Record<string, Scale> = {};
  for (const [column, values] of modelled)
    scaling[column] =
      options.scaling?.[column] ?? fitScale(values.subarray(difference, trainRows), column, name);
  const inputs = new Float32Array(level.length * features.length);
  features.forEach((column, place) => {
    const { mean, std } = scaling[column]!;
    modelled.get(column)!.forEach((value, row) => {
      inputs[row * features.length + place] = (value - mean) / std;
    });
  });
  const wantedScale = scaling[target]!;
  const wanted = Float32Array.from(
    modelled.get(target)!,
    value => (value - wantedScale.mean) / wantedScale.std,
  );
  return { level, inputs, wanted, firstRow: difference, scaling, wantedScale };
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
