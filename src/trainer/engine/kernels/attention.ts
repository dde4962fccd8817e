// Attention of all heads over whole sequences: of a sequence to itself, from queries, keys and values side by side (T, B,
// 3·D), or of queries (T_q, B, D) to keys and values (T_k, B, 2·D) of other steps. The result is (T_q, B, D). Where heads
// share keys and values, these have fewer numbers than the queries.
import {
  type NamedTensorMap,
  type Tensor,
  type Tensor3D,
  type TensorInfo,
  tensor,
} from '@tensorflow/tfjs-core';
import { attentionMask } from '../attention-mask.ts';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import type { AttentionMask, AttentionShape, IntSlice, Slice } from '../provider.ts';
import { floats, provider, tapeIsOn, whole } from '../storage.ts';
import { type EngineKernel, once, output, runKernel, sizeOf } from './kernel.ts';

export interface AttentionOptions extends Partial<AttentionMask> {
  heads: number;
  /** heads of keys and values; left out: as many as of queries */
  kvHeads?: number;
  /** (B) valid keys of each sequence; null: all */
  lengths: Int32Array | null;
  /** (B) first key of each sequence that is there; left out: 0 */
  starts?: Int32Array | null;
  /** (heads) m of -m |t - s|, which is added to the scores; left out: nothing is */
  slopes?: Float32Array | null;
  /** called in the forward pass with (B, heads, T_q, T_k), the share of each key in each query's answer */
  onWeights?: (weights: Float32Array) => void;
}

/** u (T_q, B, D) and r (T_k, D) of u_t · r_(t-s) / √headSize, which is added to the scores. */
export interface RelativePositions {
  q: Tensor3D;
  table: Tensor;
}

export interface CrossAttentionOptions extends AttentionOptions {
  /** of a causal window whose last query stands at the last key */
  relative?: RelativePositions | null;
  /** (B) valid queries of each sequence; null: all */
  queryLengths?: Int32Array | null;
}

interface AttentionContext {
  shape: AttentionShape;
  lengths: Int32Array | null;
  queryLengths: Int32Array | null;
  starts: Int32Array | null;
  slopes: Float32Array | null;
  onWeights?: (weights: Float32Array) => void;
  arrays?: Record<string, Float32Array>;
  out?: Float32Array;
  logSumExp?: Float32Array;
}

/** Of a sequence to itself; a sequence's length is that of its queries too. */
export function attention(qkv: Tensor3D, options: AttentionOptions): Tensor3D {
  const [seqLen, batch, width] = qkv.shape;
  const { lengths, onWeights, starts = null, slopes = null, ...heads } = options;
  const { D } = widthsOf(width, options);
  if (!Number.isInteger(D / options.heads))
    throw new Error(
      `attention: ${width} numbers a step do not make queries, keys and values of ${options.heads} heads.`,
    );
  const strides = { qStride: width, kvStride: width };
  const shape = { ...shapeOf(heads, D), ...strides, queries: seqLen, keys: seqLen, batch };
  return run({ qkv }, { shape, lengths, queryLengths: lengths, starts, slopes, onWeights });
}

/** D and E of queries, keys and values side by side. */
export function widthsOf(
  width: number,
  { heads, kvHeads = heads }: Pick<AttentionOptions, 'heads' | 'kvHeads'>,
) {
  const D = (width * heads) / (heads + 2 * kvHeads);
  return { D, E: (width - D) / 2 };
}

/** Of queries to the keys and values of another sequence, or of one that is longer (`offset`). */
export function crossAttention(q: Tensor3D, kv: Tensor3D, options: CrossAttentionOptions): Tensor3D {
  const [queries, batch, D] = q.shape;
  const [keys, batchOfKeys, width] = kv.shape;
  const {
    lengths,
    queryLengths = null,
    onWeights,
    starts = null,
    slopes = null,
    relative,
    ...heads
  } = options;
  const { kvHeads = options.heads } = options;
  if (
    !Number.isInteger(D / options.heads) ||
    width * options.heads !== 2 * D * kvHeads ||
    batchOfKeys !== batch
  )
    throw new Error(
      `attention: queries [${q.shape}] do not fit keys and values [${kv.shape}] with ${options.heads} heads.`,
    );
  const shape = { ...shapeOf(heads, D), qStride: D, kvStride: width, queries, keys, batch };
  if (relative) checkRelative(relative, shape);
  const inputs: NamedTensorMap = relative ? { q, kv, u: relative.q, r: relative.table } : { q, kv };
  return run(inputs, { shape, lengths, queryLengths, starts, slopes, onWeights });
}

function shapeOf(
  { heads, kvHeads = heads, ...mask }: Partial<AttentionMask> & { heads: number; kvHeads?: number },
  width: number,
) {
  return { heads, kvHeads, headSize: width / heads, ...attentionMask(mask) };
}

function checkRelative({ q, table }: RelativePositions, shape: AttentionShape): void {
  const { queries, keys, batch, heads, headSize, offset } = shape;
  const D = heads * headSize;
  const fits = q.size === queries * batch * D && table.size === keys * D;
  const plain = shape.dilation === 1 && shape.stride === 0 && shape.globals === 0;
  if (!fits || !plain || !shape.causal || offset + queries !== keys)
    throw new Error(
      `attention: relative positions [${q.shape}] and [${table.shape}] do not fit ${queries} queries and ${keys} keys under this mask.`,
    );
}

function run(inputs: NamedTensorMap, context: AttentionContext): Tensor3D {
  const { shape, lengths, queryLengths, starts } = context;
  checkLengths('keys', lengths, shape.batch, shape.keys);
  checkLengths('keys', starts, shape.batch, shape.keys);
  checkLengths('queries', queryLengths, shape.batch, shape.queries);
  return runKernel<Tensor3D>('UnrollAttention', inputs, context);
}

function checkLengths(of: string, lengths: Int32Array | null, batch: number, most: number): void {
  if (lengths && (lengths.length !== batch || lengths.some(length => length < 0 || length > most)))
    throw new RangeError(
      `attention: the lengths ${lengths} do not fit the ${of} of ${batch} sequences of ${most} steps.`,
    );
}

/** Queries, and keys with values, from an array of both or from two. */
function operandsOf(
  arrays: Record<string, Float32Array>,
  { heads, headSize }: AttentionShape,
): { q: Slice; kv: Slice } {
  const { qkv, q, kv } = arrays;
  if (qkv) return { q: whole(qkv), kv: { data: qkv, offset: heads * headSize } };
  return { q: whole(q!), kv: whole(kv!) };
}

function termsOf(
  { lengths, queryLengths, starts, slopes }: AttentionContext,
  arrays: Record<string, Float32Array>,
) {
  const slice = (values: Int32Array | null): IntSlice | null => values && { data: values, offset: 0 };
  const { u, r } = arrays;
  return {
    lengths: slice(lengths),
    queryLengths: slice(queryLengths),
    starts: slice(starts),
    slopes: slopes && whole(slopes),
    qRelative: u ? whole(u) : null,
    relative: r ? whole(r) : null,
  };
}

export const attentionKernel: EngineKernel = {
  name: 'UnrollAttention',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as AttentionContext;
    const { shape, onWeights } = context;
    const { queries, keys, batch, heads, headSize } = shape;
    const arrays: Record<string, Float32Array> = {};
    for (const [name, input] of Object.entries(inputs)) arrays[name] = floats(input as TensorInfo);
    const out = newFloats(queries * batch * heads * headSize);
    if (tapeIsOn()) {
      context.logSumExp = new Float32Array(batch * heads * queries);
      context.arrays = arrays;
    }
    const weights = onWeights ? new Float32Array(batch * heads * queries * keys) : null;
    operations().attention({
      ...shape,
      ...termsOf(context, arrays),
      ...operandsOf(arrays, shape),
      out: whole(out),
      logSumExp: context.logSumExp ? whole(context.logSumExp) : null,
      weights: weights && whole(weights),
    });
    if (weights) onWeights?.(weights);
    const made = output(backend, [queries, batch, heads * headSize], out);
    if (tapeIsOn()) context.out = floats(made);
    return made;
  },
  gradient(dy, _saved, attrs) {
    const context = attrs as unknown as AttentionContext;
    const { shape, arrays, out, logSumExp } = context as Required<AttentionContext>;
    const { queries, keys, batch, heads, headSize } = shape;
    const D = heads * headSize;
    const E = shape.kvHeads * headSize;
    const shapes: Record<string, number[]> = {
      qkv: [queries, batch, D + 2 * E],
      q: [queries, batch, D],
      kv: [keys, batch, 2 * E],
      u: [queries, batch, D],
      r: [keys, D],
    };
    const gradients = once(() => {
      const made: Record<string, Float32Array> = {};
      for (const name of Object.keys(arrays)) made[name] = newFloats(sizeOf(shapes[name]!));
      const { q: dQ, kv: dKv } = operandsOf(made, shape);
      const ofSequences = made.r ? newFloats(batch * keys * D) : null;
      operations().attentionBackward({
        ...shape,
        ...termsOf(context, arrays),
        ...operandsOf(arrays, shape),
        out: whole(out),
        logSumExp: whole(logSumExp),
        dOut: whole(floats(dy as Tensor)),
        dQ,
        dKv,
        dQRelative: made.u ? whole(made.u) : null,
        dRelative: ofSequences && whole(ofSequences),
      });
      if (ofSequences) provider().columnSums(batch, keys * D, whole(ofSequences), whole(made.r!));
      return made;
    });
    return Object.fromEntries(
      Object.keys(arrays).map(name => [name, () => tensor(gradients()[name]!, shapes[name]!)]),
    );
  },
};
