// Echo state network (Jaeger 2001): a fixed random recurrence, of which only what reads it learns.
import * as z from 'zod';
import { linearRecurrence, units } from './linear-recurrence.ts';

const schema = z
  .strictObject({
    type: z.literal('echo-state'),
    units,
    spectralRadius: z
      .number()
      .gt(0)
      .default(0.95)
      .describe('ρ(W), the largest |eigenvalue|; below 1 the state forgets how it began.'),
    inputScale: z.number().gt(0).default(1).describe('Input weights and biases are uniform within ± this.'),
    density: z.number().gt(0).max(1).default(0.1).describe('Share of recurrent weights that are not 0.'),
    leak: z
      .number()
      .gt(0)
      .max(1)
      .default(1)
      .describe('a in h_t = (1 − a) h_{t−1} + a tanh(…): how much of the state is new at each step.'),
    readout: z
      .strictObject({ type: z.literal('ridge'), lambda: z.number().gt(0).default(1e-6) })
      .optional()
      .describe(
        'The last dense layer at once, as the ridge regression over all batches that were read; no other weight of the model learns. Default: by gradient.',
      ),
  })
  .describe('Echo state network: fixed random weights; the layers behind it learn (Jaeger 2001).');

export const echoState = linearRecurrence({
  schema,
  title: 'Echo state',
  family: 'recurrent',
  weights: () => [],
  statistics: ({ units }, I) => units * (units + I + 1),
  perStep: (layer, I) => layer.units * (layer.units + I),
  kept: layer => (layer.leak < 1 ? 8 : 3) * layer.units,
  state: layer => layer.units,
  about: ({ leak, spectralRadius }) =>
    [
      leak < 1
        ? `h_t = (1 − a) h_{t−1} + a tanh(W_in x_t + W h_{t−1} + b), a = ${leak}`
        : 'h_t = tanh(W_in x_t + W h_{t−1} + b)',
      `ρ(W) = ${spectralRadius}; no weight in here learns          Jaeger 2001, GMD report 148`,
    ].join('\n'),
});
