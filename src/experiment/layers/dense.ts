// Dense: the same matrix at every step; it ends every model.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import type { LayerKind } from './kind.ts';
import { residual } from './residual.ts';

const schema = z
  .strictObject({
    type: z.literal('dense'),
    units: positiveInt.optional().describe('Outputs; the last dense layer takes them from the task.'),
    activation: z.enum(['linear', 'tanh', 'relu', 'sigmoid']).default('linear'),
    residual,
  })
  .describe('The same matrix at every step; the last layer of every model.');

export const dense: LayerKind<typeof schema> = {
  schema,
  title: 'Dense',
  family: 'plain',
  widthField: 'units',
  traits: () => ({ reads: 'vectors', sees: 'step', carries: true, reach: 1 }),
  width: ({ units }, { inputs, isLast, asked }) => units ?? (isLast ? asked : inputs),
  parameters: (_, { inputs, outputs }) => ({
    count: (inputs + 1) * outputs,
    formula: `(${inputs} + 1)·${outputs}`,
  }),
  kept: (_, { inputs, outputs }) => inputs + 2 * outputs,
  multiplyAdds: (_, { inputs, outputs, steps }) => steps * inputs * outputs,
  readout: ({ activation }) => (activation === 'linear' ? 'linear' : 'activated'),
  about: ({ activation }) => `y_t = ${activation === 'linear' ? 'W x_t + b' : `${activation}(W x_t + b)`}`,
};
