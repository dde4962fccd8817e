// Attention of all heads over whole sequences. Shapes: qkv (T, B, 3·D), out (T, B, D).
import { type Tensor, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import type { AttentionShape } from '../provider.ts';
import { floats, slice, tapeIsOn, whole } from '../storage.ts';
import { type EngineKernel, output, runKernel } from './kernel.ts';

export interface AttentionOptions {
  heads: number;
  causal: boolean;
  /** steps apart that still see each other, itself included; 0: no limit */
  window: number;
  lengths: Int32Array | null;
}

interface AttentionContext {
  shape: AttentionShape;
  lengths: Int32Array | null;
  qkv?: Float32Array;
  out?: Float32Array;
  logSumExp?: Float32Array;
}

export function attention(qkv: Tensor3D, { heads, causal, window, lengths }: AttentionOptions): Tensor3D {
  const [seqLen, batch, width] = qkv.shape;
  const headSize = width / 3 / heads;
  if (!Number.isInteger(headSize))
    throw new Error(
      `attention: ${width} numbers a step do not make queries, keys and values of ${heads} heads.`,
    );
  if (lengths && (lengths.length !== batch || lengths.some(length => length < 0 || length > seqLen)))
    throw new RangeError(
      `attention: the lengths ${lengths} do not fit ${batch} sequences of ${seqLen} steps.`,
    );
  const shape = { seqLen, batch, heads, headSize, causal, window };
  const context: AttentionContext = { shape, lengths };
  return runKernel<Tensor3D>('UnrollAttention', { qkv }, context);
}

export const attentionKernel: EngineKernel = {
  name: 'UnrollAttention',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as AttentionContext;
    const { seqLen, batch, heads, headSize } = context.shape;
    const out = newFloats(seqLen * batch * heads * headSize);
    if (tapeIsOn()) {
      context.logSumExp = new Float32Array(batch * heads * seqLen);
      context.qkv = floats(inputs.qkv!);
    }
    operations().attention({
      ...context.shape,
      lengths: context.lengths && { data: context.lengths, offset: 0 },
      qkv: slice(inputs.qkv!),
      out: whole(out),
      logSumExp: context.logSumExp ? whole(context.logSumExp) : null,
    });
    const made = output(backend, [seqLen, batch, heads * headSize], out);
    if (tapeIsOn()) context.out = floats(made);
    return made;
  },
  gradient(dy, _saved, attrs) {
    const { shape, lengths, qkv, out, logSumExp } = attrs as unknown as Required<AttentionContext>;
    return {
      qkv() {
        const dQkv = newFloats(qkv.length);
        operations().attentionBackward({
          ...shape,
          lengths: lengths && { data: lengths, offset: 0 },
          qkv: whole(qkv),
          out: whole(out),
          logSumExp: whole(logSumExp),
          dOut: slice(dy as Tensor),
          dQkv: whole(dQkv),
        });
        return tensor(dQkv, [shape.seqLen, shape.batch, 3 * shape.heads * shape.headSize]);
      },
    };
  },
};
