// Highway layers (Srivastava et al. 2015): a gate decides how much of each number is transformed, and how much passes.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import type { LayerKind } from './kind.ts';

const schema = z
  .strictObject({
    type: z.literal('highway'),
    layers: positiveInt.default(1).describe('How many of this layer are stacked.'),
    activation: z
      .enum(['relu', 'tanh', 'sigmoid', 'gelu'])
      .default('relu')
      .describe('Of what is transformed.'),
    gateBias: z
      .number()
      .default(-1)
      .describe('Initial bias of the gate; below 0 a layer begins by passing most of its input on.'),
  })
  .describe(
    'Highway: a gate lets a share of each number through unchanged, so that deep stacks train (Srivastava et al. 2015).',
  );

export const highway: LayerKind<typeof schema> = {
  schema,
  title: 'Highway',
  family: 'plain',
  rectified: false,
  traits: () => ({ reads: 'vectors', sees: 'step', carries: true, reach: 1 }),
  width: (_, { inputs }) => inputs,
  parameters: ({ layers }, { inputs: I }) => ({
    count: layers * 2 * (I + 1) * I,
    formula: `${layers > 1 ? `${layers}·` : ''}2·(${I} + 1)·${I}`,
  }),
  // two products, their activations, and the mixture with its gradient
  kept: ({ layers }, { inputs, outputs }) => inputs + layers * 6 * outputs,
  multiplyAdds: ({ layers }, { inputs, outputs, steps }) => steps * layers * 2 * inputs * outputs,
  about: ({ activation }) =>
    ['g = σ(W_g x + b_g)', `y = g ⊙ ${activation}(W x + b) + (1 − g) ⊙ x          arXiv 1505.00387`].join(
      '\n',
    ),
};
