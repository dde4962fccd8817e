// The framework whose biases, gate order, defaults and initial values a model follows.
import * as z from 'zod';

export const conventionSchema = z
  .enum(['pytorch', 'keras', 'tfjs'])
  .default('pytorch')
  .describe('Whose biases, gate order, defaults and initial values the layers follow.');

export type Convention = z.output<typeof conventionSchema>;

/** How a recurrent layer's biases are counted. */
export const CONVENTION_NOTES: Readonly<Record<Convention, string>> = {
  pytorch: 'PyTorch: two bias vectors per gate (b_ih and b_hh)',
  keras: 'Keras: one bias vector per gate, two for a GRU with reset_after (its default)',
  tfjs: 'tfjs and textbooks: one bias vector per gate',
};
