// IndRNN (Li et al. 2018): each unit reads its own past alone.
import * as z from 'zod';
import { linearRecurrence, units } from './linear-recurrence.ts';
import { activated, rnnActivation } from './rnn.ts';

const schema = z
  .strictObject({ type: z.literal('ind-rnn'), units, activation: rnnActivation.default('relu') })
  .describe('Independently recurrent network: each unit reads its own past alone (Li et al. 2018).');

export const indRnn = linearRecurrence({
  schema,
  title: 'IndRNN',
  family: 'recurrent',
  weights: (layer, I) => [
    [layer.units, I],
    [2, layer.units],
  ],
  perStep: layer => layer.units,
  kept: layer => 3 * layer.units,
  state: layer => layer.units,
  about: ({ activation }) =>
    `h_t = ${activated(activation, 'W x_t + u ⊙ h_{t−1} + b')}          arXiv 1803.04831`,
});
