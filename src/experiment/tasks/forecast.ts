// Forecasting: the next values of one column, from a window of rows.
import * as z from 'zod';
import { nonNegativeInt, positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { path, split } from './file-task.ts';
import type { TaskKind } from './kind.ts';

const schema = z
  .strictObject({
    task: z.literal('forecast'),
    path: path('A CSV or TSV file with a header,'),
    target: z.string().min(1).describe('The column to predict.'),
    features: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Columns the model reads; default: the target alone.'),
    window: positiveInt.default(24).describe('How many past rows the model sees.'),
    horizon: positiveInt.default(1).describe('How many rows ahead it predicts.'),
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
    split: split.default([0.7, 0.1, 0.2]),
  })
  .describe('Predict the next values of a numeric series.');

export const forecast: TaskKind<typeof schema> = {
  schema,
  title: 'Forecast',
  loss: { at: 'sequence', of: 'values', unit: 'mse' },
  metrics: [
    { name: 'rmse', label: 'RMSE', unit: '', better: 'lower' },
    { name: 'rmseRatio', label: 'RMSE / persistence', unit: '', better: 'lower' },
    { name: 'mase', label: 'MASE', unit: '', better: 'lower' },
    { name: 'smape', label: 'sMAPE', unit: '%', better: 'lower' },
  ],
  predictsNext: false,
  stream: false,
  needs: 'layers',
  reads: 'table',
  stepsField: 'window',
  outputsFrom: 'the horizon',
  steps: ({ window }) => window,
  lossOf: ({ quantiles }) => ({ at: 'sequence', of: 'values', unit: quantiles ? 'pinball' : 'mse' }),
  sizes: ({ features, missing, horizon, quantiles, calendar }) => ({
    input: {
      kind: 'vectors',
      features: (features?.length ?? 1) * (missing === 'mask' ? 2 : 1) + 2 * (calendar?.length ?? 0),
    },
    outputs: horizon * (quantiles?.length ?? 1),
  }),
  check({ quantiles }) {
    const fall = quantiles?.findIndex((value, at) => at > 0 && value <= quantiles[at - 1]!) ?? -1;
    if (fall < 0) return [];
    return [
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
    if (isHeadless || target === undefined || columns.some(({ kind }) => kind === 'array')) return null;
    return { data: { task: 'forecast', path, target }, why: `numbers row after row in "${target}"` };
  },
  starter: {
    description: 'predict a column',
    data: ({ path, column }) => ({ task: 'forecast', path, target: column, window: 24 }),
    embedding: 0,
    training: { learningRate: 0.003, steps: 1000 },
  },
};
