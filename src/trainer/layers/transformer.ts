// A stack of Transformer blocks: A. Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, normalised before each part
// as in A. Radford et al., 2019 (GPT-2) and R. Xiong et al., 2020, https://arxiv.org/abs/2002.04745, or after its sum:
//
//   [q k v] = W_in norm1(x) + b_in      by heads: a_t = Σ_s softmax_s(q_t · k_s / √(D/heads)) v_s, over the s that t sees
//   x = x + W_out a + b_out
//   x = x + multihead_attn(norm2(x), the encoder's states)      of a decoder
//   x = x + W_2 φ(W_1 norm(x) + b_1) + b_2
//
// `norm` "post": x = norm1(x + …) instead of x = x + …(norm1(x)), and so for each part.
// Shapes: x (T, B, D), in_proj (D + 2·E, D), out_proj (D, D), linear1 (M, D), linear2 (D, M); E = D where heads do not share
// keys and values. The variables of block k are named blocks.<k>.… as torch.nn.TransformerEncoderLayer and
// TransformerDecoderLayer name them, which it equals; multihead_attn has q_proj (D, D) and kv_proj (2·D, M) of its own. Before
// the first block `positions` are added: learned (seqLen, D), N(0, 0.02²) at first; or sin and cos of t / 10000^(2i/D).
// Rotary and ALiBi positions stand in each attention. There is no normalisation after the last block: that is a
// layer-norm layer. Dropout stands after the attention's output, after φ and after W_2, and not on the attention's weights.
// Initial values: PyTorch Glorot-uniform in_proj, the others uniform ±1/√inputs, attention biases 0; Keras and tfjs
// Glorot-uniform weights and zero biases.
import { add, slice, type Tensor, type Tensor3D, tensor2d, type Variable } from '@tensorflow/tfjs-core';
import { maskRuleOf } from '../../experiment/attention-mask.ts';
import { checkHeads, keysWidth } from '../../experiment/layers/transformer.ts';
import type { LayerOf } from '../../experiment/schema.ts';
import { alibiSlopes, rotated, sinusoids } from './attention-positions.ts';
import { rowsOf } from './embedding.ts';
import { ModelError } from './errors.ts';
import { dropping, feedForward, linear, type Part } from './feed-forward.ts';
import { normal } from './initial.ts';
import { cachedKeys, cachedSource, stepsCached } from './key-cache.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { normIn } from './layer-norm.ts';
import { attention, crossAttention } from './operations.ts';

type TransformerLayer = LayerOf<'transformer'>;

const EPSILON = 1e-5;
const POSITION_SPREAD = 0.02;

export function buildTransformer(layer: TransformerLayer, place: Place): BuiltLayer {
  const { width } = place.input;
  if (width % layer.heads !== 0)
    throw new ModelError(
      `Layer ${place.index + 1} shares ${width} numbers among ${layer.heads} heads, which does not come out even; take a number of heads that divides ${width}, or put a dense layer before it.`,
      ['model', 'layers', place.index, 'heads'],
    );
  const [fault] = checkHeads(layer, { inputs: width } as Parameters<typeof checkHeads>[1]);
  if (fault) throw new ModelError(fault.message, ['model', 'layers', place.index, ...fault.path]);
  const locate = positionsOf(layer, place);
  const names = Array.from({ length: layer.layers }, (_, index) => `blocks.${index}`);
  const blocks = names.map((name, index) => blockOf(layer, place, name, index === names.length - 1));
  return {
    output: { kind: 'vectors', width, learned: true },
    caches: layer.causal,
    forward(x, pass) {
      const cached = cacheName(place, names[0]!);
      const first = stepsCached(cached, 2 * keysWidth(layer, width), x.shape[1]!, pass);
      return blocks.reduce((sequence, block) => block(sequence, pass), locate(x as Tensor3D, first));
    },
  };
}

function cacheName(place: Place, block: string): string {
  return `${place.name}.${block}.keys`;
}

function blockOf(layer: TransformerLayer, place: Place, name: string, isLast: boolean): Part {
  const drop = dropping(layer, place, name);
  let norms = 0;
  /** x with a part of it added, normalised before or after. */
  const added = (make: () => Part, where: string): Part => {
    const norm = normIn(place, `${name}.norm${++norms}.`, EPSILON);
    const part = make();
    return layer.norm === 'pre'
      ? (x, pass) => add(x, drop(part(norm(x), pass), where, pass))
      : (x, pass) => norm(add(x, drop(part(x, pass), where, pass)));
  };
  const parts = [added(() => selfAttention(layer, place, name), 'attention')];
  if (layer.crossAttention) parts.push(added(() => sourceAttention(layer, place, name, isLast), 'cross'));
  parts.push(added(() => feedForward(layer, place, name), 'outer'));
  return (x, pass) => parts.reduce((sequence, part) => part(sequence, pass), x);
}

function selfAttention(layer: TransformerLayer, place: Place, name: string): Part {
  const { width } = place.input;
  const { heads, kvHeads = heads, positions } = layer;
  const E = keysWidth(layer, width);
  const headSize = width / heads;
  const inProjection = linear(place, `${name}.self_attn.in_proj_`, width + 2 * E, width, 'attention in');
  const outProjection = linear(place, `${name}.self_attn.out_proj.`, width, width, 'attention out');
  const cache = cacheName(place, name);
  const slopes = positions === 'alibi' ? alibiSlopes(heads) : null;
  const seen = { heads, kvHeads, slopes, ...maskRuleOf(layer) };
  return (x, pass) => {
    const { lengths, caching } = pass.options;
    const first = stepsCached(cache, 2 * E, x.shape[1], pass);
    const projected = inProjection(x);
    const qkv =
      positions === 'rotary' ? rotated(projected, { heads: heads + kvHeads, headSize, first }) : projected;
    if (!caching) return outProjection(attention(qkv, { ...seen, lengths }));
    const { kv, before } = cachedKeys(cache, qkv, { from: width, width: 2 * E }, pass);
    const q = slice(qkv, [0, 0, 0], [-1, -1, width]);
    return outProjection(crossAttention(q, kv, { ...seen, offset: before, lengths: null }));
  };
}

/** To the valid states of the encoder, all of them. */
function sourceAttention(layer: TransformerLayer, place: Place, name: string, isLast: boolean): Part {
  const { memory } = place;
  const { width } = place.input;
  if (memory === null)
    throw new ModelError(
      "A layer with `crossAttention` reads an encoder's states, but the model has no `encoder`.",
      ['model', 'layers', place.index, 'crossAttention'],
    );
  const prefix = `${name}.multihead_attn`;
  const query = linear(place, `${prefix}.q_proj.`, width, width, 'attention in');
  const keysAndValues = linear(place, `${prefix}.kv_proj.`, 2 * width, memory, 'attention in');
  const outProjection = linear(place, `${prefix}.out_proj.`, width, width, 'attention out');
  return (x, pass) => {
    const { states, lengths } = pass.encoded!;
    const make = () => keysAndValues(states);
    const kv = cachedSource(`${place.name}.${name}.source`, x.shape[1], 2 * width, make, pass);
    const onWeights = isLast
      ? meanOverHeads(layer.heads, place.name, [x.shape[1], x.shape[0], states.shape[0]], pass)
      : null;
    const answer = crossAttention(query(x), kv, {
      heads: layer.heads,
      lengths,
      queryLengths: pass.options.lengths,
      ...(onWeights ? { onWeights } : {}),
    });
    return outProjection(answer);
  };
}

/** Tells who watches the mean over the heads of the last block, (B, 1, T, S). */
function meanOverHeads(
  heads: number,
  name: string,
  [B, T, S]: number[],
  { options: { watch, from = 0 } }: Pass,
) {
  if (!watch?.attention) return null;
  const size = T! * S!;
  return (weights: Float32Array) => {
    const means = new Float32Array(B! * size);
    for (let i = 0; i < weights.length; i++)
      means[Math.floor(i / (heads * size)) * size + (i % size)]! += weights[i]! / heads;
    watch.attention!(name, from, means);
  };
}

/** Adds a row of a table to each step, from `first` on. */
function positionsOf(
  { positions }: TransformerLayer,
  place: Place,
): (x: Tensor3D, first: number) => Tensor3D {
  if (positions !== 'learned' && positions !== 'sinusoidal') return x => x;
  const { width } = place.input;
  const learned: Variable | null =
    positions === 'learned'
      ? place.variable('positions', [place.seqLen, width], normal(POSITION_SPREAD))
      : null;
  return (x, first) => {
    const [seqLen, batch] = x.shape;
    if (learned && first + seqLen > place.seqLen)
      throw new ModelError(
        `${place.name} has learned ${place.seqLen} positions, but got a sequence of ${first + seqLen} steps.`,
        ['model', place.name.split('.')[0]!, place.index, 'positions'],
      );
    const table: Tensor = learned ?? tensor2d(sinusoids(seqLen, width, first), [seqLen, width]);
    const begin = learned ? first : 0;
    const steps = Int32Array.from({ length: seqLen * batch }, (_, row) => begin + Math.floor(row / batch));
    return add(x, rowsOf(table, steps, [seqLen, batch]));
  };
}
