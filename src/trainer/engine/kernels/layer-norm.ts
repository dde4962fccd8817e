// Layer normalisation over the last axis. Shapes: x (…, D), weight and bias (D).
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import { floats, slice, whole } from '../storage.ts';
import { type EngineKernel, once, output, runKernel, sizeOf } from './kernel.ts';

interface LayerNormContext {
  rows: number;
  width: number;
  epsilon: number;
  x?: Float32Array;
  weight?: Float32Array;
  mean?: Float32Array;
  inverseDeviation?: Float32Array;
}

export function layerNorm<T extends Tensor>(x: T, weight: Tensor, bias: Tensor, epsilon: number): T {
  const width = x.shape.at(-1)!;
  if (weight.size !== width || bias.size !== width)
    throw new Error(
      `layerNorm: input [${x.shape}], weight [${weight.shape}] and bias [${bias.shape}] do not fit.`,
    );
  const context: LayerNormContext = { rows: x.size / width, width, epsilon };
  return runKernel<T>('UnrollLayerNorm', { x, weight, bias }, context);
}

export const layerNormKernel: EngineKernel = {
  name: 'UnrollLayerNorm',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as LayerNormContext;
    const { rows, width, epsilon } = context;
    const x = inputs.x!;
    const y = newFloats(sizeOf(x.shape));
    context.mean = new Float32Array(rows);
    context.inverseDeviation = new Float32Array(rows);
    operations().layerNorm({
      rows,
      width,
      epsilon,
      x: slice(x),
      weight: slice(inputs.weight!),
      bias: slice(inputs.bias!),
      y: whole(y),
      mean: whole(context.mean),
      inverseDeviation: whole(context.inverseDeviation),
    });
    context.x = floats(x);
    context.weight = floats(inputs.weight!);
    return output(backend, [...x.shape], y);
  },
  gradient(dy, _saved, attrs) {
    const context = attrs as unknown as Required<LayerNormContext>;
    const { rows, width } = context;
    const gradients = once(() => {
      const made = {
        x: newFloats(rows * width),
        weight: newFloats(width),
        bias: newFloats(width),
      };
      operations().layerNormBackward({
        rows,
        width,
        x: whole(context.x),
        weight: whole(context.weight),
        mean: whole(context.mean),
        inverseDeviation: whole(context.inverseDeviation),
        dy: slice(dy as Tensor),
        dx: whole(made.x),
        dWeight: whole(made.weight),
        dBias: whole(made.bias),
      });
      return made;
    });
    return {
      x: () => tensor(gradients().x, (dy as Tensor).shape),
      weight: () => tensor(gradients().weight, [width]),
      bias: () => tensor(gradients().bias, [width]),
    };
  },
};
