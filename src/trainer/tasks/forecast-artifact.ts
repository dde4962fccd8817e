// What using a trained forecaster takes, and how its scaled outputs become values of the target.
import * as z from 'zod';
import { aheadOf, targetsOf } from '../../experiment/tasks/forecast.ts';

const name = z.string().max(1000);
const length = z.int().min(1).max(10_000_000);
const numberFormat = z.enum(['1234.5', '1,234.5', '1 234.5', "1'234.5", '1234,5', '1.234,5', '1 234,5']);

export const forecastArtifact = z.object({
  task: z.literal('forecast'),
  /** several are predicted together */
  target: z.union([name, z.array(name).min(1).max(1000)]),
  features: z.array(name).min(1).max(10_000),
  /** columns whose values of the rows to come are read */
  known: z.array(name).max(10_000).default([]),
  strategy: z.enum(['direct', 'recursive']).default('direct'),
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
  levelAt: (row: number) => number,
  scale: { mean: number; std: number },
  difference: number,
): number[] {
  const levels: number[] = [];
  for (let k = 0; k < scaled.length; k++) {
    const value = scaled[k]! * scale.std + scale.mean;
    const before = k < difference ? levelAt(at + k - difference) : levels[k - difference]!;
    levels.push(difference > 0 ? before + value : value);
  }
  return levels;
}

/** What one pass says of a window: of each row ahead each target, of each target its quantiles. */
export interface AnswerShape {
  ahead: number;
  targets: number;
  /** none: the mean */
  quantiles: readonly number[];
}

export function answerShape(
  data: Pick<ForecastArtifact, 'target' | 'horizon' | 'strategy'> & {
    quantiles?: readonly number[] | undefined;
  },
): AnswerShape {
  return { ahead: aheadOf(data), targets: targetsOf(data.target).length, quantiles: data.quantiles ?? [] };
}

/** Scaled answers of a window for one target, by row: of quantiles the one nearest to the median, or the one at this place. */
export function pathOf(
  answers: ArrayLike<number>,
  row: number,
  { ahead, targets, quantiles }: AnswerShape,
  target = 0,
  place?: number,
): number[] {
  const own = quantiles.length > 0 ? quantiles : [0.5];
  const nearest = own.reduce(
    (best, q, at) => (Math.abs(q - 0.5) < Math.abs(own[best]! - 0.5) ? at : best),
    0,
  );
  const at = place ?? nearest;
  return Array.from(
    { length: ahead },
    (_, k) => answers[((row * ahead + k) * targets + target) * own.length + at]!,
  );
}
