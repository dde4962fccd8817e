// Batch normalisation over features (Ioffe & Szegedy 2015): each number over all steps of all sequences of a batch.
import * as z from 'zod';
import type { LayerKind } from './kind.ts';

const schema = z
  .strictObject({
    type: z.literal('batch-norm'),
    epsilon: z.number().gt(0).default(1e-5).describe('Added to the variance.'),
    momentum: z
      .number()
      .gt(0)
      .max(1)
      .default(0.1)
      .describe(
        "Share of the newest batch in the running mean and variance, PyTorch's way (Keras: 1 − this).",
      ),
  })
  .describe(
    'Batch normalisation over the steps of a batch, padding left out; what is not training uses running statistics (Ioffe & Szegedy 2015).',
  );

export const batchNorm: LayerKind<typeof schema> = {
  schema,
  title: 'Batch norm',
  family: 'plain',
  traits: () => ({ reads: 'vectors', sees: 'step', carries: true, reach: 1 }),
  width: (_, { inputs }) => inputs,
  parameters: (_, { inputs }) => ({ count: 2 * inputs, formula: `2·${inputs}` }),
  statistics: (_, { inputs }) => 2 * inputs,
  kept: (_, { inputs, outputs }) => inputs + 2 * outputs,
  multiplyAdds: () => 0,
  about: () =>
    [
      'y = (x − μ) / √(σ² + ε) ⊙ weight + bias          arXiv 1502.03167',
      'μ, σ² of the batch in training, else the running ones',
    ].join('\n'),
};
