// Shrinks a growing curve to a bounded number of points without losing a spike: neighbouring rows are merged in
// powers of two, each point keeping mean, min and max of its rows. What is merged once never moves again.
import type { Curve } from '../../protocol/messages.ts';

/** What of a reader's column is needed. */
export interface CurveSource {
  readonly length: number;
  readonly steps: Column;
  readonly seconds: Column;
  readonly tokens: Column;
  readonly mean: Column;
  readonly min: Column;
  readonly max: Column;
}
interface Column {
  at(index: number): number;
}

interface Point {
  step: number;
  seconds: number;
  tokens: number;
  mean: number;
  min: number;
  max: number;
  smooth: number;
  rows: number;
  finite: number;
}

const MAX_BROKEN = 100;

export class DecimatedCurve {
  /** grows with every change */
  version = 0;
  private readonly maxPoints: number;
  private source: CurveSource | null = null;
  private smoothing = 0;
  private points: Point[] = [];
  private rowsPerPoint = 1;
  private consumed = 0;
  private lastStep = -1;
  /** a run that went back and on again has the same steps, with other values */
  private lastMean = Number.NaN;
  private broken: number[] = [];
  private smoothed = new Smoother(0);

  constructor(maxPoints: number) {
    this.maxPoints = maxPoints;
  }

  /** Takes what the source has more than before; begins anew when it went back or smooths otherwise. */
  follow(source: CurveSource | undefined, smoothing: number): void {
    if (!source) {
      if (this.consumed > 0) this.restart(null, smoothing);
      return;
    }
    const wentBack =
      source.length < this.consumed ||
      (this.consumed > 0 &&
        (source.steps.at(this.consumed - 1) !== this.lastStep ||
          !Object.is(source.mean.at(this.consumed - 1), this.lastMean)));
    if (source !== this.source || wentBack || smoothing !== this.smoothing) this.restart(source, smoothing);
    if (source.length === this.consumed) return;
    for (let row = this.consumed; row < source.length; row++) this.add(rowOf(source, row));
    this.consumed = source.length;
    this.lastStep = source.steps.at(source.length - 1);
    this.lastMean = source.mean.at(source.length - 1);
    this.version++;
  }

  curve(): Curve {
    return toCurve(this.points, this.rowsPerPoint, this.broken);
  }

  private restart(source: CurveSource | null, smoothing: number): void {
    this.source = source;
    this.smoothing = smoothing;
    this.smoothed = new Smoother(smoothing);
    this.points = [];
    this.broken = [];
    this.rowsPerPoint = 1;
    this.consumed = 0;
    this.lastStep = -1;
    this.version++;
  }

  private add(row: Point): void {
    row.smooth = this.smoothed.next(row.mean);
    if (row.finite === 0 && this.broken.length < MAX_BROKEN) this.broken.push(row.step);
    const last = this.points.at(-1);
    if (last && last.rows < this.rowsPerPoint) merge(last, row);
    else this.points.push(row);
    if (this.points.length > this.maxPoints && this.points.at(-1)!.rows === this.rowsPerPoint) this.halve();
  }

  private halve(): void {
    const halved: Point[] = [];
    for (let i = 0; i < this.points.length; i += 2) {
      const point = this.points[i]!;
      const next = this.points[i + 1];
      if (next) merge(point, next);
      halved.push(point);
    }
    this.points = halved;
    this.rowsPerPoint *= 2;
  }
}

/** A stretch of a curve in finer points; the smoothing still begins at the first row. */
export function curveRange(
  source: CurveSource,
  from: number,
  to: number,
  maxPoints: number,
  smoothing: number,
): Curve {
  let start = 0;
  while (start < source.length && source.steps.at(start) < from) start++;
  let end = start;
  while (end < source.length && source.steps.at(end) <= to) end++;
  // one row more at each side, so that the line leaves the picture at its edge
  start = Math.max(0, start - 1);
  end = Math.min(source.length, end + 1);
  const rowsPerPoint = Math.max(1, Math.ceil((end - start) / maxPoints));
  const smoother = new Smoother(smoothing);
  const points: Point[] = [];
  const broken: number[] = [];
  for (let index = 0; index < end; index++) {
    const row = rowOf(source, index);
    row.smooth = smoother.next(row.mean);
    if (index < start) continue;
    if (row.finite === 0 && broken.length < MAX_BROKEN) broken.push(row.step);
    const last = points.at(-1);
    if (last && last.rows < rowsPerPoint) merge(last, row);
    else points.push(row);
  }
  return toCurve(points, rowsPerPoint, broken);
}

/** Exponential mean, corrected for its start at zero (Kingma & Ba 2015), deaf to what is not finite. */
export class Smoother {
  private readonly keep: number;
  private sum = 0;
  private weight = 0;

  constructor(keep: number) {
    this.keep = keep;
  }

  next(value: number): number {
    if (Number.isFinite(value)) {
      this.sum = this.keep * this.sum + (1 - this.keep) * value;
      this.weight = this.keep * this.weight + (1 - this.keep);
    }
    return this.weight > 0 ? this.sum / this.weight : Number.NaN;
  }
}

function rowOf(source: CurveSource, row: number): Point {
  const mean = source.mean.at(row);
  const hasValue = Number.isFinite(mean);
  const finiteOr = (value: number) => (Number.isFinite(value) ? value : mean);
  return {
    step: source.steps.at(row),
    seconds: source.seconds.at(row),
    tokens: source.tokens.at(row),
    mean: hasValue ? mean : Number.NaN,
    min: hasValue ? finiteOr(source.min.at(row)) : Number.NaN,
    max: hasValue ? finiteOr(source.max.at(row)) : Number.NaN,
    smooth: Number.NaN,
    rows: 1,
    finite: hasValue ? 1 : 0,
  };
}

/** `later` follows `point` directly. */
function merge(point: Point, later: Point): void {
  const finite = point.finite + later.finite;
  if (later.finite > 0) {
    if (point.finite > 0) {
      point.mean = (point.mean * point.finite + later.mean * later.finite) / finite;
      point.min = Math.min(point.min, later.min);
      point.max = Math.max(point.max, later.max);
    } else {
      point.mean = later.mean;
      point.min = later.min;
      point.max = later.max;
    }
  }
  point.finite = finite;
  point.rows += later.rows;
  point.step = later.step;
  point.seconds = later.seconds;
  point.tokens = later.tokens;
  point.smooth = later.smooth;
}

function toCurve(points: readonly Point[], rowsPerPoint: number, broken: readonly number[]): Curve {
  return {
    step: Float64Array.from(points, point => point.step),
    seconds: Float64Array.from(points, point => point.seconds),
    tokens: Float64Array.from(points, point => point.tokens),
    mean: Float32Array.from(points, point => point.mean),
    min: Float32Array.from(points, point => point.min),
    max: Float32Array.from(points, point => point.max),
    smooth: Float32Array.from(points, point => (point.finite > 0 ? point.smooth : Number.NaN)),
    rowsPerPoint,
    broken: Float64Array.from(broken),
  };
}
