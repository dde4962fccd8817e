// The copy memory problem (Hochreiter & Schmidhuber 1997; Arjovsky, Shah & Bengio 2016).
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import type { TaskKind } from './kind.ts';
import { DRAWN, longest, testLength } from './symbols.ts';

/** Symbols to remember; blank and the signal to answer are two more. */
export const ALPHABET = 8;

const schema = z
  .strictObject({
    task: z.literal('copy-memory'),
    length: positiveInt.default(100).describe('Blank steps between the symbols and the answer.'),
    testLength: testLength('Blank steps'),
    items: positiveInt.max(1000).default(10).describe('Symbols to remember.'),
  })
  .describe(
    'Copy memory: say the first symbols again after many blanks (Arjovsky et al. 2016). Baseline: items · ln 8 / steps.',
  );

export const copyMemory: TaskKind<typeof schema> = {
  schema,
  title: 'Copy memory',
  loss: { at: 'every-step', of: 'classes', unit: 'nats' },
  metrics: [{ name: 'accuracy', label: 'Symbols right', unit: '%', better: 'higher' }],
  ...DRAWN,
  needsAbility: 'memory',
  outputsFrom: 'the symbols and the blank',
  steps: ({ length, items }) => length + 2 * items,
  sizes: data => ({
    input: { kind: 'tokens', vocabulary: ALPHABET + 2 },
    outputs: ALPHABET + 1,
    ...(longest(data) > data.length && { steps: longest(data) + 2 * data.items }),
  }),
  starter: {
    description: 'generated · say ten symbols again after a hundred blanks',
    data: () => ({ task: 'copy-memory', length: 100 }),
    embedding: 0,
    training: { learningRate: 0.002, steps: 2000 },
  },
};
