// Attention of all heads over whole sequences: of a sequence to itself, from queries, keys and values side by side (T, B,
// 3·D), or of queries (T_q, B, D) to keys and values (T_k, B, 2·D) of other steps. The result is (T_q, B, D).
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
import { floats, tapeIsOn, whole } from '../storage.ts';
import { type EngineKernel, once, output, runKernel, sizeOf } from './kernel.ts';

export interface AttentionOptions extends Partial<AttentionMask> {
  heads: number;
  /** (B) valid keys of each sequence; null: all */
  lengths: Int32Array | null;
  /** called in the forward pass with (B, heads, T_q, T_k), the share of each key in each query's answer */
  onWeights?: (weights: Float32Array) => void;
}

export interface CrossAttentionOptions extends AttentionOptions {
  /** (B) valid queries of each sequence; null: all */
  queryLengths?: Int32Array | null;
}

interface AttentionContext {
  shape: AttentionShape;
  lengths: Int32Array | null;
  queryLengths: Int32Array | null;
  onWeights?: (weights: Float32Array) => void;
  arrays?: Record<string, Float32Array>;
  out?: Float32Array;
  logSumExp?: Float32Array;
}

/** Of a sequence to itself; a sequence's length is that of its queries too. */
export function attention(qkv: Tensor3D, options: AttentionOptions): Tensor3D {
  const [seqLen, batch, width] = qkv.shape;
  const D = width / 3;
  if (!Number.isInteger(D / options.heads))
    throw new Error(
      `attention: ${width} numbers a step do not make queries, keys and values of ${options.heads} heads.`,
    );
  const strides = { qStride: width, kvStride: width };
  const shape = { ...shapeOf(options, D), ...strides, queries: seqLen, keys: seqLen, batch };
  const { lengths, onWeights } = options;
  return run({ qkv }, { shape, lengths, queryLengths: lengths, onWeights });
}

/** Of queries to the keys and values of another sequence, or of one that is longer (`offset`). */
export function crossAttention(q: Tensor3D, kv: Tensor3D, options: CrossAttentionOptions): Tensor3D {
  const [queries, batch, D] = q.shape;
  const [keys, batchOfKeys, width] = kv.shape;
  if (!Number.isInteger(D / options.heads) || width !== 2 * D || batchOfKeys !== batch)
    throw new Error(
      `attention: queries [${q.shape}] do not fit keys and values [${kv.shape}] with ${options.heads} heads.`,
    );
  const shape = { ...shapeOf(options, D), qStride: D, kvStride: width, queries, keys, batch };
  const { lengths, queryLengths = null, onWeights } = options;
  return run({ q, kv }, { shape, lengths, queryLengths, onWeights });
}

function shapeOf({ heads, ...mask }: AttentionOptions, width: number) {
  return { heads, headSize: width / heads, ...attentionMask(mask) };
}

function run(inputs: NamedTensorMap, context: AttentionContext): Tensor3D {
  const { shape, lengths, queryLengths } = context;
  checkLengths('keys', lengths, shape.batch, shape.keys);
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

function lengthsOf({ lengths, queryLengths }: AttentionContext) {
  const slice = (values: Int32Array | null): IntSlice | null => values && { data: values, offset: 0 };
  return { lengths: slice(lengths), queryLengths: slice(queryLengths) };
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
      ...lengthsOf(context),
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
    const shapes: Record<string, number[]> = {
      qkv: [queries, batch, 3 * D],
      q: [queries, batch, D],
      kv: [keys, batch, 2 * D],
    };
    const gradients = once(() => {
      const made: Record<string, Float32Array> = {};
      for (const name of Object.keys(arrays)) made[name] = newFloats(sizeOf(shapes[name]!));
      const { q: dQ, kv: dKv } = operandsOf(made, shape);
      operations().attentionBackward({
        ...shape,
        ...lengthsOf(context),
        ...operandsOf(arrays, shape),
        out: whole(out),
        logSumExp: whole(logSumExp),
        dOut: whole(floats(dy as Tensor)),
        dQ,
        dKv,
      });
      return made;
    });
    return Object.fromEntries(
      Object.keys(arrays).map(name => [name, () => tensor(gradients()[name]!, shapes[name]!)]),
    );
  },
};
