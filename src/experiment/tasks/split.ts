// Shares of training, validation and test data.
import * as z from 'zod';

export const split = z
  .tuple([z.number().min(0).max(1), z.number().min(0).max(1), z.number().min(0).max(1)])
  .refine(parts => Math.abs(parts[0] + parts[1] + parts[2] - 1) < 1e-6, {
    error: 'the three parts must add up to 1',
  })
  .default([0.9, 0.05, 0.05])
  .describe('Shares of training, validation and test data, in this order along the file.');

export const onError = z
  .enum(['stop', 'skip'])
  .default('stop')
  .describe('A row that cannot be used is an error with its line, or is left out and counted.');
