// Dates and times as tables write them, read into milliseconds since 1970 (UTC). A day and month that could change
// places are kept in both orders until the column decides.

/** Milliseconds with the day first and with the month first; equal where the cell decides. */
export interface DateCell {
  dayFirst: number;
  monthFirst: number;
}

const MONTHS: Readonly<Record<string, number>> = Object.fromEntries(
  ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'].map((name, at) => [
    name,
    at + 1,
  ]),
);
Object.assign(MONTHS, { mai: 5, mär: 3, maer: 3, mrz: 3, okt: 10, dez: 12 });

const CLOCK =
  '(?:[T ,]+(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:[.,]\\d+)?)?\\s*([AP]M)?\\s*(Z|UTC|[+-]\\d{2}:?(?:\\d{2})?)?)?';
const ISO = new RegExp(`^(\\d{4})([-/.])(\\d{1,2})(?:\\2(\\d{1,2}))?${CLOCK}$`, 'i');
const NUMERIC = new RegExp(`^(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4}|\\d{2})${CLOCK}$`, 'i');
const COMPACT = /^(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2}):?(\d{2}):?(\d{2})?Z?)?$/;
const DAY_NAME = new RegExp(`^(\\d{1,2})[ .-]+(\\p{L}{3,9})[ .,-]+(\\d{4}|\\d{2})${CLOCK}$`, 'iu');
const NAME_DAY = new RegExp(`^(\\p{L}{3,9})[ .]+(\\d{1,2}),?\\s+(\\d{4})${CLOCK}$`, 'iu');
const NAME_YEAR = /^(\p{L}{3,9})[ .-]+(\d{4}|\d{2})$/iu;
const YEAR_NAME = /^(\d{4})[ -](\p{L}{3,9})$/iu;
const QUARTER = /^(?:(\d{4})[ -]?Q([1-4])|Q([1-4])[ /-]?(\d{4}))$/i;
const WEEK = /^(\d{4})-?W(\d{2})(?:-?([1-7]))?$/i;

export function readDate(text: string): DateCell | null {
  let found = ISO.exec(text);
  if (found) return both(utc(+found[1]!, +found[3]!, +(found[4] ?? 1), clockOf(found, 5)));
  found = NUMERIC.exec(text);
  if (found) {
    const [first, second, year] = [+found[1]!, +found[3]!, fullYear(found[4]!)];
    const clock = clockOf(found, 5);
    const dayFirst = utc(year, second, first, clock);
    const monthFirst = found[2] === '.' ? dayFirst : utc(year, first, second, clock);
    return Number.isNaN(dayFirst) && Number.isNaN(monthFirst) ? null : { dayFirst, monthFirst };
  }
  found = COMPACT.exec(text);
  if (found && +found[1]! >= 1500 && +found[1]! <= 2500)
    return both(
      utc(+found[1]!, +found[2]!, +found[3]!, seconds(+(found[4] ?? 0), +(found[5] ?? 0), +(found[6] ?? 0))),
    );
  found = DAY_NAME.exec(text);
  if (found) return both(utc(fullYear(found[3]!), monthOf(found[2]!), +found[1]!, clockOf(found, 4)));
  found = NAME_DAY.exec(text);
  if (found) return both(utc(+found[3]!, monthOf(found[1]!), +found[2]!, clockOf(found, 4)));
  found = NAME_YEAR.exec(text);
  if (found) return both(utc(fullYear(found[2]!), monthOf(found[1]!), 1, 0));
  found = YEAR_NAME.exec(text);
  if (found) return both(utc(+found[1]!, monthOf(found[2]!), 1, 0));
  found = QUARTER.exec(text);
  if (found) return both(utc(+(found[1] ?? found[4])!, 3 * +(found[2] ?? found[3])! - 2, 1, 0));
  found = WEEK.exec(text);
  if (found) return both(isoWeek(+found[1]!, +found[2]!, +(found[3] ?? 1)));
  return null;
}

function both(time: number): DateCell | null {
  return Number.isNaN(time) ? null : { dayFirst: time, monthFirst: time };
}

/** Two digits: 1970 to 2069, as POSIX has it. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length === 4) return year;
  return year < 70 ? 2000 + year : 1900 + year;
}

/** NaN for a name that is no month's. */
function monthOf(name: string): number {
  return MONTHS[name.toLowerCase().slice(0, 3)] ?? Number.NaN;
}

function seconds(hour: number, minute: number, second: number): number {
  return hour < 25 && minute < 60 && second < 61 ? hour * 3600 + minute * 60 + second : Number.NaN;
}

/** Seconds of the day in UTC. */
function clockOf(found: RegExpExecArray, from: number): number {
  const [hour, minute, second, half, zone] = found.slice(from, from + 5);
  if (hour === undefined) return 0;
  const hours = half ? (+hour % 12) + (half.toUpperCase() === 'PM' ? 12 : 0) : +hour;
  const offset = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? '');
  const shift = offset ? (offset[1] === '-' ? 1 : -1) * (+offset[2]! * 3600 + +(offset[3] ?? 0) * 60) : 0;
  return seconds(hours, +minute!, +(second ?? 0)) + shift;
}

/** NaN for a date that is not in the calendar. */
function utc(year: number, month: number, day: number, secondsOfDay: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? date.getTime() + secondsOfDay * 1000 : Number.NaN;
}

function isoWeek(year: number, week: number, day: number): number {
  if (week < 1 || week > 53) return Number.NaN;
  const fourth = new Date(Date.UTC(year, 0, 4));
  const monday = fourth.getTime() - ((fourth.getUTCDay() + 6) % 7) * 86_400_000;
  return monday + ((week - 1) * 7 + day - 1) * 86_400_000;
}

/** "2024-03-04", with the time of day where there is one. */
export function showDate(time: number): string {
  const text = new Date(time).toISOString();
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text.slice(0, 16).replace('T', ' ');
}
