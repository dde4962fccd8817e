// What using a trained forecaster takes, and how its scaled outputs become values of the target.
import * as z from 'zod';

const name = z.string().max(1000);
const length = z.int().min(1).max(10_000_000);
const numberFormat = z.enum(['1234.5', '1,234.5', '1 234.5', "1'234.5", '1234,5', '1.234,5', '1 234,5']);

export const forecastArtifact = z.object({
  task: z.literal('forecast'),
  target: name,
  features: z.array(name).min(1).max(10_000),
  window: length,
  horizon: length,
  difference: z.int().min(0).max(10_000_000),
  missing: z.enum(['error', 'drop', 'previous', 'mask', 'interpolate']),
  order: z.enum(['file', 'time']).default('file'),
  /** number formats of the columns, as they were set and as they were read */
  numbers: numberFormat.nullable().default(null),
  formats: z.record(name, numberFormat).default({}),
  unreadable: z.number().min(0).max(1).default(1),
  time: name.nullable().default(null),
  /** by feature, fitted on the training part; the target's own stand under its name too */
  scaling: z.record(name, z.object({ mean: z.number(), std: z.number().gt(0) })),
  quantiles: z.array(z.number().gt(0).lt(1)).max(99).default([]),
  calendar: z
    .array(z.enum(['hour', 'weekday', 'day', 'month']))
    .max(4)
    .default([]),
});

export type ForecastArtifact = z.output<typeof forecastArtifact>;

/**
 * Predicted levels from scaled predictions: the value itself, or the level `difference` rows before plus the change,
 * where a level that is not known yet is the predicted one.
 */
export function levelsOf(
  scaled: ArrayLike<number>,
  at: number,
  level: ArrayLike<number>,
  scale: { mean: number; std: number },
  difference: number,
): number[] {
  const levels: number[] = [];
  for (let k = 0; k < scaled.length; k++) {
    const value = scaled[k]! * scale.std + scale.mean;
    const before = k < difference ? level[at + k - difference]! : levels[k - difference]!;
    levels.push(difference > 0 ? before + value : value);
  }
  return levels;
}

/** Scaled answers of a window by row: of quantiles the one nearest to the median, or the one at this place. */
export function pathOf(
  answers: ArrayLike<number>,
  row: number,
  { horizon, quantiles }: { horizon: number; quantiles?: readonly number[] | undefined },
  place?: number,
): number[] {
  const own = quantiles && quantiles.length > 0 ? quantiles : [0.5];
  const nearest = own.reduce(
    (best, q, at) => (Math.abs(q - 0.5) < Math.abs(own[best]! - 0.5) ? at : best),
    0,
  );
  const at = place ?? nearest;
  return Array.from({ length: horizon }, (_, k) => answers[(row * horizon + k) * own.length + at]!);
}
