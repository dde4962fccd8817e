// Dropout (Srivastava et al. 2014): off in validation.
import * as z from 'zod';
import { rate } from '../fields.ts';
import { warning } from '../remark.ts';
import type { LayerKind } from './kind.ts';

const schema = z
  .strictObject({ type: z.literal('dropout'), rate })
  .describe('Zeroes a share of the numbers in training, drawn anew at every step (Srivastava et al. 2014).');

export const dropout: LayerKind<typeof schema> = {
  schema,
  title: 'Dropout',
  family: 'plain',
  traits: () => ({ reads: 'vectors', sees: 'step', carries: true, reach: 1 }),
  width: (_, { inputs }) => inputs,
  parameters: () => ({ count: 0, formula: '0' }),
  kept: (_, { inputs, outputs }) => inputs + 2 * outputs,
  multiplyAdds: () => 0,
  check: layer => (layer.rate === 0 ? [warning(['rate'], 'A dropout rate of 0 has no effect.')] : []),
  about: layer =>
    `Each number is 0 with a chance of ${layer.rate} in training; off in validation          Srivastava et al. 2014`,
};
