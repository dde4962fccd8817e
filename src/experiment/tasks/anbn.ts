// Counting: aⁿbⁿ, a context-free language, and aⁿbⁿcⁿ, a context-sensitive one (Gers & Schmidhuber 2001).
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { symbolKind, testLength } from './symbols.ts';

const fields = {
  length: positiveInt.max(100_000).default(10).describe('Largest n; each string has an n from 1 to this.'),
  testLength: testLength('Largest n; where it is above `length`, only larger n than that stand'),
};

const anbnSchema = z
  .strictObject({ task: z.literal('anbn'), ...fields })
  .describe('aⁿbⁿ: which symbols may come next; the end comes after as many b as a. Baseline: ln 3.');

export const anbn = symbolKind<typeof anbnSchema>({
  schema: anbnSchema,
  title: 'aⁿbⁿ',
  asks: 'next',
  symbols: () => 3,
  classes: () => 3,
  outputsFrom: 'the symbols',
  steps: (_, length) => 1 + 2 * length,
  starter: {
    description: 'generated · count: as many b as there were a',
    data: () => ({ task: 'anbn', length: 10, testLength: 30 }),
  },
});

const anbncnSchema = z
  .strictObject({ task: z.literal('anbncn'), ...fields })
  .describe('aⁿbⁿcⁿ: which symbols may come next; as many b and c as a. Baseline: ln 4.');

export const anbncn = symbolKind<typeof anbncnSchema>({
  schema: anbncnSchema,
  title: 'aⁿbⁿcⁿ',
  asks: 'next',
  symbols: () => 4,
  classes: () => 4,
  outputsFrom: 'the symbols',
  steps: (_, length) => 1 + 3 * length,
  starter: {
    description: 'generated · count twice: as many b and c as there were a',
    data: () => ({ task: 'anbncn', length: 10 }),
  },
});
