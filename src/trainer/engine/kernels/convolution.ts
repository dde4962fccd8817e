// A convolution over time, with an activation or without. Shapes: x (T, B, I), weight (O, I / groups, kernelSize), bias
// (O), y (T_out, B, O).
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

/**
 * What stands around the input, as zeros: `causal`, so that no step looks ahead; `same`, half before and half behind (one
 * more behind), as in PyTorch; `valid`, nothing, and the output is shorter.
 */
export type ConvolutionPadding = 'causal' | 'same' | 'valid';

export interface ConvolutionOptions {
  dilation: number;
  activation: OutputActivation | null;
  /** false: x depends on no variable, and its gradient is not computed */
  inputGradient: boolean;
  /** default causal */
  padding?: ConvolutionPadding;
  /** default 1 */
  stride?: number;
  groups?: number;
}

export function convolution(
  x: Tensor3D,
  weight: Tensor,
  bias: Tensor,
  options: ConvolutionOptions,
): Tensor3D {
  const shape = convolutionShape(x.shape, weight.shape, bias.size, options);
  const context: ConvolutionContext = { shape, inputGradient: options.inputGradient };
  return runKernel<Tensor3D>('UnrollConvolution', { x, weight, bias }, context);
}

/** @throws RangeError where sizes do not fit, or an input is too short for a kernel without padding */
export function convolutionShape(
  [seqLen, batch, inputSize]: [number, number, number],
  weight: number[],
  biases: number,
  { dilation, activation, padding = 'causal', stride = 1, groups = 1 }: ConvolutionOptions,
): ConvolutionShape {
  const [outputSize, inputs, kernelSize] = weight as [number, number, number];
  if (inputs * groups !== inputSize || outputSize % groups !== 0 || biases !== outputSize)
    throw new RangeError(
      `convolution: input [${[seqLen, batch, inputSize]}], weight [${weight}] and ${biases} biases do not fit in ${groups} groups.`,
    );
  const reach = (kernelSize - 1) * dilation;
  if (padding === 'valid' && reach >= seqLen)
    throw new RangeError(
      `convolution: ${kernelSize} taps ${dilation} apart need ${reach + 1} steps without padding, but there are ${seqLen}.`,
    );
  const ahead = { causal: 0, same: Math.ceil(reach / 2), valid: reach }[padding];
  const padded = padding === 'valid' ? seqLen - reach : seqLen;
  const outputLen = Math.floor((padded - 1) / stride) + 1;
  const sizes = { seqLen, outputLen, batch, inputSize, outputSize, kernelSize };
  return { ...sizes, dilation, ahead, stride, groups, activation };
}

export const convolutionKernel: EngineKernel = {
  name: 'UnrollConvolution',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as ConvolutionContext;
    const { outputLen, batch, outputSize } = context.shape;
    const y = newFloats(outputLen * batch * outputSize);
    operations().convolution({
      ...context.shape,
      x: slice(inputs.x!),
      weight: slice(inputs.weight!),
      bias: slice(inputs.bias!),
      y: whole(y),
    });
    context.x = floats(inputs.x!);
    context.weight = floats(inputs.weight!);
    const made = output(backend, [outputLen, batch, outputSize], y);
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
      operations().convolutionBackward({
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
        if (!dx) throw new Error('convolution: the gradient of x was not asked for beforehand.');
        return tensor(dx, [shape.seqLen, shape.batch, shape.inputSize]);
      },
      weight: () =>
        tensor(gradients().weight, [shape.outputSize, shape.inputSize / shape.groups, shape.kernelSize]),
      bias: () => tensor(gradients().bias, [shape.outputSize]),
    };
  },
};
