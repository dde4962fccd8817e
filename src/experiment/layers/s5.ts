// S5 (Smith et al. 2023): one complex diagonal state space model that all channels share.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { linearRecurrence, units } from './linear-recurrence.ts';
import { glu, gluKept, gluLine, gluWeights, stateSizeOf } from './lru.ts';

const schema = z
  .strictObject({
    type: z.literal('s5'),
    units,
    stateSize: positiveInt.optional().describe('Complex numbers in the state; default: units.'),
    glu,
  })
  .describe('S5: one diagonal state space model of all channels (Smith et al. 2023).');

export const s5 = linearRecurrence({
  schema,
  title: 'S5',
  family: 'scan',
  weights: (layer, I) => {
    const [H, N] = [layer.units, stateSizeOf(layer)];
    return [[3, N], [2, N, I], [2, H, N], [H, I], ...gluWeights(layer)];
  },
  perStep: layer => 4 * stateSizeOf(layer),
  kept: layer => 7 * stateSizeOf(layer) + 3 * layer.units + gluKept(layer),
  state: layer => 2 * stateSizeOf(layer),
  about: () =>
    [
      'A = −exp(a) + i ω, Δ = exp(δ)',
      'h_t = exp(ΔA) ⊙ h_{t−1} + (exp(ΔA) − 1) / A ⊙ (B x_t)',
      'y = 2 Re(C h_t) + D x_t          arXiv 2208.04933',
      gluLine,
    ].join('\n'),
});
