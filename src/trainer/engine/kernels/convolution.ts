// A causal dilated convolution over time, with an activation or without. Shapes: x (T, B, I), weight (O, I, kernelSize), bias (O), y (T, B, O).
import { type Tensor, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import type { ConvolutionShape, OutputActivation } from '../provider.ts';
import { floats, slice, whole } from '../storage.ts';
import { type EngineKernel, once, output, runKernel } from './kernel.ts';

interface ConvolutionContext {
  shape: ConvolutionShape;
  inputGradient: boolean;
  x?: Float32Array;
  weight?: Float32Array;
  y?: Float32Array;
}

export interface ConvolutionOptions {
  dilation: number;
  activation: OutputActivation | null;
  /** false: x depends on no variable, and its gradient is not computed */
  inputGradient: boolean;
}

export function causalConvolution(
  x: Tensor3D,
  weight: Tensor,
  bias: Tensor,
  { dilation, activation, inputGradient }: ConvolutionOptions,
): Tensor3D {
  const [seqLen, batch, inputSize] = x.shape;
  const [outputSize, inputs, kernelSize] = weight.shape as [number, number, number];
  if (inputs !== inputSize || bias.size !== outputSize)
    throw new Error(
      `causalConvolution: input [${x.shape}], weight [${weight.shape}] and bias [${bias.shape}] do not fit.`,
    );
  const shape = { seqLen, batch, inputSize, outputSize, kernelSize, dilation, activation };
  const context: ConvolutionContext = { shape, inputGradient };
  return runKernel<Tensor3D>('UnrollCausalConvolution', { x, weight, bias }, context);
}

export const convolutionKernel: EngineKernel = {
  name: 'UnrollCausalConvolution',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as ConvolutionContext;
    const { seqLen, batch, outputSize } = context.shape;
    const y = newFloats(seqLen * batch * outputSize);
    operations().causalConvolution({
      ...context.shape,
      x: slice(inputs.x!),
      weight: slice(inputs.weight!),
      bias: slice(inputs.bias!),
      y: whole(y),
    });
    context.x = floats(inputs.x!);
    context.weight = floats(inputs.weight!);
    const made = output(backend, [seqLen, batch, outputSize], y);
    context.y = floats(made);
    return made;
  },
  gradient(dy, _saved, attrs) {
    const { shape, inputGradient, x, weight, y } = attrs as unknown as Required<ConvolutionContext>;
    const gradients = once(() => {
      const made = {
        x: inputGradient ? newFloats(x.length) : null,
        weight: newFloats(weight.length),
        bias: newFloats(shape.outputSize),
      };
      operations().causalConvolutionBackward({
        ...shape,
        x: whole(x),
        weight: whole(weight),
        y: whole(y),
        dy: slice(dy as Tensor),
        dx: made.x && whole(made.x),
        dWeight: whole(made.weight),
        dBias: whole(made.bias),
      });
      return made;
    });
    return {
      x() {
        const dx = gradients().x;
        if (!dx) throw new Error('causalConvolution: the gradient of x was not asked for beforehand.');
        return tensor(dx, [shape.seqLen, shape.batch, shape.inputSize]);
      },
      weight: () => tensor(gradients().weight, [shape.outputSize, shape.inputSize, shape.kernelSize]),
      bias: () => tensor(gradients().bias, [shape.outputSize]),
    };
  },
};
