// Character language model: predict the next character of a text.
import * as z from 'zod';
import { minCount, path, split, TEXT_STREAM } from './file-task.ts';
import type { TaskKind } from './kind.ts';

const schema = z
  .strictObject({
    task: z.literal('char-lm'),
    path: path('A UTF-8 text file,'),
    split,
    minCount: minCount('Characters', 'one unknown symbol'),
  })
  .describe('Predict the next character of a text.');

export const charLm: TaskKind<typeof schema> = {
  schema,
  title: 'Next character',
  loss: { at: 'every-step', of: 'classes', unit: 'nats/char' },
  metrics: [
    { name: 'perplexity', label: 'Perplexity', unit: '', better: 'lower' },
    { name: 'bitsPerChar', label: 'Bits per character', unit: 'bits/char', better: 'lower' },
  ],
  ...TEXT_STREAM,
  outputsFrom: 'the number of characters in the text',
  sizes: () => null,
  suits: ({ path, text }) =>
    text ? { data: { task: 'char-lm', path }, why: `${text.symbols} different characters` } : null,
  starter: {
    description: 'predict the next character',
    data: ({ path }) => ({ task: 'char-lm', path }),
    embedding: 32,
    training: { learningRate: 0.003, steps: 2000, seqLen: 64 },
  },
};
