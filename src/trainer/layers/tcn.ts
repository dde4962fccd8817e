// A temporal convolutional network: S. Bai, J. Z. Kolter, V. Koltun, 2018, https://arxiv.org/abs/1803.01271. A block k:
//
//   z = relu(conv2(relu(conv1(x))))      both causal, with dilation 2^k
//   y = relu(z + residual(x))            residual(x) = x, or W x + b where the width changes
//
// so that a step of the last block sees 1 + 2 (kernelSize - 1) (2^layers - 1) steps. Shapes: x (T, B, I), y (T, B, O),
// conv1 (O, I, kernelSize), conv2 (O, O, kernelSize), downsample (O, I, 1), PyTorch's Conv1d layout with the last tap at
// the present. Dropout stands after each inner relu. Unlike the paper's code there is no weight normalisation.
// Initial values: PyTorch uniform ±1/√(I·kernelSize) for weights and biases; Keras and tfjs Glorot-uniform weights and
// zero biases.
import { add, reshape, type Tensor3D, type Variable } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/schema.ts';
import { dropout } from './dropout.ts';
import { uniform, zeros } from './initial.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { activation, convolution as convolve, dense } from './operations.ts';

type Block = (x: Tensor3D, pass: Pass) => Tensor3D;

export function buildTcn(layer: LayerOf<'tcn'>, place: Place): BuiltLayer {
  const blocks = Array.from({ length: layer.layers }, (_, level) => blockOf(layer, place, level));
  return {
    output: { kind: 'vectors', width: layer.units, learned: true },
    forward: (x, pass) => blocks.reduce((sequence, block) => block(sequence, pass), x as Tensor3D),
  };
}

function blockOf({ units, kernelSize, dropout: rate }: LayerOf<'tcn'>, place: Place, level: number): Block {
  const name = `blocks.${level}`;
  const inputs = level === 0 ? place.input.width : units;
  const learned = level > 0 || place.input.learned;
  const dilation = 2 ** level;
  const conv1 = convolution(place, `${name}.conv1`, [units, inputs, kernelSize]);
  const conv2 = convolution(place, `${name}.conv2`, [units, units, kernelSize]);
  const downsample = inputs === units ? null : convolution(place, `${name}.downsample`, [units, inputs, 1]);
  return (x, pass) => {
    const inner = (y: Tensor3D, where: string) =>
      dropout(y, rate, place.seed, `${place.name}.${name}.${where}`, pass);
    const options = { dilation, activation: 'relu' } as const;
    const first = convolve(x, ...conv1, { ...options, inputGradient: learned });
    const z = convolve(inner(first, 'conv1'), ...conv2, { ...options, inputGradient: true });
    return activation('relu', add(inner(z, 'conv2'), downsample ? pointwise(x, downsample) : x));
  };
}

type Weights = [weight: Variable, bias: Variable];

function convolution(place: Place, name: string, shape: [number, number, number]): Weights {
  const [outputs, inputs, kernelSize] = shape;
  const pytorch = place.convention === 'pytorch';
  const spread = uniform(1 / Math.sqrt(inputs * kernelSize));
  const glorot = uniform(Math.sqrt(6 / ((inputs + outputs) * kernelSize)));
  return [
    place.variable(`${name}.weight`, shape, pytorch ? spread : glorot),
    place.variable(`${name}.bias`, [outputs], pytorch ? spread : zeros),
  ];
}

/** A convolution of one tap is a matrix. */
function pointwise(x: Tensor3D, [weight, bias]: Weights): Tensor3D {
  return dense(x, reshape(weight, weight.shape.slice(0, 2)), bias);
}
