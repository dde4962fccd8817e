// minGRU (Feng et al. 2024): a GRU whose gate and candidate read the input alone, so that time is a scan.
import * as z from 'zod';
import { linearRecurrence, units } from './linear-recurrence.ts';

export const candidateField = z
  .enum(['linear', 'positive'])
  .default('linear')
  .describe(
    'Candidate state: linear in the input, or made positive by g(x) = x + 0.5 for x ≥ 0, else σ(x) (the paper, appendix B).',
  );

const schema = z
  .strictObject({ type: z.literal('min-gru'), units, candidate: candidateField })
  .describe('minGRU: a GRU whose gate and candidate do not read the previous state (Feng et al. 2024).');

export const minGru = linearRecurrence({
  schema,
  title: 'minGRU',
  family: 'scan',
  weights: ({ units: H }, I) => [
    [2, H, I],
    [2, H],
  ],
  perStep: ({ units: H }) => 2 * H,
  // gate and candidate, 1 − z and z ⊙ candidate, and a gradient of one of them
  kept: layer => 5 * layer.units,
  state: ({ units: H }) => H,
  about: ({ candidate }) =>
    [
      'z = σ(W_z x + b_z)',
      candidate === 'positive' ? 'c = g(W_h x + b_h)' : 'c = W_h x + b_h',
      'h_t = (1 − z) ⊙ h_{t−1} + z ⊙ c          arXiv 2410.01201',
    ].join('\n'),
});
