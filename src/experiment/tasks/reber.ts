// The embedded Reber grammar (Reber 1967; Hochreiter & Schmidhuber 1997, experiment 1).
import * as z from 'zod';
import { symbolKind, testLength } from './symbols.ts';

export const REBER_SYMBOLS = 'BTPSXVE';
/** Symbols of the shortest string, BTBTXSETE; its last one is only said. */
export const SHORTEST = 9;

const schema = z
  .strictObject({
    task: z.literal('reber'),
    length: z
      .int()
      .min(SHORTEST)
      .default(40)
      .describe('Symbols of the longest string: strings are drawn as the grammar draws them, up to this.'),
    testLength: testLength('Symbols of the longest string; longer ones than `length` only,').refine(
      symbols => symbols === undefined || symbols >= SHORTEST,
      { error: `Too small: expected at least ${SHORTEST} symbols.` },
    ),
  })
  .describe(
    'The embedded Reber grammar: which symbols may come next; the second symbol decides the last but one (Hochreiter & Schmidhuber 1997). Baseline: ln 7.',
  );

export const reber = symbolKind<typeof schema>({
  schema,
  title: 'Embedded Reber grammar',
  asks: 'next',
  symbols: () => REBER_SYMBOLS.length,
  classes: () => REBER_SYMBOLS.length,
  outputsFrom: 'the symbols',
  steps: (_, length) => length - 1,
  starter: {
    description: 'generated · which symbols may come next in a grammar',
    data: () => ({ task: 'reber' }),
  },
});
