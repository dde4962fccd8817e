// The framework whose biases, gate order, defaults and initial values a model follows.
import * as z from 'zod';

export const conventionSchema = z
  .enum(['pytorch', 'keras', 'tfjs'])
  .default('pytorch')
  .describe('Whose biases, gate order, defaults and initial values the layers follow.');

export type Convention = z.output<typeof conventionSchema>;
