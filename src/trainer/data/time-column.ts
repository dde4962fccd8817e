// The column that tells when: found among those that are not read as numbers, and judged by its order, duplicates,
// gaps and changing intervals, each with its place.
import { count, plural } from '../../experiment/words.ts';
import { readDate, showDate } from './dates.ts';
import { DataError } from './errors.ts';
import { isMissing, readCell } from './number-format.ts';

export interface TimeColumn {
  column: string;
  /** by row: milliseconds since 1970, or plain numbers; NaN where a cell is empty or cannot be read */
  times: Float64Array;
  isDate: boolean;
  /** whether "03/04/2024" stays undecided in all rows */
  isAmbiguous: boolean;
}

/** Names of columns whose numbers count steps or seconds. */
const NUMBERED =
  /^(|t|ts|time|timestamp|date|datetime|year|jahr|index|idx|step|epoch|unix|unixtime|day|week|month|hour|n|nr|no|row|period|id)$/i;
/** Rows that a column may have wrong before it is no time column. */
const TOLERATED = 0.05;
const LOOKED = 50;

/** Reads one column as dates and, where its name allows it, as numbers, until too many cells are neither. */
export class TimeReader {
  readonly column: string;
  private readonly numbered: boolean;
  private dayFirst: number[] | null = [];
  private monthFirst: number[] = [];
  private dateless = 0;
  private dates = 0;
  private numbers: number[] | null;
  private numberless = 0;

  constructor(column: string, isAsked: boolean) {
    this.column = column;
    this.numbered = isAsked || NUMBERED.test(column);
    this.numbers = this.numbered ? [] : null;
  }

  get isAlive(): boolean {
    return this.dayFirst !== null || this.numbers !== null;
  }

  add(text: string): void {
    const isEmpty = isMissing(text);
    if (this.dayFirst) {
      const date = isEmpty ? null : readDate(text);
      this.dayFirst.push(date?.dayFirst ?? Number.NaN);
      this.monthFirst.push(date?.monthFirst ?? Number.NaN);
      if (date) this.dates++;
      else if (!isEmpty) this.dateless++;
      if (tooMany(this.dateless, this.dayFirst.length)) this.dayFirst = null;
    }
    if (this.numbers) {
      const cell = isEmpty ? null : readCell(text, '1234.5');
      this.numbers.push(cell && Number.isFinite(cell.point) ? cell.point : Number.NaN);
      if (!isEmpty && !cell) this.numberless++;
      if (tooMany(this.numberless, this.numbers.length)) this.numbers = null;
    }
  }

  /** null: this column tells no time. */
  settle(): TimeColumn | null {
    if (this.dayFirst && this.dates > 0 && this.dateless <= TOLERATED * this.dayFirst.length)
      return this.dateColumn(this.dayFirst);
    if (!this.numbers) return null;
    const times = Float64Array.from(this.numbers);
    return isOrdered(times) ? { column: this.column, times, isDate: false, isAmbiguous: false } : null;
  }

  private dateColumn(dayFirst: readonly number[]): TimeColumn {
    const fails = (times: readonly number[], others: readonly number[]) =>
      times.reduce((sum, time, row) => sum + (Number.isNaN(time) && !Number.isNaN(others[row]!) ? 1 : 0), 0);
    const dayFails = fails(dayFirst, this.monthFirst);
    const monthFails = fails(this.monthFirst, dayFirst);
    const differ = dayFirst.some((time, row) => time !== this.monthFirst[row] && !Number.isNaN(time));
    const [day, month] = [turns(dayFirst), turns(this.monthFirst)];
    const isDayFirst = dayFails !== monthFails ? dayFails < monthFails : day <= month;
    return {
      column: this.column,
      times: Float64Array.from(isDayFirst ? dayFirst : this.monthFirst),
      isDate: true,
      isAmbiguous: differ && dayFails === monthFails && day === month,
    };
  }
}

function tooMany(wrong: number, seen: number): boolean {
  return seen >= LOOKED && wrong > TOLERATED * seen;
}

/** How often the order changes between rising and falling. */
function turns(times: readonly number[]): number {
  let last = 0;
  let changes = 0;
  for (let row = 1; row < times.length; row++) {
    const sign = Math.sign(times[row]! - times[row - 1]!);
    if (Number.isNaN(sign) || sign === 0) continue;
    if (last !== 0 && sign !== last) changes++;
    last = sign;
  }
  return changes;
}

/** Numbers tell time where nearly all steps go one way. */
function isOrdered(times: Float64Array): boolean {
  const { up, down, steps } = directions(times);
  return steps > 0 && Math.max(up, down) >= 0.9 * steps;
}

function directions(times: Float64Array): { up: number; down: number; steps: number } {
  let [up, down, steps] = [0, 0, 0];
  for (let row = 1; row < times.length; row++) {
    const step = times[row]! - times[row - 1]!;
    if (Number.isNaN(step)) continue;
    steps++;
    if (step > 0) up++;
    else if (step < 0) down++;
  }
  return { up, down, steps };
}

/** What is worth a word: order, duplicates, gaps, a changing interval. `lines`: of each row in the file. */
export function timeRemarks(time: TimeColumn, lines: ArrayLike<number>): string[] {
  const { times, column, isDate } = time;
  const show = isDate ? showDate : String;
  const remarks: string[] = [];
  const unread: number[] = [];
  times.forEach((value, row) => {
    if (Number.isNaN(value)) unread.push(row);
  });
  if (unread.length > 0)
    remarks.push(
      `"${column}" has ${plural(unread.length, 'cell')} without a ${isDate ? 'date' : 'number'}, first in line ${lines[unread[0]!]}.`,
    );
  if (time.isAmbiguous)
    remarks.push(`The dates of "${column}" can have the day or the month first; the day is taken.`);
  const { up, down, steps } = directions(times);
  const isFalling = down > 0 && down >= 0.9 * (up + down);
  if (isFalling && steps > 0) {
    const last = times.length - 1;
    remarks.push(
      `Dates go down: "${column}" begins with ${show(times[0]!)} (line ${lines[0]}) and ends with ${show(times[last]!)} (line ${lines[last]}). Training would see the newest rows, the test part the oldest: set "order" to "time" to turn them.`,
    );
  }
  const against = isFalling ? up : down;
  if (against > 0) {
    const row = firstRow(times, (now, before) => (isFalling ? now > before : now < before));
    remarks.push(
      `"${column}" goes ${isFalling ? 'up' : 'back'} in ${plural(against, 'row')}, first in line ${lines[row]}: ${show(times[row]!)} after ${show(times[row - 1]!)}. "order": "time" sorts the rows.`,
    );
  }
  const order = ordered(times, up, down);
  const repeated = order.filter((row, place) => place > 0 && times[row] === times[order[place - 1]!]);
  if (repeated.length > 0) {
    const row = repeated.reduce((least, other) => Math.min(least, other));
    const twin = order[order.indexOf(row) - 1]!;
    remarks.push(
      `${plural(repeated.length, 'row repeats', 'rows repeat')} a ${isDate ? 'date' : 'value'} of "${column}", first ${show(times[row]!)} in lines ${lines[Math.min(row, twin)]} and ${lines[Math.max(row, twin)]}.`,
    );
  }
  return [...remarks, ...intervalRemarks(time, lines, order)];
}

function firstRow(times: Float64Array, is: (now: number, before: number) => boolean): number {
  for (let row = 1; row < times.length; row++) if (is(times[row]!, times[row - 1]!)) return row;
  return 1;
}

/** Rows by rising time, those without one left out; not sorted where they already rise. */
function ordered(times: Float64Array, up: number, down: number): number[] {
  const rows = Array.from(times.keys()).filter(row => !Number.isNaN(times[row]));
  if (down === 0) return rows;
  return up === 0 ? rows.reverse() : rows.sort((a, b) => times[a]! - times[b]! || a - b);
}

const DAY = 86_400_000;

/** One step on the scale that the column counts in: months, quarters, years, working days, or its own unit. */
interface Scale {
  place(time: number): number;
  step: number;
  /** "month"; "time": in units of time; "": plain numbers */
  name: string;
}

function intervalRemarks(
  { times, column, isDate }: TimeColumn,
  lines: ArrayLike<number>,
  order: number[],
): string[] {
  const distinct = order.filter((row, place) => place === 0 || times[row] !== times[order[place - 1]!]);
  if (distinct.length < 4) return [];
  const show = isDate ? showDate : String;
  const scale = scaleOf(
    distinct.map(row => times[row]!),
    isDate,
  );
  const steps = distinct
    .slice(1)
    .map((row, place) => scale.place(times[row]!) - scale.place(times[distinct[place]!]!));
  const half = steps.length >> 1;
  const [before, after] = [commonest(steps.slice(0, half)), commonest(steps.slice(half))];
  if (
    half >= 4 &&
    before !== after &&
    dominates(steps.slice(0, half), before) &&
    dominates(steps.slice(half), after)
  ) {
    const from = steps.findIndex((step, at) => step === after && steps[at + 1] === after);
    const row = distinct[from]!;
    return [
      `The interval of "${column}" changes: ${intervalName(scale, before)} up to ${show(times[row]!)} (line ${lines[row]}), ${intervalName(scale, after)} from there.`,
    ];
  }
  if (!dominates(steps, scale.step)) {
    const least = steps.reduce((a, b) => Math.min(a, b));
    const most = steps.reduce((a, b) => Math.max(a, b));
    return [
      `The intervals of "${column}" differ: from ${intervalName(scale, least)} to ${intervalName(scale, most)}. A model sees rows, not time.`,
    ];
  }
  const gaps = steps.flatMap((step, at) => (step > 1.5 * scale.step ? [at] : []));
  if (gaps.length === 0) return [];
  const places = gaps.slice(0, 3).map(at => {
    const row = distinct[at + 1]!;
    return `${intervalName(scale, steps[at]!)} before ${show(times[row]!)} (line ${lines[row]})`;
  });
  return [
    `"${column}" has ${plural(gaps.length, 'gap')} in its interval of ${intervalName(scale, scale.step)}: ${places.join(', ')}${gaps.length > 3 ? ', …' : ''}.`,
  ];
}

function scaleOf(times: readonly number[], isDate: boolean): Scale {
  const steps = times.slice(1).map((time, at) => time - times[at]!);
  const sorted = [...steps].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1]!;
  const plain: Scale = { place: time => time, step: commonest(steps), name: isDate ? 'time' : '' };
  if (!isDate) return plain;
  const monthly = times.every(time => new Date(time).getUTCDate() === new Date(times[0]!).getUTCDate());
  const ends = times.every(time => new Date(time + DAY).getUTCDate() === 1);
  if (median >= 28 * DAY && (monthly || ends)) {
    const place = (time: number) => {
      const date = new Date(time);
      return date.getUTCFullYear() * 12 + date.getUTCMonth();
    };
    const months = times.slice(1).map((time, at) => place(time) - place(times[at]!));
    return { place, step: commonest(months), name: 'month' };
  }
  const noWeekends = median === DAY && times.every(time => new Date(time).getUTCDay() % 6 !== 0);
  if (noWeekends && times.length >= 10) {
    const place = (time: number) => {
      const days = Math.floor(time / DAY) + 3; // 1970-01-01 was a Thursday
      return 5 * Math.floor(days / 7) + (days % 7);
    };
    return { place, step: 1, name: 'working day' };
  }
  return plain;
}

function commonest(steps: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const step of steps) counts.set(step, (counts.get(step) ?? 0) + 1);
  let best = Number.NaN;
  let most = 0;
  for (const [step, times] of counts)
    if (times > most || (times === most && step < best)) {
      best = step;
      most = times;
    }
  return best;
}

function dominates(steps: readonly number[], step: number): boolean {
  return steps.filter(other => other === step).length > 0.5 * steps.length;
}

function intervalName({ name }: Scale, step: number): string {
  if (name === '') return String(step);
  if (name !== 'time') return plural(step, name);
  const units: [number, string][] = [
    [7 * DAY, 'week'],
    [DAY, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
    [1000, 'second'],
  ];
  for (const [unit, word] of units) if (step >= unit && step % unit === 0) return plural(step / unit, word);
  return `${count(step)} ms`;
}

/** Rows in the order of time, earliest first. @throws DataError for a row without a time, or an undecided date */
export function byTime(
  { column, times, isAmbiguous }: TimeColumn,
  lines: ArrayLike<number>,
  name: string,
): Int32Array {
  const unread = times.findIndex(Number.isNaN);
  if (unread >= 0)
    throw new DataError(
      `${name}, line ${lines[unread]}: "${column}" has no date here, so "order": "time" cannot place this row.`,
    );
  if (isAmbiguous)
    throw new DataError(
      `${name}: the dates of "${column}" can have the day or the month first, and their order differs; write them as 2024-03-04.`,
    );
  return Int32Array.from(times.keys()).sort((a, b) => times[a]! - times[b]! || a - b);
}
