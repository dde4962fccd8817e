// Transformer blocks (Vaswani et al. 2017): of an encoder (`causal` false), of a decoder (`crossAttention`), or alone.
import * as z from 'zod';
import { checkMask, maskPicture, maskRuleOf, maskSchema, pairsSeen } from '../attention-mask.ts';
import { positiveInt, rate } from '../fields.ts';
import { error, type Remark } from '../remark.ts';
import { count, plural } from '../words.ts';
import type { At, LayerKind } from './kind.ts';

const schema = z
  .strictObject({
    type: z.literal('transformer'),
    layers: positiveInt.default(1).describe('How many of these blocks are stacked.'),
    heads: positiveInt.default(4).describe('Heads of the attention; they share the width of the input.'),
    kvHeads: positiveInt
      .optional()
      .describe(
        'Heads of keys and values, each shared by a group of heads (grouped-query attention, Ainslie et al. 2023); default: as many as `heads`.',
      ),
    hidden: positiveInt.optional().describe('Units between the two dense parts; default: 4 times the width.'),
    activation: z
      .enum(['gelu', 'relu', 'swiglu'])
      .default('gelu')
      .describe(
        'Between the dense parts; "swiglu": silu(W_g x) ⊙ W_1 x, a third matrix (Shazeer 2020, arXiv 2002.05202).',
      ),
    norm: z
      .enum(['pre', 'post'])
      .default('pre')
      .describe(
        'Layer norm before each part (Xiong et al. 2020), or after its sum with the input (Vaswani et al. 2017).',
      ),
    positions: z
      .enum(['learned', 'sinusoidal', 'rotary', 'alibi', 'none'])
      .default('learned')
      .describe(
        'What tells the steps apart: added to the input ("learned", "sinusoidal"), a turn of queries and keys ("rotary", Su et al. 2021), or a slope on the scores by distance ("alibi", Press et al. 2021).',
      ),
    causal: z
      .boolean()
      .default(true)
      .describe('Whether a step sees only those before it; false: all, as in an encoder.'),
    crossAttention: z
      .boolean()
      .default(false)
      .describe("A second attention in each block, to the encoder's states: a Transformer's decoder."),
    window: positiveInt
      .optional()
      .describe('How many steps a step sees, itself included; default: all up to itself.'),
    mask: maskSchema.optional(),
    dropout: rate
      .default(0)
      .describe('Share dropped after the attention and inside and after the dense parts.'),
  })
  .describe('Transformer blocks (Vaswani et al. 2017): causal, or an encoder’s, or a decoder’s.');

type TransformerLayer = z.output<typeof schema>;

/** Units between the dense parts of a block. */
export function hiddenOf({ hidden }: { hidden?: number | undefined }, width: number): number {
  return hidden ?? 4 * width;
}

/** E: width of the keys, and of the values. */
export function keysWidth(
  { heads, kvHeads = heads }: Pick<TransformerLayer, 'heads' | 'kvHeads'>,
  D: number,
) {
  return (D * kvHeads) / heads;
}

/** What heads must share evenly, and halves of a head that turn against each other. */
export function checkHeads(
  { heads, kvHeads, positions }: Pick<TransformerLayer, 'heads' | 'kvHeads'> & { positions?: string },
  at: At | null,
): Remark[] {
  if (kvHeads !== undefined && heads % kvHeads !== 0)
    return [
      error(
        ['kvHeads'],
        `${plural(heads, 'head')} cannot be shared out among ${plural(kvHeads, 'head')} of keys; take a divisor of ${count(heads)}.`,
      ),
    ];
  if (!at || Number.isNaN(at.inputs)) return [];
  if (at.inputs % heads !== 0)
    return [
      error(
        ['heads'],
        `The ${plural(at.inputs, 'number')} that reach this layer cannot be shared by ${plural(heads, 'head')}; take a number of heads that divides them, or a dense layer before to widen them.`,
      ),
    ];
  if (positions === 'rotary' && (at.inputs / heads) % 2 !== 0)
    return [
      error(
        ['positions'],
        `Rotary positions turn pairs of numbers, but a head has ${count(at.inputs / heads)}; take an even width of a head.`,
      ),
    ];
  return [];
}

export const transformer: LayerKind<typeof schema> = {
  schema,
  title: 'Transformer',
  family: 'attention',
  readsEncoder: ({ crossAttention }) => crossAttention,
  learnsPositions: ({ positions }) => positions === 'learned',
  traits(layer) {
    const { window, dilation, stride, globals } = maskRuleOf(layer);
    const ends = window > 0 && stride === 0 && globals === 0;
    return {
      reads: 'vectors',
      sees: layer.causal ? 'past' : 'all',
      carries: false,
      reach: ends ? 1 + layer.layers * (window - 1) * dilation : Number.POSITIVE_INFINITY,
    };
  },
  width: (_, { inputs }) => inputs,
  /**
   * A block: queries, keys, values and output 2·D² + 2·D·E with 2·D + 2·E biases, dense parts 2·D·M + M + D (gated
   * 3·D·M + 2·M + D), two norms 4·D; to S numbers of an encoder 2·D² + 2·D·S + 4·D and a norm 2·D.
   */
  parameters(layer, { inputs: D, steps, memory }) {
    const [M, E] = [hiddenOf(layer, D), keysWidth(layer, D)];
    const gated = layer.activation === 'swiglu';
    const own = E === D ? `4·${D}²` : `2·${D}² + 2·${D}·${E} + 2·${E}`;
    const inner = gated ? `3·${D}·${M}` : `2·${D}·${M}`;
    const ofOwn = 2 * D * D + 2 * D * E + (E === D ? 0 : 2 * E);
    const cross = layer.crossAttention ? ` + 2·${D}² + 2·${D}·${memory} + 6·${D}` : '';
    const ofCross = layer.crossAttention ? 2 * D * D + 2 * D * memory! + 6 * D : 0;
    const [ofD, ofM] = [E === D ? 9 : 7, gated ? 2 : 1];
    const block = `(${own} + ${inner} + ${ofD}·${D} + ${gated ? '2·' : ''}${M}${cross})`;
    const blocks = `${layer.layers > 1 ? `${layer.layers}·` : ''}${block}`;
    const positions = layer.positions === 'learned' ? steps * D : 0;
    const each = ofOwn + (gated ? 3 : 2) * D * M + ofD * D + ofM * M + ofCross;
    return {
      count: layer.layers * each + positions,
      formula: positions > 0 ? `${blocks} + ${steps}·${D}` : blocks,
    };
  },
  // a block: two norms, queries, keys and values, attention, three results of D, the dense parts' M twice (gated: five
  // times), the second attention's norm, queries, answer, result and sum, with keys and values of a source as long as
  // the sequence; and the gradients of one block at a time
  kept(layer, { inputs: D }) {
    const M = hiddenOf(layer, D);
    const inner = layer.activation === 'swiglu' ? 5 * M : 2 * M;
    const dropped = layer.dropout > 0 ? 4 * D + 2 * M : 0;
    const cross = layer.crossAttention ? 7 * D : 0;
    const rotated = layer.positions === 'rotary' ? D + 2 * keysWidth(layer, D) : 0;
    const each = 8 * D + 2 * keysWidth(layer, D) + inner + dropped + cross + rotated;
    return layer.layers * each + 4 * D + 2 * M;
  },
  multiplyAdds(layer, { inputs: D, steps, memory }) {
    const [M, E] = [hiddenOf(layer, D), keysWidth(layer, D)];
    // scores and values take D each for a pair
    const across = 2 * D * pairsSeen(maskRuleOf(layer), steps);
    const inner = (layer.activation === 'swiglu' ? 3 : 2) * D * M;
    const cross = layer.crossAttention ? 2 * D * D + 2 * D * memory! + 2 * D * steps : 0;
    return layer.layers * (steps * (2 * D * D + 2 * D * E + inner + cross) + across);
  },
  /** keys and values of all steps that are seen */
  state(layer, { inputs: D, steps }) {
    const reach = layer.layers > 0 ? transformer.traits({ ...layer, layers: 1 }).reach : 1;
    return 2 * layer.layers * Math.min(reach, steps) * keysWidth(layer, D);
  },
  check: (layer, at) => [...checkMask(layer), ...checkHeads(layer, at)],
  about(layer) {
    const { causal, norm, activation, positions, crossAttention } = layer;
    const x = norm === 'pre' ? 'norm(x)' : 'x';
    const sum = (part: string) => (norm === 'pre' ? `x = x + ${part}` : `x = norm(x + ${part})`);
    const turned = positions === 'rotary' ? '          pairs of q_t and k_t turned by t / 10000^(2i/d)' : '';
    const slope = positions === 'alibi' ? ' - m |t - s|' : '';
    const gated = activation === 'swiglu';
    const inner = gated ? `W_2 (silu(W_g ${x}) ⊙ W_1 ${x})` : `W_2 ${activation}(W_1 ${x})`;
    const lines = [
      `q, k, v = W_in ${x}${turned}`,
      `a_t = Σ_${causal ? '{s ≤ t}' : 's'} softmax_s(q_t · k_s / √(D/heads)${slope}) v_s`,
      sum('W_out a'),
      ...(crossAttention ? [sum(`attention(${x}, the encoder's states)`)] : []),
      `${sum(inner)}          arXiv 1706.03762`,
    ];
    if (layer.mask || layer.window !== undefined) lines.push('', pictureOf(layer));
    return lines.join('\n');
  },
};

function pictureOf(layer: TransformerLayer): string {
  const rule = maskRuleOf(layer);
  const { steps, picture } = maskPicture(rule);
  const pairs = pairsSeen(rule, steps);
  const share = (100 * pairs) / (layer.causal ? (steps * (steps + 1)) / 2 : steps * steps);
  return `of ${steps} steps (down) the steps seen (across): ${count(pairs)} pairs, ${share.toFixed(0)} % of ${layer.causal ? 'the past' : 'all'}\n${picture}`;
}
