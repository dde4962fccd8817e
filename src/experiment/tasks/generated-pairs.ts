// Generated tasks of a source and a target: copying, reversing and sorting letters, and adding numbers.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import type { TaskKind, TryForm } from './kind.ts';
import { longest, testLength } from './symbols.ts';

/** `row`: what a row of its data is called; null: they are drawn. */
export function triesSource(row: string | null): TryForm {
  return { typed: 'Source', row, sound: false, writes: 'target' };
}

/** Of every task that writes a target for a source. */
export const PAIRS = {
  loss: { at: 'every-step', of: 'classes', unit: 'nats' },
  metrics: [
    { name: 'sequenceAccuracy', label: 'Sequence accuracy, free-running', unit: '%', better: 'higher' },
    { name: 'accuracy', label: 'Token accuracy, forced', unit: '%', better: 'higher' },
    { name: 'freeAccuracy', label: 'Token accuracy, free-running', unit: '%', better: 'higher' },
    { name: 'tokenErrorRate', label: 'Token error rate, free-running', unit: '%', better: 'lower' },
    { name: 'freeLoss', label: 'Loss, free-running', unit: 'nats', better: 'lower' },
    { name: 'exposureGap', label: 'Free-running less forced loss', unit: 'nats', better: 'lower' },
    { name: 'bleu', label: 'BLEU over units, free-running', unit: '', better: 'higher' },
  ],
  predictsNext: true,
  stream: false,
  needs: 'encoder',
  outputsFrom: 'the symbols of the targets',
} as const;

/** A digit, or the sign between two numbers. */
export const ADDITION_SYMBOLS = [...'0123456789+'];

/** "a", "b", … */
export function lettersOf({ symbols }: { symbols: number }): string[] {
  return Array.from({ length: symbols }, (_, index) => String.fromCharCode(97 + index));
}

const letterFields = {
  length: positiveInt.max(10_000).default(10).describe('Letters of the longest source; each has 1 to this.'),
  testLength: testLength('Letters of the longest source; longer ones than `length` only,'),
  symbols: z.int().min(2).max(26).default(16).describe('Different letters.'),
};

interface PairKind<S extends z.ZodObject> {
  schema: S;
  title: string;
  description: string;
  name: string;
  /** different units of a source and of a target */
  units(data: z.output<S>): { source: number; target: number };
  /** units of the longest source and target */
  most(length: number): { source: number; target: number };
}

function pairKind<S extends z.ZodObject>(own: PairKind<S>): TaskKind<S> {
  const lengths = (data: z.output<S>) => data as unknown as { length: number; testLength?: number };
  const stepsOf = (length: number) => Math.max(own.most(length).source, own.most(length).target + 1);
  return {
    schema: own.schema,
    title: own.title,
    ...PAIRS,
    reads: 'nothing',
    tries: () => triesSource(null),
    stepsField: 'length',
    steps: data => stepsOf(lengths(data).length),
    sizes(data) {
      const { source, target } = own.units(data);
      // one more for what is unknown; of targets also start and end
      return {
        input: { kind: 'tokens', vocabulary: target + 3 },
        source: { kind: 'tokens', vocabulary: source + 1 },
        outputs: target + 3,
        steps: stepsOf(longest(lengths(data))),
      };
    },
    starter: {
      description: own.description,
      data: () => ({ task: own.name }) as z.input<S>,
      embedding: 32,
      training: { learningRate: 0.003, steps: 2000 },
    },
  };
}

function letterKind<T extends string>(task: T, title: string, description: string, said: string) {
  const schema = z.strictObject({ task: z.literal(task), ...letterFields }).describe(said);
  return pairKind<typeof schema>({
    schema,
    title,
    description: `generated · ${description}`,
    name: task,
    units: data => {
      const { symbols } = data as unknown as { symbols: number };
      return { source: symbols, target: symbols };
    },
    most: length => ({ source: length, target: length }),
  });
}

export const copy = letterKind('copy', 'Copying', 'write the letters again', 'Write the source again.');
export const reverse = letterKind(
  'reverse',
  'Reversal',
  'write the letters from the last to the first',
  'Write the source from its last letter to its first (Sutskever et al. 2014 feed sources so).',
);
export const sort = letterKind(
  'sort',
  'Sorting',
  'write the letters in their order',
  'Write the letters of the source in the order of the alphabet (Vinyals et al. 2016).',
);

const additionSchema = z
  .strictObject({
    task: z.literal('addition'),
    length: positiveInt
      .max(15)
      .default(3)
      .describe('Digits of the longest number; each of the two has 1 to this.'),
    testLength: testLength('Digits of the longest number').refine(
      digits => digits === undefined || digits <= 15,
      { error: 'Too big: expected at most 15 digits.' },
    ),
    draw: z
      .enum(['digits', 'numbers'])
      .default('digits')
      .describe(
        'How numbers are drawn: each count of digits as likely, or each number below 10^length, of which few are short.',
      ),
  })
  .describe('Add two numbers, digit by digit: "535+61" is "596" (Zaremba & Sutskever 2014).');

export const addition = pairKind<typeof additionSchema>({
  schema: additionSchema,
  title: 'Addition',
  description: 'generated · add two numbers that are written in digits',
  name: 'addition',
  units: () => ({ source: ADDITION_SYMBOLS.length, target: 10 }),
  most: length => ({ source: 2 * length + 1, target: length + 1 }),
});
