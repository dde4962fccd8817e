// The adding problem (Hochreiter & Schmidhuber 1997).
import * as z from 'zod';
import type { TaskKind } from './kind.ts';
import { DRAWN, longest, testLength } from './symbols.ts';

const schema = z
  .strictObject({
    task: z.literal('adding'),
    length: z.int().min(2).default(100).describe('Steps of a sequence; two of them are marked.'),
    testLength: testLength('Steps').refine(steps => steps === undefined || steps > 1, {
      error: 'Too small: expected at least 2 steps.',
    }),
  })
  .describe(
    'The adding problem: the sum of two marked numbers (Hochreiter & Schmidhuber 1997). Baseline: mean squared error 1/6.',
  );

export const adding: TaskKind<typeof schema> = {
  schema,
  title: 'The adding problem',
  loss: { at: 'sequence', of: 'values', unit: 'mse' },
  metrics: [{ name: 'accuracy', label: 'Accuracy', unit: '%', better: 'higher' }],
  ...DRAWN,
  needsAbility: 'memory',
  outputsFrom: 'the sum',
  steps: ({ length }) => length,
  sizes: data => ({
    input: { kind: 'vectors', features: 2 },
    outputs: 1,
    ...(longest(data) > data.length && { steps: longest(data) }),
  }),
  starter: {
    description: 'generated · add two marked numbers of a hundred',
    data: () => ({ task: 'adding', length: 100 }),
    embedding: 0,
    training: { learningRate: 0.005, steps: 1500 },
  },
};
