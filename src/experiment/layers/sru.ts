// SRU (Lei et al. 2017): gates of the input alone, and a highway around the recurrence.
import * as z from 'zod';
import { linearRecurrence, units } from './linear-recurrence.ts';

const schema = z
  .strictObject({ type: z.literal('sru'), units })
  .describe('Simple recurrent unit: light recurrence with a highway (Lei et al. 2017).');

export const sru = linearRecurrence({
  schema,
  title: 'SRU',
  family: 'scan',
  weights: (layer, I) => [
    [3, layer.units, I],
    [2, layer.units],
    ...(I === layer.units ? [] : [[layer.units, I]]),
  ],
  perStep: layer => 4 * layer.units,
  kept: layer => 8 * layer.units,
  state: layer => layer.units,
  about: () =>
    [
      'f, r = σ(W_f x + b_f), σ(W_r x + b_r)',
      'c_t = f ⊙ c_{t−1} + (1 − f) ⊙ W x',
      'y = r ⊙ tanh(c_t) + (1 − r) ⊙ x          W_x x where the width changes; arXiv 1709.02755',
    ].join('\n'),
});
