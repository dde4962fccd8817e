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
    names[how](name => !Number.isNaN(table.values.get(name)!.get(row)));
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
    values: new Map([...values].map(([name, column]) => [name, column.first(rows)])),
    rows,
    lines: lines.first(rows),
    numbers: numbers.first(rows),
    time: time && { ...time, times: time.times.first(rows) },
  };
}

/** Further rows, empty but for their dates; the same table where its dates have no one interval. */
function continued(table: Table, more: number): Table {
  const { values, rows, lines, numbers, time } = table;
  const dates = time ? datesAfter(time.times.slice(Math.max(0, rows - 3), rows), more) : null;
  if (more === 0 || !dates) return table;
  const [line, number] = [lines.get(rows - 1), numbers.get(rows - 1)];
  const direction = rows > 1 && number < numbers.get(0) ? -1 : 1;
  const counted = (from: number, by: number) =>
    Int32Array.from({ length: more }, (_, k) => from + by * (k + 1));
  const empty = new Float64Array(more).fill(Number.NaN);
  return {
    ...table,
    values: new Map([...values].map(([name, column]) => [name, column.first(rows, empty)])),
    rows: rows + more,
    lines: lines.first(rows, counted(line, 1)),
    numbers: numbers.first(rows, counted(number, direction)),
    time: time && { ...time, times: time.times.first(rows, dates) },
  };
}

/** `times`: the last three. The next dates in their interval: a span of time, or whole months. null: they have no such interval. */
function datesAfter(times: Float64Array, count: number): Float64Array | null {
  const [a, b, c] = times;
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
