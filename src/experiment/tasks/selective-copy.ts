// Selective copying (Gu & Dao 2023, after Jing et al. 2019).
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { symbolKind, testLength } from './symbols.ts';

/** Symbols to remember; blank and the signal to answer are two more. */
export const ALPHABET = 8;

const schema = z
  .strictObject({
    task: z.literal('selective-copy'),
    length: positiveInt
      .default(64)
      .describe('Steps before the answer: the symbols, with blanks between them.'),
    testLength: testLength('Steps before the answer'),
    items: positiveInt.max(1000).default(8).describe('Symbols to remember, at places that are drawn anew.'),
  })
  .describe(
    'Selective copying: say the symbols again that stood among blanks, in their order (Gu & Dao 2023). Baseline: ln 8.',
  );

export const selectiveCopy = symbolKind<typeof schema>({
  schema,
  title: 'Selective copying',
  asks: 'steps',
  symbols: () => ALPHABET + 2,
  classes: () => ALPHABET,
  outputsFrom: 'the symbols',
  ability: 'selection',
  steps: ({ items }, length) => length + items,
  check({ length, testLength: tested = length, items }) {
    if (items <= Math.min(length, tested)) return [];
    const field = items > length ? 'length' : 'testLength';
    return [
      error([field], `${items} symbols (\`items\`) do not fit into ${Math.min(length, tested)} steps.`),
    ];
  },
  starter: {
    description: 'generated · say again the symbols that stood among blanks',
    data: () => ({ task: 'selective-copy', length: 32 }),
    training: { learningRate: 0.003, steps: 2000 },
  },
});
