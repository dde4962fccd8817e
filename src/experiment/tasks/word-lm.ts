// Word language model: predict the next word of a text.
import * as z from 'zod';
import { minCount, path, split, TEXT_STREAM } from './file-task.ts';
import type { TaskKind } from './kind.ts';

const schema = z
  .strictObject({
    task: z.literal('word-lm'),
    path: path('A UTF-8 text file,'),
    split,
    tokens: z
      .enum(['words', 'spaced'])
      .default('words')
      .describe(
        'words: words, numbers and single signs; spaced: what stands between spaces, of texts that are split already. A line end is a word.',
      ),
    vocabulary: z
      .int()
      .min(2)
      .optional()
      .describe('At most this many words, the most frequent of the training part; the unknown word is one.'),
    minCount: minCount('Words', 'the unknown word', 2),
  })
  .describe('Predict the next word of a text.');

export const wordLm: TaskKind<typeof schema> = {
  schema,
  title: 'Next word',
  loss: { at: 'every-step', of: 'classes', unit: 'nats/word' },
  metrics: [
    { name: 'perplexity', label: 'Perplexity per word', unit: '', better: 'lower' },
    { name: 'bitsPerChar', label: 'Bits per character', unit: 'bits/char', better: 'lower' },
  ],
  ...TEXT_STREAM,
  outputsFrom: 'the number of words in the vocabulary',
  sizes: () => null,
  suits: ({ path, text }) =>
    text && text.words > 20_000 ? { data: { task: 'word-lm', path }, why: 'a text of words' } : null,
  starter: {
    description: 'predict the next word',
    data: ({ path }) => ({ task: 'word-lm', path }),
    embedding: 128,
    training: { learningRate: 0.003, steps: 1000, seqLen: 35 },
  },
};
