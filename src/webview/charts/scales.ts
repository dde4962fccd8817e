// From values to pixels, and where the ticks stand.

export interface Scale {
  (value: number): number;
  invert(pixel: number): number;
}

export function linearScale(from: number, to: number, start: number, end: number): Scale {
  const span = to - from || 1;
  return Object.assign((value: number) => start + ((value - from) / span) * (end - start), {
    invert: (pixel: number) => from + ((pixel - start) / (end - start || 1)) * span,
  });
}

/** Round values inside the range, about `wanted` of them. */
export function linearTicks(from: number, to: number, wanted: number): number[] {
  const span = to - from;
  if (!(span > 0) || wanted < 1) return [from];
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map(factor => factor * power).find(size => size >= rough * 0.999)!;
  const ticks: number[] = [];
  for (let i = Math.ceil(from / step - 1e-9); i <= to / step + 1e-9; i++)
    ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];

/** Of seconds: round on a clock, and of a span below ten seconds round decimals. */
export function timeTicks(from: number, to: number, wanted: number): number[] {
  const span = to - from;
  if (!(span >= 10)) return linearTicks(from, to, wanted);
  const step = TIME_STEPS.find(size => span / size <= wanted);
  if (step === undefined) return linearTicks(from / 86_400, to / 86_400, wanted).map(days => days * 86_400);
  const ticks: number[] = [];
  for (let i = Math.ceil(from / step); i * step <= to; i++) ticks.push(i * step);
  return ticks;
}

/** Powers of ten over several decades, round values within one or two. */
export function logTicks(from: number, to: number, wanted: number): number[] {
  const decades = Math.log10(to / from);
  const within = (tick: number) => tick >= from * 0.9999 && tick <= to * 1.0001;
  if (decades >= wanted - 1) {
    const every = Math.max(1, Math.ceil(decades / wanted));
    const ticks: number[] = [];
    for (let e = Math.ceil(Math.log10(from)); e <= Math.log10(to) + 1e-9; e += every)
      ticks.push(Number(`1e${e}`));
    return ticks;
  }
  for (const factors of [[1, 1.5, 2, 3, 4, 5, 7], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]]) {
    const ticks: number[] = [];
    for (let e = Math.floor(Math.log10(from)); e <= Math.ceil(Math.log10(to)); e++)
      for (const factor of factors) ticks.push(Number((factor * 10 ** e).toPrecision(6)));
    const inside = ticks.filter(within);
    if (inside.length <= wanted && inside.length >= 2) return inside;
  }
  return linearTicks(from, to, wanted);
}

export interface Tick {
  value: number;
  label: string;
}

const DAY = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Of milliseconds since 1970, in UTC: years, months, days or times of day, whichever `wanted` of them fit. */
export function dateTicks(from: number, to: number, wanted: number): Tick[] {
  const span = to - from;
  if (!(span > 0)) return [];
  const months = span / (30.44 * DAY);
  if (months > wanted * 6) return yearTicks(from, to, wanted);
  if (months > wanted * 0.5) {
    const step = [1, 2, 3, 6, 12].find(size => months / size <= wanted) ?? 12;
    const first = new Date(from);
    const ticks: Tick[] = [];
    for (let month = 0; ; month += 1) {
      const value = Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + month, 1);
      if (value > to) return ticks;
      const date = new Date(value);
      if (value < from || date.getUTCMonth() % step !== 0) continue;
      ticks.push({ value, label: `${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}` });
    }
  }
  const days = [1, 2, 5, 10, 15].find(size => span / DAY / size <= wanted) ?? 15;
  const size = span > 1.5 * DAY ? days * DAY : timeTickSize(span, wanted);
  const ticks: Tick[] = [];
  for (let value = Math.ceil(from / size) * size; value <= to; value += size) {
    const date = new Date(value);
    const clock = date.toISOString().slice(11, 16);
    ticks.push({
      value,
      label: size >= DAY || clock === '00:00' ? `${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}` : clock,
    });
  }
  return ticks;
}

function yearTicks(from: number, to: number, wanted: number): Tick[] {
  const [first, last] = [new Date(from).getUTCFullYear(), new Date(to).getUTCFullYear()];
  return linearTicks(first, last, wanted)
    .filter(Number.isInteger)
    .map(year => ({ value: Date.UTC(year, 0, 1), label: String(year) }))
    .filter(({ value }) => value >= from && value <= to);
}

function timeTickSize(span: number, wanted: number): number {
  const seconds = TIME_STEPS.find(size => span / 1000 / size <= wanted) ?? 86_400;
  return seconds * 1000;
}
