// Orthogonal RNN (Helfrich et al. 2018): the recurrent matrix stays orthogonal, so that a gradient keeps its length.
import * as z from 'zod';
import { linearRecurrence, units } from './linear-recurrence.ts';
import { activated, rnnActivation } from './rnn.ts';

const schema = z
  .strictObject({ type: z.literal('orthogonal-rnn'), units, activation: rnnActivation.default('tanh') })
  .describe(
    'Simple recurrent layer whose recurrent matrix stays orthogonal (scaled Cayley transform, Helfrich et al. 2018); linear, no gradient vanishes or explodes.',
  );

export const orthogonalRnn = linearRecurrence({
  schema,
  title: 'Orthogonal RNN',
  family: 'recurrent',
  weights: (layer, I) => [[layer.units, I], [(layer.units * (layer.units - 1)) / 2], [layer.units]],
  perStep: layer => layer.units ** 2,
  kept: layer => 3 * layer.units,
  state: layer => layer.units,
  about: ({ activation }) =>
    [
      'Q = (I + A)⁻¹ (I − A), A = −Aᵀ: Qᵀ Q = I',
      `h_t = ${activated(activation, 'W x_t + Q h_{t−1} + b')}          arXiv 1707.09520`,
    ].join('\n'),
});
