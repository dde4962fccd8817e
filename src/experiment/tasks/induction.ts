// Induction heads (Olsson et al. 2022; as a task, Gu & Dao 2023).
import * as z from 'zod';
import { symbolKind, testLength } from './symbols.ts';

/** Symbols beside the special one. */
export const ALPHABET = 16;

const schema = z
  .strictObject({
    task: z.literal('induction'),
    length: z.int().min(3).default(64).describe('Steps of a sequence.'),
    testLength: testLength('Steps').refine(steps => steps === undefined || steps > 2, {
      error: 'Too small: expected at least 3 steps.',
    }),
  })
  .describe(
    'Induction: a special symbol stands among others and at the end; say what followed it (Olsson et al. 2022). Baseline: ln 16.',
  );

export const induction = symbolKind<typeof schema>({
  schema,
  title: 'Induction',
  asks: 'end',
  symbols: () => ALPHABET + 1,
  classes: () => ALPHABET,
  outputsFrom: 'the symbols',
  ability: 'recall',
  steps: (_, length) => length,
  starter: {
    description: 'generated · say what followed a symbol the first time',
    data: () => ({ task: 'induction', length: 32 }),
    embedding: 32,
    training: { learningRate: 0.003, steps: 2000 },
  },
});
