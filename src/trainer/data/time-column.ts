// The column that tells when: found among those that are not read as numbers, and judged by its order, duplicates,
// gaps and changing intervals, each with its place.
import { count, plural } from '../../experiment/words.ts';
import { dateOf, readClock, readDate, showDate } from './dates.ts';
import { DataError } from './errors.ts';
import { isMissing, readCell } from './number-format.ts';
import { Column, type Storage } from './storage.ts';

type Times = Column<Float64ArrayConstructor>;

export interface TimeColumn {
  column: string;
  /** by row: milliseconds since 1970, or plain numbers; NaN where a cell is empty or cannot be read */
  times: Times;
  isDate: boolean;
  /** whether "03/04/2024" stays undecided in all rows */
  isAmbiguous: boolean;
  /** the first rows whose dates can only have the day first, and only the month; left out: there are not both */
  mixed?: { dayFirst: number; monthFirst: number };
  storage: Storage;
}

/** Names of columns whose numbers count steps or seconds. */
const NUMBERED =
  /^(|t|ts|time|timestamp|date|datetime|year|jahr|monat|tag|stunde|index|idx|step|epoch|unix|unixtime|day|week|month|hour|yr|yyyy|mo|mm|dd|hr|hh|n|nr|no|row|period|id)$/i;
/** Rows that a column may have wrong before it is no time column. */
const TOLERATED = 0.05;
const LOOKED = 50;

/** Reads one column as dates and, where its name allows it, as numbers, until too many cells are neither. */
export class TimeReader {
  readonly column: string;
  private readonly storage: Storage;
  private dayFirst: Times | null;
  /** null: no date so far is another one with the month first */
  private monthFirst: Times | null = null;
  private dateless = 0;
  private dates = 0;
  private numbers: Times | null;
  private numberless = 0;
  /** seconds of the day, of a column beside one of dates */
  private clocks: Times | null;

  constructor(column: string, isAsked: boolean, storage: Storage) {
    this.column = column;
    this.storage = storage;
    this.dayFirst = new Column(Float64Array, storage);
    this.clocks = new Column(Float64Array, storage);
    this.numbers = isAsked || NUMBERED.test(column) ? new Column(Float64Array, storage) : null;
  }

  get isAlive(): boolean {
    return this.dayFirst !== null || this.numbers !== null || this.clocks !== null;
  }

  /** Numbers as they stand, where nearly every cell is one. */
  get plainNumbers(): Times | null {
    return this.numbers;
  }

  /** Times of day, where every cell has one. */
  get timesOfDay(): Times | null {
    return this.clocks;
  }

  add(text: string): void {
    const isEmpty = isMissing(text);
    if (this.clocks) {
      const clock = readClock(text);
      if (clock === null) this.clocks = null;
      else this.clocks.push(clock);
    }
    if (this.dayFirst) {
      const date = isEmpty ? null : readDate(text);
      const [day, month] = [date?.dayFirst ?? Number.NaN, date?.monthFirst ?? Number.NaN];
      if (!this.monthFirst && !Object.is(day, month)) this.monthFirst = this.dayFirst.copy();
      this.dayFirst.push(day);
      this.monthFirst?.push(month);
      if (date) this.dates++;
      else if (!isEmpty) this.dateless++;
      if (tooMany(this.dateless, this.dayFirst.length)) this.dayFirst = this.monthFirst = null;
    }
    if (this.numbers) {
      const cell = isEmpty ? null : readCell(text);
      const value = cell && (Number.isNaN(cell.point) ? cell.comma : cell.point);
      this.numbers.push(value !== null && Number.isFinite(value) ? value : Number.NaN);
      if (!isEmpty && !cell) this.numberless++;
      if (tooMany(this.numberless, this.numbers.length)) this.numbers = null;
    }
  }

  /** null: this column tells no time. */
  settle(): TimeColumn | null {
    if (this.dayFirst && this.dates > 0 && this.dateless <= TOLERATED * this.dayFirst.length)
      return this.dateColumn(this.dayFirst, this.monthFirst ?? this.dayFirst);
    const times = this.numbers;
    return times && isOrdered(times)
      ? { column: this.column, times, isDate: false, isAmbiguous: false, storage: this.storage }
      : null;
  }

  private dateColumn(dayFirst: Times, monthFirst: Times): TimeColumn {
    let [dayFails, monthFails, differ] = [0, 0, false];
    const mixed = { dayFirst: -1, monthFirst: -1 };
    for (let row = 0; monthFirst !== dayFirst && row < dayFirst.length; row++) {
      const [day, month] = [dayFirst.get(row), monthFirst.get(row)];
      if (Number.isNaN(day) && !Number.isNaN(month) && dayFails++ === 0) mixed.monthFirst = row;
      if (Number.isNaN(month) && !Number.isNaN(day) && monthFails++ === 0) mixed.dayFirst = row;
      if (day !== month && !Number.isNaN(day)) differ = true;
    }
    const [day, month] = [turns(dayFirst), turns(monthFirst)];
    const isDayFirst = dayFails !== monthFails ? dayFails < monthFails : day <= month;
    return {
      column: this.column,
      times: isDayFirst ? dayFirst : monthFirst,
      isDate: true,
      isAmbiguous: differ && dayFails === monthFails && day === month,
      ...(dayFails > 0 && monthFails > 0 && { mixed }),
      storage: this.storage,
    };
  }
}

/** Dates with the times of day of another column; null where a date has a time of its own. */
export function withClock(date: TimeColumn, clock: TimeReader): TimeColumn | null {
  const clocks = clock.timesOfDay;
  if (!clocks || clocks.length !== date.times.length) return null;
  for (const time of date.times) if (time % DAY !== 0 && !Number.isNaN(time)) return null;
  const times = new Column(Float64Array, date.storage);
  const seconds = clocks[Symbol.iterator]();
  for (const time of date.times) times.push(time + 1000 * seconds.next().value!);
  return { ...date, column: `${date.column} ${clock.column}`, times };
}

const PARTS = [
  /^(year|yr|yyyy|jahr)$/i,
  /^(month|mo|mm|monat)$/i,
  /^(day|dd|tag)$/i,
  /^(hour|hr|hh|stunde)$/i,
];

/** Dates of columns for year, month, and by choice day and hour; null: there are none, or one is not in the calendar. */
export function fromParts(readers: readonly TimeReader[], storage: Storage): TimeColumn | null {
  const parts = PARTS.map(name => readers.find(({ column }) => name.test(column)));
  const [years, months, days, hours] = parts.map(reader => reader?.plainNumbers);
  if (!years || !months) return null;
  const times = new Column(Float64Array, storage);
  for (let row = 0; row < years.length; row++) {
    const time = dateOf(years.get(row), months.get(row), days?.get(row) ?? 1, hours?.get(row) ?? 0);
    if (Number.isNaN(time)) return null;
    times.push(time);
  }
  const column = parts.flatMap((reader, at) =>
    reader && [years, months, days, hours][at] ? reader.column : [],
  );
  return { column: column.join(' '), times, isDate: true, isAmbiguous: false, storage };
}

/** Whether the times of a column go on in nearly every row. */
export function goesOn({ times }: TimeColumn): boolean {
  return isOrdered(times);
}

function tooMany(wrong: number, seen: number): boolean {
  return seen >= LOOKED && wrong > TOLERATED * seen;
}

/** How often the order changes between rising and falling. */
function turns(times: Times): number {
  let [last, changes, before] = [0, 0, Number.NaN];
  for (const time of times) {
    const sign = Math.sign(time - before);
    before = time;
    if (Number.isNaN(sign) || sign === 0) continue;
    if (last !== 0 && sign !== last) changes++;
    last = sign;
  }
  return changes;
}

/** Numbers tell time where nearly all steps go one way. */
function isOrdered(times: Times): boolean {
  const { up, down, steps } = directions(times);
  return steps > 0 && Math.max(up, down) >= 0.9 * steps;
}

function directions(times: Times): { up: number; down: number; steps: number } {
  let [up, down, steps, before] = [0, 0, 0, Number.NaN];
  for (const time of times) {
    const step = time - before;
    before = time;
    if (Number.isNaN(step)) continue;
    steps++;
    if (step > 0) up++;
    else if (step < 0) down++;
  }
  return { up, down, steps };
}

/** Part of a sentence, of a column that is mixed. */
export function mixedDates({ column, mixed }: TimeColumn, lines: Column<Int32ArrayConstructor>): string {
  const { dayFirst, monthFirst } = mixed!;
  return `The dates of "${column}" have the day first in line ${lines.get(dayFirst)} and the month first in line ${lines.get(monthFirst)}, so that others cannot be told apart: write all as 2024-03-04`;
}

/** What is worth a word: order, duplicates, gaps, a changing interval. `lines`: of each row in the file. */
export function timeRemarks(time: TimeColumn, lines: Column<Int32ArrayConstructor>): string[] {
  const { times, column, isDate } = time;
  const show = isDate ? showDate : String;
  // order and gaps of such dates tell nothing
  if (time.mixed) return [`${mixedDates(time, lines)}.`];
  const remarks: string[] = [];
  let [unread, firstUnread] = [0, -1];
  for (let row = 0; row < times.length; row++)
    if (Number.isNaN(times.get(row)) && unread++ === 0) firstUnread = row;
  if (unread > 0)
    remarks.push(
      `"${column}" has ${plural(unread, 'cell')} without a ${isDate ? 'date' : 'number'}, first in line ${lines.get(firstUnread)}.`,
    );
  if (time.isAmbiguous)
    remarks.push(`The dates of "${column}" can have the day or the month first; the day is taken.`);
  const { up, down, steps } = directions(times);
  const isFalling = down > 0 && down >= 0.9 * (up + down);
  if (isFalling && steps > 0) {
    const last = times.length - 1;
    remarks.push(
      `Dates go down: "${column}" begins with ${show(times.get(0))} (line ${lines.get(0)}) and ends with ${show(times.get(last))} (line ${lines.get(last)}). Training would see the newest rows, the test part the oldest: set "order" to "time" to turn them.`,
    );
  }
  const against = isFalling ? up : down;
  if (against > 0) {
    const row = firstRow(times, (now, before) => (isFalling ? now > before : now < before));
    remarks.push(
      `"${column}" goes ${isFalling ? 'up' : 'back'} in ${plural(against, 'row')}, first in line ${lines.get(row)}: ${show(times.get(row))} after ${show(times.get(row - 1))}. "order": "time" sorts the rows.`,
    );
  }
  const order = ordered(time, up, down);
  const { distinct, repeats, repeated, twin } = distinctIn(order, time);
  if (repeats > 0)
    remarks.push(
      `${plural(repeats, 'row repeats', 'rows repeat')} a ${isDate ? 'date' : 'value'} of "${column}", first ${show(times.get(repeated))} in lines ${lines.get(Math.min(repeated, twin))} and ${lines.get(Math.max(repeated, twin))}.`,
    );
  return [...remarks, ...intervalRemarks(time, lines, distinct)];
}

function firstRow(times: Times, is: (now: number, before: number) => boolean): number {
  for (let row = 1; row < times.length; row++) if (is(times.get(row), times.get(row - 1))) return row;
  return 1;
}

/** Rows in an order: computed where it is that of the file, or its reverse. */
interface Order {
  length: number;
  row(place: number): number;
}

/** Rows by rising time, those without one left out; not sorted where they already rise. */
function ordered({ times, storage }: TimeColumn, up: number, down: number): Order {
  const rows = new Column(Int32Array, storage);
  for (let row = 0; row < times.length; row++) if (!Number.isNaN(times.get(row))) rows.push(row);
  const { length } = rows;
  if (down === 0) return { length, row: place => rows.get(place) };
  if (up === 0) return { length, row: place => rows.get(length - 1 - place) };
  const known = Float64Array.from(times);
  const sorted = Int32Array.from(rows).sort((a, b) => known[a]! - known[b]! || a - b);
  return { length, row: place => sorted[place]! };
}

/** The rows whose time is not that of the row before; the first row of the file that repeats one, and which. */
function distinctIn(order: Order, { times, storage }: TimeColumn) {
  const rows = new Column(Int32Array, storage);
  let [repeats, repeated, twin, before] = [0, Number.POSITIVE_INFINITY, 0, Number.NaN];
  for (let place = 0; place < order.length; place++) {
    const row = order.row(place);
    const time = times.get(row);
    if (time !== before) rows.push(row);
    else {
      repeats++;
      if (row < repeated) [repeated, twin] = [row, order.row(place - 1)];
    }
    before = time;
  }
  const distinct: Order = { length: rows.length, row: place => rows.get(place) };
  return { distinct, repeats, repeated, twin };
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
  lines: Column<Int32ArrayConstructor>,
  order: Order,
): string[] {
  if (order.length < 4) return [];
  const show = isDate ? showDate : String;
  const timeAt = (place: number) => times.get(order.row(place));
  const scale = scaleOf(timeAt, order.length, isDate);
  const between = order.length - 1;
  const stepAt = (at: number) => rounded(scale.place(timeAt(at + 1)) - scale.place(timeAt(at)));
  const half = between >> 1;
  const [first, second, all] = [new StepCounts(), new StepCounts(), new StepCounts()];
  for (let at = 0; at < between; at++) {
    const step = stepAt(at);
    all.add(step);
    (at < half ? first : second).add(step);
  }
  const [before, after] = [first.commonest(), second.commonest()];
  if (half >= 4 && before !== after && first.isMost(before) && second.isMost(after)) {
    let from = 0;
    while (from < between && !(stepAt(from) === after && from + 1 < between && stepAt(from + 1) === after))
      from++;
    const row = order.row(from < between ? from : between);
    return [
      `The interval of "${column}" changes: ${intervalName(scale, before)} up to ${show(times.get(row))} (line ${lines.get(row)}), ${intervalName(scale, after)} from there.`,
    ];
  }
  if (!all.isMost(scale.step))
    return [
      `The intervals of "${column}" differ: from ${intervalName(scale, all.least)} to ${intervalName(scale, all.most)}. A model sees rows, not time.`,
    ];
  let gaps = 0;
  const places: string[] = [];
  for (let at = 0; at < between; at++) {
    const step = stepAt(at);
    if (step <= 1.5 * scale.step) continue;
    const row = order.row(at + 1);
    if (gaps++ < 3)
      places.push(`${intervalName(scale, step)} before ${show(times.get(row))} (line ${lines.get(row)})`);
  }
  if (gaps === 0) return [];
  return [
    `"${column}" has ${plural(gaps, 'gap')} in its interval of ${intervalName(scale, scale.step)}: ${places.join(', ')}${gaps > 3 ? ', …' : ''}.`,
  ];
}

function scaleOf(timeAt: (place: number) => number, length: number, isDate: boolean): Scale {
  const steps = new StepCounts();
  for (let place = 1; place < length; place++) steps.add(rounded(timeAt(place) - timeAt(place - 1)));
  const plain: Scale = { place: time => time, step: steps.commonest(), name: isDate ? 'time' : '' };
  if (!isDate) return plain;
  const median = steps.median();
  const every = (is: (date: Date) => boolean, shift = 0) => {
    for (let place = 0; place < length; place++) if (!is(new Date(timeAt(place) + shift))) return false;
    return true;
  };
  if (median >= 28 * DAY) {
    const day = new Date(timeAt(0)).getUTCDate();
    if (every(date => date.getUTCDate() === day) || every(date => date.getUTCDate() === 1, DAY)) {
      const place = (time: number) => {
        const date = new Date(time);
        return date.getUTCFullYear() * 12 + date.getUTCMonth();
      };
      const months = new StepCounts();
      for (let at = 1; at < length; at++) months.add(place(timeAt(at)) - place(timeAt(at - 1)));
      return { place, step: months.commonest(), name: 'month' };
    }
  }
  if (median === DAY && length >= 10 && every(date => date.getUTCDay() % 6 !== 0)) {
    const place = (time: number) => {
      const days = Math.floor(time / DAY) + 3; // 1970-01-01 was a Thursday
      return 5 * Math.floor(days / 7) + (days % 7);
    };
    return { place, step: 1, name: 'working day' };
  }
  return plain;
}

/** 0.1 of 0.7999999999999999 − 0.7 */
function rounded(step: number): number {
  return Number.isInteger(step) ? step : Number(step.toPrecision(8));
}

/** Steps of so many sizes are of no interval. */
const MOST_STEPS = 1 << 18;

/** How often each step between two times stands there. */
class StepCounts {
  least = Number.POSITIVE_INFINITY;
  most = Number.NEGATIVE_INFINITY;
  private readonly counts = new Map<number, number>();
  private total = 0;

  add(step: number): void {
    this.total++;
    if (step < this.least) this.least = step;
    if (step > this.most) this.most = step;
    const known = this.counts.get(step);
    if (known !== undefined || this.counts.size < MOST_STEPS) this.counts.set(step, (known ?? 0) + 1);
  }

  /** The least of those that stand there most often. */
  commonest(): number {
    let best = Number.NaN;
    let most = 0;
    for (const [step, times] of this.counts)
      if (times > most || (times === most && step < best)) [best, most] = [step, times];
    return best;
  }

  isMost(step: number): boolean {
    return (this.counts.get(step) ?? 0) > 0.5 * this.total;
  }

  median(): number {
    let left = this.total >> 1;
    for (const [step, times] of [...this.counts].sort(([a], [b]) => a - b)) {
      left -= times;
      if (left < 0) return step;
    }
    return this.most;
  }
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
export function byTime(time: TimeColumn, lines: Column<Int32ArrayConstructor>, name: string): Int32Array {
  const { column, times, isAmbiguous, mixed } = time;
  if (mixed) throw new DataError(`${name}: ${mixedDates(time, lines)}.`);
  for (let row = 0; row < times.length; row++)
    if (Number.isNaN(times.get(row)))
      throw new DataError(
        `${name}, line ${lines.get(row)}: "${column}" has no date here, so "order": "time" cannot place this row.`,
      );
  if (isAmbiguous)
    throw new DataError(
      `${name}: the dates of "${column}" can have the day or the month first, and their order differs; write them as 2024-03-04.`,
    );
  const { up, down } = directions(times);
  const rows = Int32Array.from({ length: times.length }, (_, row) => row);
  if (down === 0) return rows;
  // equal times keep the order of the file
  if (up === 0 && down === times.length - 1) return rows.reverse();
  const known = Float64Array.from(times);
  return rows.sort((a, b) => known[a]! - known[b]! || a - b);
}
