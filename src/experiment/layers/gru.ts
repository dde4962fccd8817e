// GRU (Cho et al. 2014) in its two definitions: reset gate after the recurrent product, or before it.
import * as z from 'zod';
import type { Convention } from '../convention.ts';
import { biasesOf, chrono, recurrentFields, recurrentKind } from './recurrent.ts';

const schema = z
  .strictObject({
    type: z.literal('gru'),
    ...recurrentFields,
    resetAfter: z
      .boolean()
      .optional()
      .describe(
        'Apply the reset gate after the recurrent product (PyTorch, Keras default) or before it (tfjs).',
      ),
    chrono,
  })
  .describe('Gated recurrent unit (Cho et al. 2014): gates r z n; a quarter fewer parameters than an LSTM.');

/** Whether a GRU applies its reset gate after the recurrent product when the layer does not say. */
export function resetsAfter(convention: Convention, resetAfter?: boolean): boolean {
  return resetAfter ?? convention !== 'tfjs';
}

/** The form of the GRUs among these layers; null: there is none. */
export function gruForm(
  layers: readonly { type: string; resetAfter?: boolean | undefined }[],
  convention: Convention,
): 'after' | 'before' | 'mixed' | null {
  const forms = layers
    .filter(({ type }) => type === 'gru')
    .map(({ resetAfter }) => (resetsAfter(convention, resetAfter) ? 'after' : 'before'));
  return new Set(forms).size > 1 ? 'mixed' : (forms[0] ?? null);
}

/** What the header of a file of weights tells of its GRUs. */
export function gruMetadata(...of: Parameters<typeof gruForm>): Record<string, string> {
  const form = gruForm(...of);
  return form === null ? {} : { gru: form };
}

export const gru = recurrentKind({
  schema,
  title: 'GRU',
  rival: 'lstm',
  classic: true,
  gates: ['r', 'z', 'n'],
  keeps: 'z',
  keptPerUnit: 4,
  statePerUnit: 1,
  // with the reset behind the product, the recurrent bias stands inside of it
  biases: ({ resetAfter }, convention) => (resetsAfter(convention, resetAfter) ? 2 : biasesOf(convention)),
  about: ({ resetAfter }, convention) =>
    [
      'r_t, z_t = σ(W x_t + U h_{t-1} + b)',
      resetsAfter(convention, resetAfter)
        ? 'n_t = tanh(W_n x_t + b_n + r_t ⊙ (U_n h_{t-1} + b_hn))          arXiv 1406.1078v1'
        : 'n_t = tanh(W_n x_t + U_n (r_t ⊙ h_{t-1}) + b_n)          arXiv 1406.1078v3',
      'h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t-1}',
      resetsAfter(convention, resetAfter)
        ? 'resets after the recurrent product, as PyTorch and Keras do'
        : 'resets before the recurrent product, as tfjs does: PyTorch has no such GRU',
    ].join('\n'),
});
