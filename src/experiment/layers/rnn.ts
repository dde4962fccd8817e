// Simple RNN (Elman 1990): one block, no gates.
import * as z from 'zod';
import { biasesOf, recurrentFields, recurrentKind } from './recurrent.ts';

const schema = z
  .strictObject({
    type: z.literal('rnn'),
    ...recurrentFields,
    activation: z.enum(['tanh', 'relu']).default('tanh'),
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
  about: ({ activation }) => `h_t = ${activation}(W x_t + U h_{t-1} + b)`,
});
