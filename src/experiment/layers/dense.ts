// Dense: the same matrix at every step; it ends every model.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import type { LayerKind } from './kind.ts';
import { residual } from './residual.ts';

const schema = z
  .strictObject({
    type: z.literal('dense'),
    units: positiveInt.optional().describe('Outputs; the last dense layer takes them from the task.'),
    activation: z.enum(['linear', 'tanh', 'relu', 'sigmoid']).default('linear'),
    residual,
    tied: z
      .boolean()
      .optional()
      .describe(
        'Of the last layer: its matrix is that of the embedding (Press & Wolf 2017), which must be as wide as what it reads.',
      ),
  })
  .describe('The same matrix at every step; the last layer of every model.');

export const dense: LayerKind<typeof schema> = {
  schema,
  title: 'Dense',
  family: 'plain',
  widthField: 'units',
  traits: () => ({ reads: 'vectors', sees: 'step', carries: true, reach: 1 }),
  width: ({ units }, { inputs, isLast, asked }) => units ?? (isLast ? asked : inputs),
  parameters: ({ tied }, { inputs, outputs }) =>
    tied
      ? { count: outputs, formula: `${outputs}, its matrix is the embedding's` }
      : { count: (inputs + 1) * outputs, formula: `(${inputs} + 1)·${outputs}` },
  kept: (_, { inputs, outputs }) => inputs + 2 * outputs,
  multiplyAdds: (_, { inputs, outputs, steps }) => steps * inputs * outputs,
  readout: ({ activation }) => (activation === 'linear' ? 'linear' : 'activated'),
  check: ({ tied }, at) =>
    tied && at && !at.isLast
      ? [error(['tied'], 'Only the last layer may share its matrix with the embedding; leave `tied` out.')]
      : [],
  about: ({ activation, tied }) =>
    `y_t = ${activation === 'linear' ? 'W x_t + b' : `${activation}(W x_t + b)`}${tied ? ', W that of the embedding          arXiv 1608.05859' : ''}`,
};
