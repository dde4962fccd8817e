// Root mean square normalisation of each step (Zhang & Sennrich 2019).
import * as z from 'zod';
import type { LayerKind } from './kind.ts';

const schema = z
  .strictObject({
    type: z.literal('rms-norm'),
    epsilon: z.number().gt(0).default(1e-6).describe('Added to the mean of the squares.'),
  })
  .describe('Root mean square normalisation of each step, without mean and bias (Zhang & Sennrich 2019).');

export const rmsNorm: LayerKind<typeof schema> = {
  schema,
  title: 'RMS norm',
  family: 'plain',
  traits: () => ({ reads: 'vectors', sees: 'step', carries: true, reach: 1 }),
  width: (_, { inputs }) => inputs,
  parameters: (_, { inputs }) => ({ count: inputs, formula: `${inputs}` }),
  // its input, the normalised numbers, and the output with its gradient
  kept: (_, { inputs, outputs }) => 2 * inputs + 2 * outputs,
  multiplyAdds: () => 0,
  about: () => 'y = x / √(mean(x²) + ε) ⊙ weight          arXiv 1910.07467',
};
