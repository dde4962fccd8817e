// Embedding: a learned vector for each symbol.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import type { LayerKind } from './kind.ts';

const schema = z
  .strictObject({
    type: z.literal('embedding'),
    dim: positiveInt.describe('Length of the vector learned for each symbol.'),
  })
  .describe('A learned vector for each symbol.');

export const embedding: LayerKind<typeof schema> = {
  schema,
  title: 'Embedding',
  family: 'plain',
  widthField: 'dim',
  traits: () => ({ reads: 'tokens', sees: 'step', carries: true, reach: 1 }),
  width: ({ dim }) => dim,
  parameters: ({ dim }, { inputs }) => ({ count: inputs * dim, formula: `${inputs}·${dim}` }),
  kept: ({ dim }) => 2 * dim,
  multiplyAdds: () => 0,
  about: () => 'y_t = E[x_t]',
};
