// Layer normalisation of each step (Ba et al. 2016).
import * as z from 'zod';
import type { LayerKind } from './kind.ts';

const schema = z
  .strictObject({
    type: z.literal('layer-norm'),
    epsilon: z.number().gt(0).default(1e-5).describe('Added to the variance.'),
  })
  .describe('Layer normalisation of each step (Ba et al. 2016).');

export const layerNorm: LayerKind<typeof schema> = {
  schema,
  title: 'Layer norm',
  family: 'plain',
  traits: () => ({ reads: 'vectors', sees: 'step', carries: true, reach: 1 }),
  width: (_, { inputs }) => inputs,
  parameters: (_, { inputs }) => ({ count: 2 * inputs, formula: `2·${inputs}` }),
  kept: (_, { inputs, outputs }) => inputs + 2 * outputs,
  multiplyAdds: () => 0,
  about: () => 'y = (x − mean(x)) / √(variance(x) + ε) ⊙ weight + bias          arXiv 1607.06450',
};
