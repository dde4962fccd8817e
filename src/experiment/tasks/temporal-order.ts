// The temporal order problem (Hochreiter & Schmidhuber 1997, experiments 6a and 6b).
import * as z from 'zod';
import { symbolKind, testLength } from './symbols.ts';

/** X, Y and four distractors. */
export const SYMBOLS = 6;

const schema = z
  .strictObject({
    task: z.literal('temporal-order'),
    length: z.int().min(10).default(100).describe('Steps of a sequence.'),
    testLength: testLength('Steps').refine(steps => steps === undefined || steps >= 10, {
      error: 'Too small: expected at least 10 steps.',
    }),
    marks: z
      .union([z.literal(2), z.literal(3)])
      .default(2)
      .describe('Marked symbols: 2 in four orders (6a), 3 in eight (6b).'),
  })
  .describe(
    'Which of four orders did two marked symbols come in (Hochreiter & Schmidhuber 1997, 6a). Baseline: ln 4.',
  );

export const temporalOrder = symbolKind<typeof schema>({
  schema,
  title: 'Temporal order',
  asks: 'end',
  symbols: () => SYMBOLS,
  classes: ({ marks }) => 2 ** marks,
  outputsFrom: 'the orders',
  ability: 'memory',
  steps: (_, length) => length,
  starter: {
    description: 'generated · tell in which order two symbols came',
    data: () => ({ task: 'temporal-order', length: 50 }),
  },
});
