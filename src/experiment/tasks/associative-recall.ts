// Associative recall (Ba et al. 2016; with several questions, Arora et al. 2023).
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { longest, symbolKind, testLength } from './symbols.ts';

/** Values that a key may have. */
export const VALUES = 16;
/** Keys where the sequences hold fewer pairs. */
const LEAST_KEYS = 16;

const schema = z
  .strictObject({
    task: z.literal('associative-recall'),
    length: z.int().min(2).default(16).describe('Steps of the pairs: a key and its value each.'),
    testLength: testLength('Steps of the pairs').refine(steps => steps === undefined || steps > 1, {
      error: 'Too small: expected at least 2 steps, a key and its value.',
    }),
    queries: positiveInt.default(4).describe('Keys that are asked for after the pairs, a step each.'),
    keys: positiveInt
      .max(100_000)
      .optional()
      .describe('Different keys; default: the pairs of the longest sequence, at least 16.'),
  })
  .describe(
    'Associative recall: pairs of a key and a value, then keys; say the value of each (Ba et al. 2016). Baseline: ln 16.',
  );

export function pairsIn(length: number): number {
  return length >> 1;
}

export function keysOf(data: z.output<typeof schema>): number {
  return data.keys ?? Math.max(LEAST_KEYS, pairsIn(longest(data)));
}

export const associativeRecall = symbolKind<typeof schema>({
  schema,
  title: 'Associative recall',
  asks: 'steps',
  symbols: data => keysOf(data) + VALUES,
  classes: () => VALUES,
  outputsFrom: 'the values',
  ability: 'recall',
  steps: ({ queries }, length) => 2 * pairsIn(length) + queries,
  check(data) {
    const { length, testLength: tested = length, queries, keys } = data;
    const [most, least] = [pairsIn(longest(data)), pairsIn(Math.min(length, tested))];
    if (keys !== undefined && keys < most)
      return [error(['keys'], `${most} pairs need as many different keys, found ${keys}.`)];
    if (queries > least)
      return [error(['queries'], `${queries} keys are asked for, but a sequence has ${least} of them.`)];
    return [];
  },
  starter: {
    description: 'generated · say the value of a key that was shown before',
    data: () => ({ task: 'associative-recall', length: 16 }),
    embedding: 32,
    training: { learningRate: 0.003, steps: 2000 },
  },
});
