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
