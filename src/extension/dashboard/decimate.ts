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

  /**
   * Takes what the source has more than before; begins anew when it went back or smooths otherwise.
   * @returns whether all was taken; not more than `limit` rows are at a time
   */
  follow(source: CurveSource | undefined, smoothing: number, limit = Number.POSITIVE_INFINITY): boolean {
    if (!source) {
      if (this.consumed > 0) this.restart(null, smoothing);
      return true;
    }
    const wentBack =
      source.length < this.consumed ||
      (this.consumed > 0 &&
        (source.steps.at(this.consumed - 1) !== this.lastStep ||
          !Object.is(source.mean.at(this.consumed - 1), this.lastMean)));
    if (source !== this.source || wentBack || smoothing !== this.smoothing) this.restart(source, smoothing);
    if (source.length === this.consumed) return true;
    const end = Math.min(source.length, this.consumed + limit);
    for (let row = this.consumed; row < end; row++) this.add(source, row);
    this.consumed = end;
    this.lastStep = source.steps.at(end - 1);
    this.lastMean = source.mean.at(end - 1);
    this.version++;
    return end === source.length;
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

  private add(source: CurveSource, row: number): void {
    const smooth = this.smoothed.next(source.mean.at(row));
    const last = this.points.at(-1);
    let point = last;
    if (last && last.rows < this.rowsPerPoint) addRow(last, source, row, smooth);
    else {
      point = emptyPoint();
      addRow(point, source, row, smooth);
      this.points.push(point);
    }
    if (this.broken.length < MAX_BROKEN && !Number.isFinite(source.mean.at(row)))
      this.broken.push(source.steps.at(row));
    if (this.points.length > this.maxPoints && point!.rows === this.rowsPerPoint) this.halve();
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
  for (let row = 0; row < end; row++) {
    const smooth = smoother.next(source.mean.at(row));
    if (row < start) continue;
    if (broken.length < MAX_BROKEN && !Number.isFinite(source.mean.at(row)))
      broken.push(source.steps.at(row));
    if (!points.at(-1) || points.at(-1)!.rows === rowsPerPoint) points.push(emptyPoint());
    addRow(points.at(-1)!, source, row, smooth);
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

function emptyPoint(): Point {
  return {
    step: 0,
    seconds: 0,
    tokens: 0,
    mean: Number.NaN,
    min: Number.NaN,
    max: Number.NaN,
    smooth: Number.NaN,
    rows: 0,
    finite: 0,
  };
}

function addRow(point: Point, source: CurveSource, row: number, smooth: number): void {
  point.rows++;
  point.step = source.steps.at(row);
  point.seconds = source.seconds.at(row);
  point.tokens = source.tokens.at(row);
  point.smooth = smooth;
  const mean = source.mean.at(row);
  if (!Number.isFinite(mean)) return;
  const min = source.min.at(row);
  const max = source.max.at(row);
  const low = Number.isFinite(min) ? min : mean;
  const high = Number.isFinite(max) ? max : mean;
  const finite = ++point.finite;
  point.mean = finite === 1 ? mean : point.mean + (mean - point.mean) / finite;
  point.min = finite === 1 ? low : Math.min(point.min, low);
  point.max = finite === 1 ? high : Math.max(point.max, high);
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
  const { length } = points;
  const curve: Curve = {
    step: new Float64Array(length),
    seconds: new Float64Array(length),
    tokens: new Float64Array(length),
    mean: new Float32Array(length),
    min: new Float32Array(length),
    max: new Float32Array(length),
    smooth: new Float32Array(length),
    rowsPerPoint,
    broken: Float64Array.from(broken),
  };
  // not `from`, whose iterators take many times as long
  for (let i = 0; i < length; i++) {
    const point = points[i]!;
    curve.step[i] = point.step;
    curve.seconds[i] = point.seconds;
    curve.tokens[i] = point.tokens;
    curve.mean[i] = point.mean;
    curve.min[i] = point.min;
    curve.max[i] = point.max;
    curve.smooth[i] = point.finite > 0 ? point.smooth : Number.NaN;
  }
  return curve;
}
