// Mean softmax cross-entropy of a dense layer's logits, x Wᵀ + b, which are never stored; all gradients are computed in
// the same pass and kept for the tape. Shapes: x (…, H), weight (O, H), bias (O).
import { type Scalar, type Tensor, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import { newFloats } from '../pool.ts';
import { floats, provider, slice, tapeIsOn, whole } from '../storage.ts';
import { type EngineKernel, output, runKernel } from './kernel.ts';

/** A dense layer that is still to be applied. */
export interface DenseHead {
  x: Tensor3D;
  weight: Tensor;
  bias: Tensor;
  /** whether x depends on variables */
  inputGradient: boolean;
  /** x Wᵀ + b */
  applied(): Tensor3D;
}

export interface DenseCrossEntropyContext {
  targets: Int32Array;
  weights: Float32Array | null;
  labelSmoothing: number;
}

interface Context extends DenseCrossEntropyContext {
  inputGradient: boolean;
  shapes: Record<Operand, number[]>;
  /** gradients until they are a tensor's */
  gradients?: Record<Operand, Float32Array | undefined>;
}

type Operand = 'x' | 'weight' | 'bias';

export const DENSE_CROSS_ENTROPY = 'UnrollDenseCrossEntropy';

export function denseCrossEntropyOf(head: DenseHead, options: DenseCrossEntropyContext): Scalar {
  const { x, weight, bias, inputGradient } = head;
  const shapes = { x: x.shape, weight: weight.shape, bias: bias.shape };
  const context: Context = { ...options, inputGradient, shapes };
  return runKernel<Scalar>(DENSE_CROSS_ENTROPY, { x, weight, bias }, context);
}

export const denseCrossEntropyKernel: EngineKernel = {
  name: DENSE_CROSS_ENTROPY,
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as Context;
    const { x, weight, bias } = inputs;
    const [outputs, width] = weight!.shape as [number, number];
    const rows = context.targets.length;
    const isTaped = tapeIsOn();
    const dx = isTaped && context.inputGradient ? newFloats(rows * width) : undefined;
    const dWeight = isTaped ? newFloats(outputs * width) : undefined;
    const dBias = isTaped ? newFloats(outputs) : undefined;
    context.gradients = { x: dx, weight: dWeight, bias: dBias };
    const loss = provider().denseCrossEntropy({
      rows,
      inputs: width,
      outputs,
      x: slice(x!),
      weight: slice(weight!),
      bias: slice(bias!),
      targets: { data: context.targets, offset: 0 },
      weights: context.weights && whole(context.weights),
      labelSmoothing: context.labelSmoothing,
      dx: dx ? whole(dx) : null,
      dWeight: dWeight ? whole(dWeight) : null,
      dBias: dBias ? whole(dBias) : null,
    });
    return output(backend, [], new Float32Array([loss]));
  },
  gradient(dy, _saved, attrs) {
    const context = attrs as unknown as Required<Context>;
    const taken = (operand: Operand) => () => {
      const gradient = context.gradients[operand];
      if (!gradient) throw new Error(`The gradient of ${operand} was not asked for, or was taken twice.`);
      context.gradients[operand] = undefined;
      const factor = floats(dy as Tensor)[0]!;
      if (factor !== 1) provider().scale(gradient.length, whole(gradient), factor);
      return tensor(gradient, context.shapes[operand]);
    };
    return { x: taken('x'), weight: taken('weight'), bias: taken('bias') };
  },
};
