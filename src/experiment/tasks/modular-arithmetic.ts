// Arithmetic modulo a small number, from left to right (Delétang et al. 2022).
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { symbolKind, testLength } from './symbols.ts';

export const OPERATORS = '+-*';

const schema = z
  .strictObject({
    task: z.literal('modular-arithmetic'),
    length: positiveInt
      .default(15)
      .describe('Steps: numbers with an operator between them; where it is even, "=" stands at the end.'),
    testLength: testLength('Steps'),
    modulus: z.int().min(2).max(100).default(5).describe('Numbers are below this.'),
    operators: z
      .enum(['+', '+-', '+-*'])
      .default('+-')
      .describe('Worked off from left to right, none before the other.'),
  })
  .describe(
    'Arithmetic modulo a number: at every number and at "=", the result so far (Delétang et al. 2022). Baseline: ln modulus.',
  );

export const modularArithmetic = symbolKind<typeof schema>({
  schema,
  title: 'Modular arithmetic',
  asks: 'steps',
  symbols: ({ modulus }) => modulus + OPERATORS.length + 1,
  classes: ({ modulus }) => modulus,
  outputsFrom: 'the numbers',
  ability: 'tracking',
  steps: (_, length) => length,
  starter: {
    description: 'generated · work out a sum modulo five',
    data: () => ({ task: 'modular-arithmetic' }),
  },
});
