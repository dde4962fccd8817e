// Embedding: a learned vector for each symbol.
import * as z from 'zod';
import { positiveInt, rate } from '../fields.ts';
import type { LayerKind } from './kind.ts';

const schema = z
  .strictObject({
    type: z.literal('embedding'),
    dim: positiveInt.describe('Length of the vector learned for each symbol.'),
    dropout: rate
      .optional()
      .describe(
        'Share of the symbols whose whole vector is dropped in training, wherever they stand (Gal & Ghahramani 2016).',
      ),
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
  about: ({ dropout }) =>
    dropout ? `y_t = E[x_t] m[x_t], m zero for ${dropout} of the symbols (arXiv 1512.05287)` : 'y_t = E[x_t]',
};
