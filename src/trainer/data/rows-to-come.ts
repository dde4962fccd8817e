// Rows behind the last value of the targets: a forecaster that knows some columns in advance, or reads a calendar, takes from
// them what is known of the time it predicts.
import type { Table } from './csv.ts';

export interface RowsToCome {
  table: Table;
  /** rows at the end of the table that are still to come */
  toCome: number;
}

/** The table up to the last of its rows to come, at most `wanted`, that tells all of `known`. */
export function rowsToCome(
  table: Table,
  targets: readonly string[],
  known: readonly string[],
  wanted: number,
): RowsToCome {
  const isThere = (names: readonly string[], row: number, how: 'some' | 'every') =>
    names[how](name => !Number.isNaN(table.values.get(name)![row]!));
  let history = table.rows;
  while (history > 0 && !isThere(targets, history - 1, 'some')) history--;
  let end = history;
  while (end < table.rows && end - history < wanted && isThere(known, end, 'every')) end++;
  const told = cut(table, end);
  if (known.length > 0) return { table: told, toCome: end - history };
  const more = continued(told, wanted - (end - history));
  return { table: more, toCome: more.rows - history };
}

function cut(table: Table, rows: number): Table {
  const { values, lines, numbers, time } = table;
  return {
    ...table,
    values: new Map([...values].map(([name, column]) => [name, column.subarray(0, rows)])),
    rows,
    lines: lines.subarray(0, rows),
    numbers: numbers.subarray(0, rows),
    time: time && { ...time, times: time.times.subarray(0, rows) },
  };
}

/** Further rows, empty but for their dates; the same table where its dates have no one interval. */
function continued(table: Table, more: number): Table {
  const { values, rows, lines, numbers, time } = table;
  const dates = time ? datesAfter(time.times, more) : null;
  if (more === 0 || !dates) return table;
  const [line, number] = [lines[rows - 1]!, numbers[rows - 1]!];
  const direction = rows > 1 && number < numbers[0]! ? -1 : 1;
  const counted = (from: number, by: number) =>
    Int32Array.from({ length: more }, (_, k) => from + by * (k + 1));
  const longer = (column: Float64Array, tail: Float64Array) => {
    const all = new Float64Array(rows + more);
    all.set(column);
    all.set(tail, rows);
    return all;
  };
  const empty = new Float64Array(more).fill(Number.NaN);
  return {
    ...table,
    values: new Map([...values].map(([name, column]) => [name, longer(column, empty)])),
    rows: rows + more,
    lines: Int32Array.from([...lines, ...counted(line, 1)]),
    numbers: Int32Array.from([...numbers, ...counted(number, direction)]),
    time: time && { ...time, times: longer(time.times, dates) },
  };
}

/** The next dates in the interval of the last three: a span of time, or whole months. null: they have no such interval. */
function datesAfter(times: Float64Array, count: number): Float64Array | null {
  const [a, b, c] = times.slice(-3);
  if (a === undefined || b === undefined || c === undefined || !(c !== b)) return null;
  if (c - b === b - a) return Float64Array.from({ length: count }, (_, k) => c + (k + 1) * (c - b));
  const months = (time: number) => {
    const date = new Date(time);
    return 12 * date.getUTCFullYear() + date.getUTCMonth();
  };
  const over = months(c) - months(b);
  const [day, before] = [c, b].map(time => new Date(time).getUTCDate());
  if (over === 0 || months(b) - months(a) !== over || day !== before) return null;
  return Float64Array.from({ length: count }, (_, k) => {
    const date = new Date(c);
    return date.setUTCMonth(date.getUTCMonth() + (k + 1) * over);
  });
}
