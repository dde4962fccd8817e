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
  '(?:[T ,]+(\\d{1,2}):(\\d{2})(?::(\\d{2}(?:[.,]\\d+)?))?\\s*([AP]\\.?M\\.?)?(?:\\s*(Z|[A-Z]{3,4}|Uhr|(?:GMT|UTC)?[+-]\\d{2}:?(?:\\d{2})?))?(?:\\s*[[(].*[\\])])?)?';
const CLOCK_CELL = new RegExp(`^${CLOCK}$`, 'i');
const ISO = new RegExp(`^(\\d{4})([-/.])(\\d{1,2})(?:\\2(\\d{1,2}))?${CLOCK}$`, 'i');
const NUMERIC = new RegExp(`^(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4}|\\d{2})${CLOCK}$`, 'i');
const COMPACT = /^(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(?::?(\d{2}):?(\d{2})?)?Z?)?$/;
const DAY_NAME = new RegExp(`^(\\d{1,2})[ .-]+(\\p{L}{3,9})[ .,-]+(\\d{4}|\\d{2})${CLOCK}$`, 'iu');
/** "Mon Jan 01 2024": as JavaScript writes it */
const NAME_DAY = new RegExp(`^(\\p{L}{3,9})[ .]+(\\d{1,2}),?\\s+(\\d{4})${CLOCK}$`, 'iu');
const NAME_YEAR = /^(\p{L}{3,9})[ .-]+(\d{4}|\d{2})$/iu;
const YEAR_NAME = /^(\d{4})[ -](\p{L}{3,9})$/iu;
const YEAR_MONTH = /^(\d{4}) ?M(\d{1,2})$/i;
const WEEKDAY = /^(?:mon?|tue?|wed|thu?|fri?|sat?|sun?|di|mi|do|sa|so)\p{L}*\.?,?\s+(?=.*\d{4})/iu;
const QUARTER = /^(?:(\d{4})[ -]?Q([1-4])|Q([1-4])[ /-]?(\d{4}))$/i;
const WEEK = /^(\d{4})-?W(\d{2})(?:-?([1-7]))?$/i;

export function readDate(cell: string): DateCell | null {
  if (!/\d/.test(cell)) return null;
  const text = cell.replace(WEEKDAY, '');
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
  // ten digits of other years are seconds since 1970
  const isHour = found?.[4] !== undefined && found[5] === undefined;
  const [from, to] = isHour ? [1900, 2100] : [1500, 2500];
  if (found && +found[1]! >= from && +found[1]! <= to)
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
  found = YEAR_MONTH.exec(text);
  if (found) return both(utc(+found[1]!, +found[2]!, 1, 0));
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
  const hours = half ? (+hour % 12) + (/^p/i.test(half) ? 12 : 0) : +hour;
  return seconds(hours, +minute!, Number((second ?? '0').replace(',', '.'))) - zoneSeconds(zone ?? 'UTC');
}

/** Hours east of Greenwich. Names that stand for several zones are left out. */
const ZONES: Readonly<Record<string, number>> = {
  Z: 0,
  UTC: 0,
  GMT: 0,
  UHR: 0,
  WET: 0,
  WEST: 1,
  CET: 1,
  CEST: 2,
  MEZ: 1,
  MESZ: 2,
  EET: 2,
  EEST: 3,
  MSK: 3,
  JST: 9,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
};

/** NaN for a name that is no known zone's. */
function zoneSeconds(zone: string): number {
  const offset = /([+-])(\d{2}):?(\d{2})?$/.exec(zone);
  if (offset) return (offset[1] === '-' ? -1 : 1) * (+offset[2]! * 3600 + +(offset[3] ?? 0) * 60);
  return (ZONES[zone.toUpperCase()] ?? Number.NaN) * 3600;
}

/** Milliseconds since 1970; NaN for a date that is not in the calendar, or a fraction of one. */
export function dateOf(year: number, month: number, day: number, hour: number): number {
  const isWhole = [year, month, day, hour].every(Number.isInteger) && year >= 1 && hour >= 0 && hour < 25;
  return isWhole ? utc(year, month, day, hour * 3600) : Number.NaN;
}

/** NaN for a date that is not in the calendar. */
function utc(year: number, month: number, day: number, secondsOfDay: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? date.getTime() + secondsOfDay * 1000 : Number.NaN;
}

function isoWeek(year: number, week: number, day: number): number {
  if (week < 1) return Number.NaN;
  const fourth = new Date(Date.UTC(year, 0, 4));
  const first = fourth.getTime() - ((fourth.getUTCDay() + 6) % 7) * 86_400_000;
  const monday = first + (week - 1) * 7 * 86_400_000;
  // a week is of the year of its Thursday: few years have a 53rd
  const thursday = new Date(monday + 3 * 86_400_000);
  return thursday.getUTCFullYear() === year ? monday + (day - 1) * 86_400_000 : Number.NaN;
}

/** Seconds of a day from "09:30", "9:30:15.5" or "9:30 PM"; null: no time of day. */
export function readClock(text: string): number | null {
  const found = CLOCK_CELL.exec(`T${text}`);
  const time = found ? clockOf(found, 1) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}

/** "2024-03-04", with the time of day where there is one. */
export function showDate(time: number): string {
  const text = new Date(time).toISOString();
  const end = text.endsWith('T00:00:00.000Z')
    ? 10
    : text.endsWith(':00.000Z')
      ? 16
      : text.endsWith('.000Z')
        ? 19
        : 23;
  return text.slice(0, end).replace('T', ' ');
}
