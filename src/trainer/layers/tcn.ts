// A temporal convolutional network: S. Bai, J. Z. Kolter, V. Koltun, 2018, https://arxiv.org/abs/1803.01271. A block k:
//
//   z = relu(conv2(relu(conv1(x))))      both causal, with dilation 2^k
//   y = relu(z + residual(x))            residual(x) = x, or W x + b where the width changes
//
// so that a step of the last block sees 1 + 2 (kernelSize - 1) (2^layers - 1) steps. Shapes: x (T, B, I), y (T, B, O),
// conv1 (O, I, kernelSize), conv2 (O, O, kernelSize), downsample (O, I, 1), PyTorch's Conv1d layout with the last tap at
// the present. Dropout stands after each inner relu, of numbers or of whole channels. With `weightNorm` a filter is
// W = g v / ‖v‖ with weight_g (O, 1, 1), at first ‖v‖, and weight_v (O, I, kernelSize): T. Salimans, D. P. Kingma, 2016,
// https://arxiv.org/abs/1602.07868; the paper and its code have it, the residual's matrix goes without.
// Initial values: PyTorch uniform ±1/√(I·kernelSize) for weights and biases; Keras and tfjs Glorot-uniform weights and
// zero biases.
import { add, reshape, type Tensor, type Tensor3D, type Variable } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/schema.ts';
import { newFloats } from '../engine/pool.ts';
import { computed } from './by-channel.ts';
import { channelDropout, dropout } from './dropout.ts';
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

function blockOf(layer: LayerOf<'tcn'>, place: Place, level: number): Block {
  const { units, kernelSize, dropout: rate, spatialDropout, weightNorm } = layer;
  const drop = spatialDropout ? channelDropout : dropout;
  const name = `blocks.${level}`;
  const inputs = level === 0 ? place.input.width : units;
  const learned = level > 0 || place.input.learned;
  const dilation = 2 ** level;
  const conv1 = convolution(place, `${name}.conv1`, [units, inputs, kernelSize], weightNorm);
  const conv2 = convolution(place, `${name}.conv2`, [units, units, kernelSize], weightNorm);
  const downsample = inputs === units ? null : convolution(place, `${name}.downsample`, [units, inputs, 1]);
  return (x, pass) => {
    const inner = (y: Tensor3D, where: string) =>
      drop(y, rate, place.seed, `${place.name}.${name}.${where}`, pass);
    const options = { dilation, activation: 'relu' } as const;
    const first = convolve(x, ...weightsOf(conv1), { ...options, inputGradient: learned });
    const z = convolve(inner(first, 'conv1'), ...weightsOf(conv2), { ...options, inputGradient: true });
    return activation('relu', add(inner(z, 'conv2'), downsample ? pointwise(x, downsample) : x));
  };
}

interface Weights {
  weight: Variable;
  bias: Variable;
  /** of a normalised convolution, whose `weight` is the direction: lengths of the filters */
  lengths?: Variable;
}

function convolution(place: Place, name: string, shape: [number, number, number], normed = false): Weights {
  const [outputs, inputs, kernelSize] = shape;
  const pytorch = place.convention === 'pytorch';
  const spread = uniform(1 / Math.sqrt(inputs * kernelSize));
  const glorot = uniform(Math.sqrt(6 / ((inputs + outputs) * kernelSize)));
  const weight = place.variable(`${name}.weight${normed ? '_v' : ''}`, shape, pytorch ? spread : glorot);
  const bias = place.variable(`${name}.bias`, [outputs], pytorch ? spread : zeros);
  if (!normed) return { weight, bias };
  const lengths = filterLengths(weight.dataSync() as Float32Array, outputs);
  return { weight, bias, lengths: place.variable(`${name}.weight_g`, [outputs, 1, 1], () => lengths) };
}

/** ‖v‖ of each output's filter. */
function filterLengths(v: Float32Array, outputs: number): Float32Array {
  const size = v.length / outputs;
  return Float32Array.from({ length: outputs }, (_, o) =>
    Math.sqrt(v.subarray(o * size, (o + 1) * size).reduce((sum, value) => sum + value * value, 0)),
  );
}

function weightsOf({ weight, bias, lengths }: Weights): [weight: Tensor, bias: Tensor] {
  return [lengths ? normalised(weight, lengths) : weight, bias];
}

/** g v / ‖v‖ */
function normalised(v: Variable, g: Variable): Tensor {
  const outputs = g.size;
  const size = v.size / outputs;
  return computed(
    [v, g],
    v.shape,
    (v, g) => {
      const norms = filterLengths(v, outputs);
      const weight = newFloats(v.length);
      for (let i = 0; i < v.length; i++) {
        const o = Math.floor(i / size);
        weight[i] = (v[i]! * g[o]!) / norms[o]!;
      }
      return weight;
    },
    (dw, v, g) => {
      const norms = filterLengths(v, outputs);
      const [dv, dg] = [newFloats(v.length), newFloats(outputs)];
      for (let o = 0; o < outputs; o++) {
        let along = 0;
        for (let i = o * size; i < (o + 1) * size; i++) along += dw[i]! * v[i]!;
        dg[o] = along / norms[o]!;
        for (let i = o * size; i < (o + 1) * size; i++)
          dv[i] = (g[o]! / norms[o]!) * (dw[i]! - (along * v[i]!) / (norms[o]! * norms[o]!));
      }
      return [dv, dg];
    },
  );
}

/** A convolution of one tap is a matrix. */
function pointwise(x: Tensor3D, { weight, bias }: Weights): Tensor3D {
  return dense(x, reshape(weight, weight.shape.slice(0, 2)), bias);
}
