// Simple RNN (Elman 1990): one block, no gates.
import * as z from 'zod';
import { biasesOf, recurrentFields, recurrentKind } from './recurrent.ts';

/** φ of a cell without gates. */
export const rnnActivation = z
  .enum(['tanh', 'relu', 'sigmoid', 'leaky-relu', 'linear'])
  .describe('φ; a leaky ReLU has the slope 0.01 below 0, and linear is none.');

export type RnnActivation = z.output<typeof rnnActivation>;

/** φ(sums), as equations write it. */
export function activated(activation: RnnActivation, sums: string): string {
  const names = { tanh: 'tanh', relu: 'relu', sigmoid: 'σ', 'leaky-relu': 'leaky_relu', linear: '' };
  return activation === 'linear' ? sums : `${names[activation]}(${sums})`;
}

const schema = z
  .strictObject({
    type: z.literal('rnn'),
    ...recurrentFields,
    activation: rnnActivation.default('tanh'),
  })
  .describe('Simple recurrent layer (Elman 1990): no gates; it forgets early.');

export const rnn = recurrentKind({
  schema,
  title: 'RNN',
  rival: 'lstm',
  classic: true,
  gates: [],
  keeps: null,
  keptPerUnit: 1,
  statePerUnit: 1,
  biases: (_, convention) => biasesOf(convention),
  about: ({ activation }) => `h_t = ${activated(activation, 'W x_t + U h_{t-1} + b')}          Elman 1990`,
});
