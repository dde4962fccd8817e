// Generated tasks over sequences of symbols: a kind states its fields, its symbols and its classes; the rest they share.
import * as z from 'zod';
import type { Remark } from '../remark.ts';
import type { Metric, Starter, TaskKind } from './kind.ts';
import type { Ability } from './theory.ts';

/** Length of the sequences in the test part, where that differs from the training length. */
export function testLength(what: string) {
  return z.int().min(1).max(100_000).optional().describe(`${what} in the test part; default: \`length\`.`);
}

/** Of a task whose sequences are drawn anew, each answered by layers alone. */
export const DRAWN = {
  predictsNext: false,
  stream: false,
  needs: 'layers',
  reads: 'nothing',
  stepsField: 'length',
} as const;

interface Lengths {
  length: number;
  testLength?: number | undefined;
}

/** The longest sequence of training or test, as its field says it. */
export function longest({ length, testLength = length }: Lengths): number {
  return Math.max(length, testLength);
}

export interface SymbolKind<S extends z.ZodObject> {
  schema: S;
  title: string;
  /**
   * 'end': one class for the sequence; 'steps': a class at each step that asks for one; 'next': the symbols that may come
   * next, at every step
   */
  asks: 'end' | 'steps' | 'next';
  /** symbols that are read */
  symbols(data: z.output<S>): number;
  /** classes that are said */
  classes(data: z.output<S>): number;
  outputsFrom: string;
  ability?: Ability;
  /** steps of a sequence of this `length` */
  steps(data: z.output<S>, length: number): number;
  check?(data: z.output<S>): Remark[];
  starter: Pick<Starter<S>, 'description' | 'data'> & Partial<Starter<S>>;
}

const METRICS: Readonly<Record<SymbolKind<z.ZodObject>['asks'], readonly Metric[]>> = {
  end: [{ name: 'accuracy', label: 'Accuracy', unit: '%', better: 'higher' }],
  steps: [
    { name: 'accuracy', label: 'Answers right', unit: '%', better: 'higher' },
    { name: 'sequenceAccuracy', label: 'Sequences all right', unit: '%', better: 'higher' },
  ],
  next: [
    { name: 'accuracy', label: 'Steps with legal successors', unit: '%', better: 'higher' },
    { name: 'sequenceAccuracy', label: 'Sequences all legal', unit: '%', better: 'higher' },
  ],
};

export function symbolKind<S extends z.ZodObject>(own: SymbolKind<S>): TaskKind<S> {
  const lengthsOf = (data: z.output<S>) => data as unknown as Lengths;
  return {
    schema: own.schema,
    title: own.title,
    loss: { at: own.asks === 'end' ? 'sequence' : 'every-step', of: 'classes', unit: 'nats' },
    metrics: METRICS[own.asks],
    ...DRAWN,
    predictsNext: own.asks === 'next',
    outputsFrom: own.outputsFrom,
    needsAbility: own.ability,
    steps: data => own.steps(data, lengthsOf(data).length),
    ...(own.check && { check: own.check }),
    sizes(data) {
      const { length } = lengthsOf(data);
      const most = longest(lengthsOf(data));
      return {
        input: { kind: 'tokens', vocabulary: own.symbols(data) },
        outputs: own.classes(data),
        // learned positions reach over the test too
        ...(most > length && { steps: own.steps(data, most) }),
      };
    },
    starter: { embedding: 0, training: { learningRate: 0.005, steps: 1500 }, ...own.starter },
  };
}
