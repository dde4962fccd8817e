// From curves to what the loss chart draws: points on the chosen axis, extents, and the value at a reading line.
import type { Curve, RunView } from '../../protocol/messages.ts';
import type { Axis } from '../page.ts';
import { bandOf, type SeedView } from '../seeds.ts';

export interface PlotPoint {
  x: number;
  y: number;
}

export interface LossLines {
  run: RunView;
  /** the raw curve: through the lowest and the highest value of each point, so that no spike is lost */
  ghost: PlotPoint[];
  train: PlotPoint[];
  val: PlotPoint[];
  /** of several seeds: what their validation, else their training spans */
  band: { x: number; low: number; high: number }[];
  /** where the first NaN stands; y of the last finite value before it */
  broken: { x: number; y: number; step: number } | null;
}

export function axisOf(curve: Curve, axis: Axis): Float64Array {
  return axis === 'step' ? curve.step : axis === 'seconds' ? curve.seconds : curve.tokens;
}

export function linesOf(run: RunView, trainLoss: Curve, axis: Axis): LossLines {
  const train = points(axisOf(trainLoss, axis), trainLoss.smooth);
  const val = points(axisOf(run.valLoss, axis), run.valLoss.mean);
  return {
    run,
    ghost: ghostOf(trainLoss, axis),
    train,
    val,
    band: [],
    broken: brokenOf(run, trainLoss, axis, train, val),
  };
}

/** Several seeds as one: the mean, without the raw curves, in the band that they span. */
export function seedLines(mean: LossLines, members: readonly LossLines[], view: SeedView): LossLines {
  const hasVal = members.filter(({ val }) => val.length > 1).length > 1;
  const own = hasVal ? mean.val : mean.train;
  const band = own.flatMap(({ x }) => {
    const values = members.map(({ val, train }) => valueWithin(hasVal ? val : train, x));
    const found = bandOf(values, view);
    return found ? [{ x, ...found }] : [];
  });
  return { ...mean, ghost: [], band };
}

/** NaN beyond the end of the line too. */
function valueWithin(line: readonly PlotPoint[], x: number): number {
  return x <= (line.at(-1)?.x ?? Number.NEGATIVE_INFINITY) ? valueAt(line, x) : Number.NaN;
}

/** Of a metric, which is measured in validation alone. */
export function metricLines(run: RunView, curve: Curve | undefined, factor: number, axis: Axis): LossLines {
  const values = curve ? points(axisOf(curve, axis), curve.mean) : [];
  return {
    run,
    ghost: [],
    train: [],
    val: values.map(({ x, y }) => ({ x, y: y * factor })),
    band: [],
    broken: null,
  };
}

function points(xs: Float64Array, ys: Float32Array): PlotPoint[] {
  return Array.from(xs, (x, i) => ({ x, y: ys[i]! }));
}

function ghostOf(curve: Curve, axis: Axis): PlotPoint[] {
  const xs = axisOf(curve, axis);
  const ghost: PlotPoint[] = [];
  let before = Number.NaN;
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i]!;
    const min = curve.min[i]!;
    const max = curve.max[i]!;
    if (min === max || Number.isNaN(min)) ghost.push({ x, y: min });
    // the nearer end first, so that a steady curve does not become a saw
    else if (Math.abs(before - min) <= Math.abs(before - max)) ghost.push({ x, y: min }, { x, y: max });
    else ghost.push({ x, y: max }, { x, y: min });
    before = ghost.at(-1)!.y;
  }
  return ghost;
}

function brokenOf(
  run: RunView,
  curve: Curve,
  axis: Axis,
  train: PlotPoint[],
  val: PlotPoint[],
): LossLines['broken'] {
  const step = curve.broken[0] ?? run.valLoss.broken[0];
  const diverged = step ?? (run.state === 'diverged' ? run.step : undefined);
  if (diverged === undefined) return null;
  const at = indexAt(curve.step, diverged);
  const x = axis === 'step' ? diverged : (axisOf(curve, axis)[at] ?? 0);
  const y = lastFinite(train, x) ?? lastFinite(val, x);
  return y === null ? null : { x, y, step: diverged };
}

function lastFinite(line: PlotPoint[], x: number): number | null {
  for (let i = line.length - 1; i >= 0; i--) {
    const point = line[i]!;
    if (point.x <= x && Number.isFinite(point.y)) return point.y;
  }
  return null;
}

/** Last index whose value is at most `wanted`; −1 before the first. Values rise. */
export function indexAt(values: ArrayLike<number>, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The value of a line at x: of the last point before; NaN beyond its end and before its begin. */
export function valueAt(line: readonly PlotPoint[], x: number): number {
  let low = 0;
  let high = line.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (line[middle]!.x <= x) low = middle + 1;
    else high = middle;
  }
  return line[low - 1]?.y ?? Number.NaN;
}

export interface Extent {
  min: number;
  max: number;
}

/** Of what is finite, and positive on a log scale, inside the shown part of the axis; null: nothing is. */
export function valueExtent(
  lines: readonly LossLines[],
  from: number,
  to: number,
  scale: 'log' | 'linear',
): Extent | null {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const { ghost, val, train, band } of lines)
    for (const line of [
      ghost,
      val,
      train,
      band.flatMap(({ x, low, high }) => [
        { x, y: low },
        { x, y: high },
      ]),
    ])
      for (const { x, y } of line) {
        if (x < from || x > to || !Number.isFinite(y) || (scale === 'log' && y <= 0)) continue;
        if (y < min) min = y;
        if (y > max) max = y;
      }
  if (min > max) return null;
  if (scale === 'log') return { min: min / 1.04, max: max * 1.04 };
  const margin = (max - min || Math.abs(max) || 1) * 0.04;
  return { min: min >= 0 ? Math.max(0, min - margin) : min - margin, max: max + margin };
}

export function lastX(lines: readonly LossLines[]): number {
  return Math.max(0, ...lines.flatMap(({ train, val }) => [train.at(-1)?.x ?? 0, val.at(-1)?.x ?? 0]));
}
