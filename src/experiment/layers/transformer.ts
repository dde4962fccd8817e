// Causal Transformer blocks, normalised before each part (Vaswani et al. 2017, Radford et al. 2019).
import * as z from 'zod';
import { positiveInt, rate } from '../fields.ts';
import { error } from '../remark.ts';
import { count } from '../words.ts';
import type { LayerKind } from './kind.ts';

const schema = z
  .strictObject({
    type: z.literal('transformer'),
    layers: positiveInt.default(1).describe('How many of these blocks are stacked.'),
    heads: positiveInt.default(4).describe('Heads of the attention; they share the width of the input.'),
    hidden: positiveInt.optional().describe('Units between the two dense parts; default: 4 times the width.'),
    activation: z.enum(['gelu', 'relu']).default('gelu'),
    positions: z
      .enum(['learned', 'sinusoidal', 'none'])
      .default('learned')
      .describe('What is added to the input to tell the steps apart, before the first block.'),
    window: positiveInt
      .optional()
      .describe('How many steps a step sees, itself included; default: all up to itself.'),
    dropout: rate
      .default(0)
      .describe('Share dropped after the attention and inside and after the dense parts.'),
  })
  .describe(
    'Causal Transformer blocks, normalised before each part (Vaswani et al. 2017, Radford et al. 2019).',
  );

/** Units between the dense parts of a block. */
export function hiddenOf({ hidden }: { hidden?: number | undefined }, width: number): number {
  return hidden ?? 4 * width;
}

export const transformer: LayerKind<typeof schema> = {
  schema,
  title: 'Transformer',
  family: 'attention',
  traits: ({ window, layers }) => ({
    reads: 'vectors',
    sees: 'past',
    carries: false,
    reach: window === undefined ? Number.POSITIVE_INFINITY : 1 + layers * (window - 1),
  }),
  width: (_, { inputs }) => inputs,
  /** A block: queries, keys, values and output 4·D² + 4·D, dense parts 2·D·M + M + D, two norms 4·D. */
  parameters(layer, { inputs: D, steps }) {
    const M = hiddenOf(layer, D);
    const positions = layer.positions === 'learned' ? steps * D : 0;
    const blocks = `${layer.layers > 1 ? `${layer.layers}·` : ''}(4·${D}² + 2·${D}·${M} + 9·${D} + ${M})`;
    return {
      count: layer.layers * (4 * D * D + 2 * D * M + 9 * D + M) + positions,
      formula: positions > 0 ? `${blocks} + ${steps}·${D}` : blocks,
    };
  },
  // a block: two norms, queries, keys and values, attention, three results of D, the dense parts' M twice; and the
  // gradients of one block at a time
  kept(layer, { inputs: D }) {
    const M = hiddenOf(layer, D);
    const dropped = layer.dropout > 0 ? 4 * D + 2 * M : 0;
    return layer.layers * (10 * D + 2 * M + dropped) + 4 * D + 2 * M;
  },
  multiplyAdds(layer, { inputs: D, steps }) {
    const seen = Math.min(layer.window ?? steps, steps);
    // a step sees half of the steps on average, the ones before it; scores and values take D each
    const across = 2 * D * (seen - (seen * (seen - 1)) / (2 * steps));
    return steps * layer.layers * (4 * D * D + 2 * D * hiddenOf(layer, D) + across);
  },
  /** keys and values of all steps that are seen */
  state: ({ layers, window }, { inputs: D, steps }) => 2 * layers * Math.min(window ?? steps, steps) * D,
  check({ heads }, at) {
    if (!at || at.inputs % heads === 0) return [];
    return [
      error(
        ['heads'],
        `The ${count(at.inputs)} numbers that reach this layer cannot be shared by ${count(heads)} heads; take a number of heads that divides them, or a dense layer before to widen them.`,
      ),
    ];
  },
  about: ({ activation }) =>
    [
      'q, k, v = W_in norm(x)',
      'a_t = Σ_{s ≤ t} softmax_s(q_t · k_s / √(D/heads)) v_s',
      'x = x + W_out a',
      `x = x + W_2 ${activation}(W_1 norm(x))`,
    ].join('\n'),
};
