// The parity of a stream of bits.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { symbolKind, testLength } from './symbols.ts';

const schema = z
  .strictObject({
    task: z.literal('parity'),
    length: positiveInt.default(16).describe('Bits of a sequence.'),
    testLength: testLength('Bits'),
  })
  .describe('Parity: at every step, whether the ones so far are odd in number. Baseline: ln 2.');

export const parity = symbolKind<typeof schema>({
  schema,
  title: 'Parity',
  asks: 'steps',
  symbols: () => 2,
  classes: () => 2,
  outputsFrom: 'even and odd',
  ability: 'tracking',
  steps: (_, length) => length,
  starter: {
    description: 'generated · are the ones so far odd in number',
    data: () => ({ task: 'parity', length: 16, testLength: 64 }),
  },
});
