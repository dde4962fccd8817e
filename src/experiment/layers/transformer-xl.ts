// Transformer-XL (Dai et al. 2019): blocks that see steps of the segments before, at relative positions; with
// `compression` also a mean of what is older (compressive Transformer, Rae et al. 2019).
import * as z from 'zod';
import { pairsSeen } from '../attention-mask.ts';
import { positiveInt, rate } from '../fields.ts';
import { error } from '../remark.ts';
import { count, plural } from '../words.ts';
import type { LayerKind } from './kind.ts';
import { checkHeads, hiddenOf } from './transformer.ts';

const schema = z
  .strictObject({
    type: z.literal('transformer-xl'),
    layers: positiveInt.default(1).describe('How many of these blocks are stacked.'),
    heads: positiveInt.default(4).describe('Heads of the attention; they share the width of the input.'),
    hidden: positiveInt.optional().describe('Units between the two dense parts; default: 4 times the width.'),
    activation: z.enum(['gelu', 'relu', 'swiglu']).default('gelu').describe('Between the dense parts.'),
    norm: z
      .enum(['pre', 'post'])
      .default('pre')
      .describe('Layer norm before each part, or after its sum with the input (as in the paper).'),
    memory: positiveInt
      .optional()
      .describe(
        'Steps before a step that it sees, those of earlier segments included; default: of a sequence.',
      ),
    compression: z
      .int()
      .min(2)
      .optional()
      .describe(
        'So many steps that leave the memory become one of the compressed memory, their mean (Rae et al. 2019); default: they are forgotten.',
      ),
    compressedMemory: positiveInt
      .optional()
      .describe('Length of the compressed memory; default: that of the memory.'),
    dropout: rate
      .default(0)
      .describe('Share dropped after the attention and inside and after the dense parts.'),
  })
  .describe(
    'Transformer blocks with a memory of earlier segments, through which no gradient goes (Dai et al. 2019).',
  );

type XlLayer = z.output<typeof schema>;

/** M; where steps are compressed, a segment is as long, and up to two of them are kept. */
export function memoryLength({ memory }: Pick<XlLayer, 'memory'>, steps: number): number {
  return memory ?? steps;
}

/** Numbers of one block: the slots of its memory, and of its compressed memory. */
export function memorySlots(layer: XlLayer, steps: number): { memory: number; compressed: number } {
  const M = memoryLength(layer, steps);
  if (layer.compression === undefined) return { memory: M, compressed: 0 };
  return { memory: 2 * M, compressed: layer.compressedMemory ?? M };
}

export const transformerXl: LayerKind<typeof schema> = {
  schema,
  title: 'Transformer-XL',
  family: 'attention',
  traits: layer => ({
    reads: 'vectors',
    sees: 'past',
    carries: true,
    reach:
      layer.memory === undefined ? Number.POSITIVE_INFINITY : 1 + layer.layers * reachOf(layer, layer.memory),
  }),
  width: (_, { inputs }) => inputs,
  /** A block: q, k, v, r and output 5·D², u and v 2·D, dense parts 2·D·M + M + D (gated 3·D·M + 2·M + D), two norms 4·D. */
  parameters(layer, { inputs: D }) {
    const M = hiddenOf(layer, D);
    const gated = layer.activation === 'swiglu';
    const [inner, ofM] = gated ? [3, 2] : [2, 1];
    const block = `5·${D}² + ${inner}·${D}·${M} + 7·${D} + ${gated ? '2·' : ''}${M}`;
    return {
      count: layer.layers * (5 * D * D + inner * D * M + 7 * D + ofM * M),
      formula: layer.layers > 1 ? `${layer.layers}·(${block})` : block,
    };
  },
  // as the Transformer's block, with two queries
  kept(layer, { inputs: D }) {
    const M = hiddenOf(layer, D);
    const inner = layer.activation === 'swiglu' ? 5 * M : 2 * M;
    const dropped = layer.dropout > 0 ? 4 * D + 2 * M : 0;
    return layer.layers * (13 * D + inner + dropped) + 4 * D + 2 * M;
  },
  multiplyAdds(layer, { inputs: D, steps }) {
    const M = memoryLength(layer, steps);
    const seen = { causal: true, window: M + 1, dilation: 1, stride: 0, globals: 0 };
    const inner = (layer.activation === 'swiglu' ? 3 : 2) * D * hiddenOf(layer, D);
    // products with keys, with distances, and of the shares with values
    return layer.layers * (steps * (5 * D * D + inner) + 3 * D * pairsSeen(seen, steps));
  },
  state(layer, { inputs: D, steps }) {
    const { memory, compressed } = memorySlots(layer, steps);
    return layer.layers * (memory + compressed) * D + (layer.compression === undefined ? 1 : 2);
  },
  check(layer, at) {
    const { compression, compressedMemory } = layer;
    if (compressedMemory !== undefined && compression === undefined)
      return [
        error(
          ['compressedMemory'],
          '`compressedMemory` belongs to `compression`; add it, or leave this out.',
        ),
      ];
    const faults = checkHeads({ heads: layer.heads, kvHeads: undefined }, at);
    const M = at ? memoryLength(layer, at.steps) : (layer.memory ?? Number.NaN);
    if (compression === undefined || Number.isNaN(M) || M % compression === 0) return faults;
    return [
      ...faults,
      error(
        [layer.memory === undefined ? 'compression' : 'memory'],
        `A memory of ${plural(M, 'step')} cannot be compressed ${count(compression)} at a time; take a multiple of ${count(compression)}.`,
      ),
    ];
  },
  about(layer) {
    const x = layer.norm === 'pre' ? 'norm(x)' : 'x';
    const sum = (part: string) => (layer.norm === 'pre' ? `x = x + ${part}` : `x = norm(x + ${part})`);
    const inner =
      layer.activation === 'swiglu' ? `W_2 (silu(W_g ${x}) ⊙ W_1 ${x})` : `W_2 ${layer.activation}(W_1 ${x})`;
    return [
      `q = W_q ${x}      k, v = W_kv [memory ; ${x}]      r_j = W_r sinusoid(j)`,
      'a_t = Σ_{t-M ≤ s ≤ t} softmax_s(((q_t + u) · k_s + (q_t + v) · r_{t-s}) / √(D/heads)) v_s',
      sum('W_out a'),
      `${sum(inner)}          arXiv 1901.02860`,
      ...(layer.compression === undefined
        ? []
        : [`older steps: the mean of each ${layer.compression}          arXiv 1911.05507`]),
    ].join('\n');
  },
};

/** Steps before its own that a step of one block sees. */
function reachOf({ compression, compressedMemory }: XlLayer, M: number): number {
  return compression === undefined ? M : 2 * M - 1 + compression * (compressedMemory ?? M);
}
