// The temporal order problem (Hochreiter & Schmidhuber 1997, experiment 6a).
import * as z from 'zod';
import type { TaskKind } from './kind.ts';

const schema = z
  .strictObject({
    task: z.literal('temporal-order'),
    length: z.int().min(10).default(100).describe('Steps of a sequence.'),
  })
  .describe(
    'Which of four orders did two marked symbols come in (Hochreiter & Schmidhuber 1997, 6a). Baseline: ln 4.',
  );

export const temporalOrder: TaskKind<typeof schema> = {
  schema,
  title: 'Temporal order',
  loss: { at: 'sequence', of: 'classes', unit: 'nats' },
  metrics: [{ name: 'accuracy', label: 'Accuracy', unit: '%', better: 'higher' }],
  predictsNext: false,
  stream: false,
  needs: 'layers',
  reads: 'nothing',
  stepsField: 'length',
  outputsFrom: 'the four orders',
  steps: ({ length }) => length,
  sizes: () => ({ input: { kind: 'tokens', vocabulary: 6 }, outputs: 4 }),
  starter: {
    description: 'generated · tell in which order two symbols came',
    data: () => ({ task: 'temporal-order', length: 50 }),
    embedding: 0,
    training: { learningRate: 0.005, steps: 1500 },
  },
};
