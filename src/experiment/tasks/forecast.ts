// Forecasting: the next values of one column or several, from a window of rows.
import * as z from 'zod';
import { nonNegativeInt, positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { onError, path, split } from './file-task.ts';
import type { Metric, TaskKind } from './kind.ts';

const column = z.string().min(1);

const schema = z
  .strictObject({
    task: z.literal('forecast'),
    path: path('A CSV or TSV file with a header,'),
    target: z
      .union([column, z.array(column).min(1).max(1000)])
      .describe('The column to predict, or several that are predicted together.'),
    features: z.array(column).min(1).optional().describe('Columns the model reads; default: the targets.'),
    known: z
      .array(column)
      .min(1)
      .optional()
      .describe(
        'Columns that are known in advance, such as holidays: at each row the model also reads their values of the rows to come, up to the horizon.',
      ),
    window: positiveInt.default(24).describe('How many past rows the model sees.'),
    horizon: positiveInt.default(1).describe('How many rows ahead it predicts.'),
    strategy: z
      .enum(['direct', 'recursive'])
      .default('direct')
      .describe(
        '"direct": all rows of the horizon at once. "recursive": a model of one row ahead, which goes on from its own predictions.',
      ),
    stride: positiveInt
      .default(1)
      .describe('Rows between two origins from which validation and test are forecast.'),
    difference: nonNegativeInt
      .default(0)
      .describe('Model the change over this many rows instead of the value (0: the value itself).'),
    season: positiveInt
      .optional()
      .describe('Rows of a season, such as 12 months: the value one season before is the baseline.'),
    quantiles: z
      .array(z.number().gt(0).lt(1))
      .min(1)
      .max(99)
      .optional()
      .describe(
        'Predict these quantiles by the pinball loss, rising, such as [0.1, 0.5, 0.9]; default: the mean.',
      ),
    calendar: z
      .array(z.enum(['hour', 'weekday', 'day', 'month']))
      .min(1)
      .optional()
      .describe(
        'Further inputs from the column of dates, each as the sine and cosine of its place in the cycle.',
      ),
    missing: z
      .enum(['error', 'drop', 'previous', 'mask', 'interpolate'])
      .default('previous')
      .describe(
        'What stands in for empty cells: the value before; "mask": that, and a further input of 0 or 1 that tells it; "interpolate": a line to the next value, where the window shows it; "drop": their rows are left out. A target that is empty is never scored.',
      ),
    numbers: z
      .enum(['1234.5', '1,234.5', '1 234.5', "1'234.5", '1234,5', '1.234,5', '1 234,5'])
      .optional()
      .describe('How the file writes 1234.5; default: each column decides by all of its cells.'),
    unreadable: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe(
        'Largest share of the filled cells of a column that may be no number; they count as missing.',
      ),
    time: z.string().min(1).optional().describe('The column that tells when; default: found.'),
    order: z
      .enum(['file', 'time'])
      .default('file')
      .describe(
        'Order of the rows: as in the file, or sorted by the column that tells when, earliest first.',
      ),
    onError,
    split: split.default([0.7, 0.1, 0.2]),
  })
  .describe('Predict the next values of a numeric series.');

/** The columns to predict. */
export function targetsOf(target: string | readonly string[]): readonly string[] {
  return typeof target === 'string' ? [target] : target;
}

interface Widths {
  target: string | readonly string[];
  features?: readonly string[] | undefined;
  known?: readonly string[] | undefined;
  missing: string;
  horizon: number;
  strategy: 'direct' | 'recursive';
  quantiles?: readonly number[] | undefined;
  calendar?: readonly string[] | undefined;
}

/** Rows ahead that one pass of the model says. */
export function aheadOf({ strategy, horizon }: Pick<Widths, 'strategy' | 'horizon'>): number {
  return strategy === 'recursive' ? 1 : horizon;
}

/** Numbers that the model reads at each row, and says of a window. */
export function widthsOf(data: Widths): { features: number; outputs: number } {
  const { target, features, known = [], missing, quantiles = [], calendar = [] } = data;
  const targets = targetsOf(target);
  const own = (features ?? targets).length * (missing === 'mask' ? 2 : 1);
  return {
    features: own + 2 * calendar.length + known.length * aheadOf(data),
    outputs: aheadOf(data) * targets.length * Math.max(1, quantiles.length),
  };
}

const METRICS: readonly Metric[] = [
  { name: 'rmse', label: 'RMSE', unit: '', better: 'lower' },
  { name: 'rmseRatio', label: 'RMSE / persistence', unit: '', better: 'lower' },
  { name: 'mase', label: 'MASE', unit: '', better: 'lower' },
  { name: 'smape', label: 'sMAPE', unit: '%', better: 'lower' },
];
/** Columns that have figures of their own in lists of metrics. */
const MOST_TARGETS = 20;

function checkTargets({ target, known = [] }: z.output<typeof schema>) {
  const targets = targetsOf(target);
  const twice = targets.findIndex((name, at) => targets.indexOf(name) < at);
  if (twice >= 0) return [error(['target', twice], `"${targets[twice]}" stands twice among the targets.`)];
  const told = known.findIndex(name => targets.includes(name));
  if (told < 0) return [];
  return [
    error(
      ['known', told],
      `"${known[told]}" is a target: the model would read what it is to predict; leave it out of \`known\`.`,
    ),
  ];
}

/** A recursive model needs each of its inputs at rows that it has only predicted. */
function checkRecursion({ strategy, target, features, known = [], quantiles }: z.output<typeof schema>) {
  if (strategy === 'direct') return [];
  if (quantiles)
    return [
      error(
        ['quantiles'],
        'A recursive model goes on from one value a row, so that quantiles of later rows would be too narrow; leave `quantiles` out, or take `"strategy": "direct"`.',
      ),
    ];
  const there = [...targetsOf(target), ...known];
  const lost = features?.findIndex(name => !there.includes(name)) ?? -1;
  if (lost < 0) return [];
  return [
    error(
      ['features', lost],
      `A recursive model would need "${features![lost]}" of rows that have not come yet: predict it too, name it in \`known\`, leave it out, or take \`"strategy": "direct"\`.`,
    ),
  ];
}

export const forecast: TaskKind<typeof schema> = {
  schema,
  title: 'Forecast',
  loss: { at: 'sequence', of: 'values', unit: 'mse' },
  metrics: METRICS,
  metricsOf({ target }) {
    if (typeof target === 'string') return METRICS;
    const each = target.slice(0, MOST_TARGETS).flatMap(name =>
      METRICS.map(metric => ({
        ...metric,
        name: `${metric.name}.${name}`,
        label: `${metric.label}, ${name}`,
      })),
    );
    return [...METRICS, ...each];
  },
  predictsNext: false,
  stream: false,
  needs: 'layers',
  reads: 'table',
  stepsField: 'window',
  outputsFrom: 'the horizon',
  steps: ({ window }) => window,
  lossOf: ({ quantiles }) => ({ at: 'sequence', of: 'values', unit: quantiles ? 'pinball' : 'mse' }),
  sizes(data) {
    const { features, outputs } = widthsOf(data);
    return { input: { kind: 'vectors', features }, outputs };
  },
  tries: () => ({ typed: 'Rows as CSV with a header', row: 'row', sound: false, writes: null }),
  check(data) {
    const { quantiles } = data;
    const remarks = [...checkTargets(data), ...checkRecursion(data)];
    const fall = quantiles?.findIndex((value, at) => at > 0 && value <= quantiles[at - 1]!) ?? -1;
    if (fall < 0) return remarks;
    return [
      ...remarks,
      error(
        ['quantiles', fall],
        `\`quantiles\` must rise, found ${quantiles![fall]} after ${quantiles![fall - 1]}.`,
      ),
    ];
  },
  suits({ path, columns, isHeadless }) {
    const series = columns.filter(
      ({ kind, different, varies }) => kind === 'number' && different > 10 && varies,
    );
    const target = series.at(-1)?.name;
    const isOfSequences = columns.some(
      ({ kind, names }) => kind === 'array' || kind === 'list' || names === 'sounds',
    );
    if (isHeadless || target === undefined || isOfSequences) return null;
    return { data: { task: 'forecast', path, target }, why: `numbers row after row in "${target}"` };
  },
  starter: {
    description: 'predict a column',
    data: ({ path, column }) => ({ task: 'forecast', path, target: column, window: 24 }),
    embedding: 0,
    training: { learningRate: 0.003, steps: 1000 },
  },
};
