// Dyck languages: balanced brackets of several kinds (Chomsky & Schützenberger 1963).
import * as z from 'zod';
import { symbolKind, testLength } from './symbols.ts';

export const PAIRS = ['()', '[]', '{}', '<>'] as const;

const schema = z
  .strictObject({
    task: z.literal('dyck'),
    length: z.int().min(2).max(10_000).default(20).describe('Brackets of the longest string.'),
    testLength: testLength('Brackets of the longest string; longer ones than `length` only,').refine(
      brackets => brackets === undefined || (brackets > 1 && brackets <= 10_000),
      { error: 'Expected from 2 to 10,000 brackets.' },
    ),
    brackets: z.int().min(1).max(PAIRS.length).default(2).describe('Kinds of brackets.'),
  })
  .describe(
    'Balanced brackets: which symbols may come next; what was opened last is closed first. Baseline: ln (2 · kinds + 1).',
  );

export const dyck = symbolKind<typeof schema>({
  schema,
  title: 'Balanced brackets',
  asks: 'next',
  symbols: ({ brackets }) => 2 * brackets + 1,
  classes: ({ brackets }) => 2 * brackets + 1,
  outputsFrom: 'the brackets and the end',
  steps: (_, length) => 1 + 2 * (length >> 1),
  starter: {
    description: 'generated · close the brackets in their order',
    data: () => ({ task: 'dyck' }),
  },
});
