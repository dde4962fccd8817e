// Byte language model: predict the next byte of a file, whatever it holds.
import * as z from 'zod';
import { path, split, TEXT_STREAM } from './file-task.ts';
import type { TaskKind } from './kind.ts';

const schema = z
  .strictObject({
    task: z.literal('byte-lm'),
    path: path('Any file,'),
    split,
  })
  .describe('Predict the next byte of a file.');

export const byteLm: TaskKind<typeof schema> = {
  schema,
  title: 'Next byte',
  loss: { at: 'every-step', of: 'classes', unit: 'nats/byte' },
  metrics: [
    { name: 'bitsPerByte', label: 'Bits per byte', unit: 'bits/byte', better: 'lower' },
    { name: 'bitsPerChar', label: 'Bits per character', unit: 'bits/char', better: 'lower' },
    { name: 'perplexity', label: 'Perplexity per byte', unit: '', better: 'lower' },
  ],
  ...TEXT_STREAM,
  outputsFrom: 'the 256 bytes',
  sizes: () => ({ input: { kind: 'tokens', vocabulary: 256 }, outputs: 256 }),
  suits: ({ path, text }) => (text ? { data: { task: 'byte-lm', path }, why: 'any file' } : null),
  starter: {
    description: 'predict the next byte',
    data: ({ path }) => ({ task: 'byte-lm', path }),
    embedding: 32,
    training: { learningRate: 0.003, steps: 2000, seqLen: 64 },
  },
};
