// LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000): gates i f g o and a cell state.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { biasesOf, chrono, recurrentFields, recurrentKind } from './recurrent.ts';

const schema = z
  .strictObject({
    type: z.literal('lstm'),
    ...recurrentFields,
    forgetBias: z
      .number()
      .optional()
      .describe('Initial bias of the forget gate; default: what the convention uses (PyTorch ~0, Keras 1).'),
    chrono,
    peephole: z
      .boolean()
      .optional()
      .describe('The gates also read the cell state, each unit its own (Gers & Schmidhuber 2000).'),
    coupledGates: z
      .boolean()
      .optional()
      .describe(
        'One gate for both: f = 1 − i, so that a quarter of the weights is saved (Greff et al. 2017).',
      ),
    layerNorm: z
      .boolean()
      .optional()
      .describe('Layer norm of both products and of the cell state before its tanh (Ba et al. 2016).'),
    projection: positiveInt
      .optional()
      .describe(
        'Width of the output and of what the next step reads: h_t = W_hr (o ⊙ tanh c), as proj_size in PyTorch (Sak et al. 2014).',
      ),
  })
  .describe('Long short-term memory (Hochreiter & Schmidhuber 1997): gates i f g o and a cell state.');

/** Blocks of its weights: i f g o, or i g o where f is 1 − i. */
export function blocksOf({ coupledGates }: { coupledGates?: boolean | undefined }): 3 | 4 {
  return coupledGates ? 3 : 4;
}

const kind = recurrentKind({
  schema,
  title: 'LSTM',
  rival: 'gru',
  classic: true,
  gates: ['i', 'f', 'g', 'o'],
  keeps: 'f',
  keptPerUnit: 5,
  statePerUnit: 2,
  biases: (_, convention) => biasesOf(convention),
  weights: ({ coupledGates, projection, peephole, layerNorm }) => {
    const blocks = blocksOf({ coupledGates });
    // peepholes of all gates; gains of both products, gain and bias of the cell state
    const vectors = (peephole ? blocks - 1 : 0) + (layerNorm ? 2 * blocks + 2 : 0);
    return { blocks, projection: projection ?? null, vectors };
  },
  check: ({ projection, units }) =>
    projection !== undefined && projection >= units
      ? [
          error(
            ['projection'],
            `A projection to ${projection} of ${units} units makes nothing smaller; take a number below ${units}.`,
          ),
        ]
      : [],
  about: ({ peephole, coupledGates, layerNorm, projection }) => {
    const product = layerNorm ? 'N(W x_t) + N(U h_{t-1}) + b' : 'W x_t + U h_{t-1} + b';
    const sees = (cell: string) => (peephole ? ` + p ⊙ ${cell}` : '');
    const gates = coupledGates ? 'i_t' : 'i_t, f_t';
    return [
      ...(peephole
        ? [
            `${gates} = σ(${product}${sees('c_{t-1}')})`,
            `o_t = σ(${product}${sees('c_t')})          Gers & Schmidhuber 2000`,
          ]
        : [`${gates}, o_t = σ(${product})`]),
      ...(coupledGates ? ['f_t = 1 − i_t          Greff et al. 2017'] : []),
      layerNorm
        ? `g_t = tanh(${product})          arXiv 1607.06450`
        : 'g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)',
      'c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t          Hochreiter & Schmidhuber 1997, Gers et al. 2000',
      `${projection ? 'h_t = W_hr (' : 'h_t = '}o_t ⊙ tanh(${layerNorm ? 'N(c_t)' : 'c_t'})${projection ? ')          arXiv 1402.1128' : ''}`,
    ].join('\n');
  },
});

export const lstm: typeof kind = {
  ...kind,
  check(layer, at) {
    const found = kind.check?.(layer, at) ?? [];
    if (layer.chrono === undefined || layer.forgetBias === undefined) return found;
    const both = '`forgetBias` and `chrono` both set the bias of the forget gate; leave one of them out.';
    return [...found, error(['forgetBias'], both)];
  },
};
