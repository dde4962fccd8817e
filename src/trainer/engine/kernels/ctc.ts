// Summed CTC losses of logits (T, B, C); the gradient is computed in the same pass and kept for the tape.
import { type Scalar, type Tensor, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import type { IntSlice } from '../slices.ts';
import { floats, provider, slice, tapeIsOn, whole } from '../storage.ts';
import { type EngineKernel, output, runKernel } from './kernel.ts';

export interface CtcContext {
  /** (B) valid steps; null: all */
  lengths: Int32Array | null;
  /** (B, maxLabels), of which labelLengths[b] are read */
  labels: Int32Array;
  labelLengths: Int32Array;
  maxLabels: number;
  /** of the sum, and so of the gradient */
  scale: number;
  shape?: [number, number, number];
  dLogits?: Float32Array;
  /** whether dLogits is now a tensor's */
  given?: boolean;
}

/** Σ_b -log p(labels_b | logits_b) · scale */
export function ctcOf(logits: Tensor3D, context: CtcContext): Scalar {
  return runKernel<Scalar>('UnrollCtc', { logits }, context);
}

export const ctcKernel: EngineKernel = {
  name: 'UnrollCtc',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as CtcContext;
    const logits = inputs.logits!;
    context.shape = logits.shape as [number, number, number];
    const [seqLen, batch, classes] = context.shape;
    const { lengths, labels, labelLengths, maxLabels, scale } = context;
    if (tapeIsOn()) context.dLogits = newFloats(seqLen * batch * classes);
    const losses = new Float32Array(batch);
    const ids = (data: Int32Array): IntSlice => ({ data, offset: 0 });
    operations().ctc({
      ...{ seqLen, batch, classes, maxLabels, scale },
      logits: slice(logits),
      lengths: lengths && ids(lengths),
      labels: ids(labels),
      labelLengths: ids(labelLengths),
      losses: whole(losses),
      dLogits: context.dLogits ? whole(context.dLogits) : null,
    });
    const total = losses.reduce((sum, loss) => sum + loss, 0);
    return output(backend, [], new Float32Array([total * scale]));
  },
  gradient(dy, _saved, attrs) {
    const context = attrs as unknown as Required<CtcContext>;
    const { dLogits, shape } = context;
    return {
      logits() {
        const factor = floats(dy as Tensor)[0]!;
        if (context.given) throw new Error('The gradient of one CTC loss was taken twice.');
        context.given = true;
        if (factor !== 1) provider().scale(dLogits.length, whole(dLogits), factor);
        return tensor(dLogits, shape);
      },
    };
  },
};
