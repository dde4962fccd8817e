// Layer normalisation of every step: J. L. Ba, J. R. Kiros, G. E. Hinton, 2016, https://arxiv.org/abs/1607.06450.
//
//   y = (x - mean(x)) / √(variance(x) + ε) ⊙ weight + bias      over the D numbers of a step, variance biased
//
// Shapes: x and y (T, B, D), weight and bias (D), ones and zeros at first in every convention. ε: PyTorch 1e-5 (here
// too), Keras and tfjs 1e-3.
import type { Tensor3D, Variable } from '@tensorflow/tfjs-core';
import type { Layer } from '../../experiment/schema.ts';
import { ones, zeros } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { layerNorm } from './operations.ts';

export function buildLayerNorm(layer: Extract<Layer, { type: 'layer-norm' }>, place: Place): BuiltLayer {
  const norm = normIn(place, '', layer.epsilon);
  return {
    output: { ...place.input, kind: 'vectors', learned: true },
    forward: x => norm(x as Tensor3D),
  };
}

/** A normalisation of its own variables, "<prefix>weight" and "<prefix>bias". */
export function normIn(place: Place, prefix: string, epsilon: number): (x: Tensor3D) => Tensor3D {
  const { width } = place.input;
  const weight: Variable = place.variable(`${prefix}weight`, [width], ones);
  const bias: Variable = place.variable(`${prefix}bias`, [width], zeros);
  return x => layerNorm(x, weight, bias, epsilon);
}
