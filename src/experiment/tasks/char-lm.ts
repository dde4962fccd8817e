// Character language model: predict the next character of a text.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import type { TaskKind } from './kind.ts';
import { split } from './split.ts';

const schema = z
  .strictObject({
    task: z.literal('char-lm'),
    path: z.string().min(1).describe('A UTF-8 text file, relative to this experiment file.'),
    split,
    minCount: positiveInt
      .default(1)
      .describe('Characters seen fewer times than this in the training part become one unknown symbol.'),
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
  predictsNext: true,
  stream: true,
  needs: 'layers',
  reads: 'text',
  stepsField: 'seqLen',
  outputsFrom: 'the number of characters in the text',
  steps: (_, { seqLen }) => seqLen,
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
