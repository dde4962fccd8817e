// Mean softmax cross-entropy of logits (N, C); its gradient is computed in the same pass and kept for the tape.
import { type Scalar, type Tensor, type Tensor2D, tensor } from '@tensorflow/tfjs-core';
import { newFloats } from '../pool.ts';
import { floats, provider, slice, tapeIsOn, whole } from '../storage.ts';
import { type EngineKernel, output, runKernel } from './kernel.ts';

export interface CrossEntropyContext {
  targets: Int32Array;
  weights: Float32Array | null;
  labelSmoothing: number;
  dLogits?: Float32Array;
  /** whether dLogits is now a tensor's */
  given?: boolean;
}

export function softmaxCrossEntropyOf(logits: Tensor2D, context: CrossEntropyContext): Scalar {
  return runKernel<Scalar>('UnrollSoftmaxCrossEntropy', { logits }, context);
}

export const softmaxCrossEntropyKernel: EngineKernel = {
  name: 'UnrollSoftmaxCrossEntropy',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as CrossEntropyContext;
    const logits = inputs.logits!;
    const [rows, classes] = logits.shape as [number, number];
    if (tapeIsOn()) context.dLogits = newFloats(rows * classes);
    const loss = provider().softmaxCrossEntropy({
      rows,
      classes,
      logits: slice(logits),
      targets: { data: context.targets, offset: 0 },
      weights: context.weights && whole(context.weights),
      labelSmoothing: context.labelSmoothing,
      dLogits: context.dLogits ? whole(context.dLogits) : null,
    });
    return output(backend, [], new Float32Array([loss]));
  },
  gradient(dy, _saved, attrs) {
    const context = attrs as unknown as Required<CrossEntropyContext>;
    const { dLogits, targets } = context;
    const rows = targets.length;
    return {
      logits() {
        const factor = floats(dy as Tensor)[0]!;
        if (context.given) throw new Error('The gradient of one cross-entropy was taken twice.');
        context.given = true;
        const gradient = dLogits;
        if (factor !== 1) provider().scale(gradient.length, whole(gradient), factor);
        return tensor(gradient, [rows, rows === 0 ? 0 : gradient.length / rows]);
      },
    };
  },
};
