// Highway layers: R. K. Srivastava, K. Greff, J. Schmidhuber, 2015, https://arxiv.org/abs/1505.00387.
//
//   g = σ(W_g x + b_g)      y = g ⊙ φ(W x + b) + (1 - g) ⊙ x
//
// Shapes: x and y (T, B, D); of each level transform and gate, weight (D, D) and bias (D), PyTorch's layout.
// Initial values: PyTorch uniform ±1/√D for weights and the transform's bias; Keras and tfjs Glorot-uniform weights and
// zero biases. The gate's bias is `gateBias`, which the paper takes below 0.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { newFloats } from '../engine/pool.ts';
import { computed } from './by-channel.ts';
import { glorotUniform, type Initializer, uniform, zeros } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { activation, dense } from './operations.ts';

export function buildHighway(layer: LayerOf<'highway'>, place: Place): BuiltLayer {
  const levels = Array.from({ length: layer.layers }, (_, level) => levelOf(layer, place, level));
  return {
    output: { ...place.input, kind: 'vectors', learned: true },
    forward: x => levels.reduce((y, level) => level(y), x as Tensor3D),
  };
}

function levelOf(layer: LayerOf<'highway'>, place: Place, level: number): (x: Tensor3D) => Tensor3D {
  const { width } = place.input;
  const pytorch = place.convention === 'pytorch';
  const spread = uniform(1 / Math.sqrt(width));
  const affine = (name: string, bias: Initializer) => ({
    weight: place.variable(`${level}.${name}.weight`, [width, width], pytorch ? spread : glorotUniform),
    bias: place.variable(`${level}.${name}.bias`, [width], bias),
  });
  const transform = affine('transform', pytorch ? spread : zeros);
  const gate = affine('gate', ([size]) => new Float32Array(size!).fill(layer.gateBias));
  return x => {
    const h = activation(layer.activation, dense(x, transform.weight, transform.bias));
    return mixed(activation('sigmoid', dense(x, gate.weight, gate.bias)), h, x);
  };
}

/** g ⊙ h + (1 - g) ⊙ x. */
function mixed(g: Tensor3D, h: Tensor3D, x: Tensor3D): Tensor3D {
  return computed(
    [g, h, x],
    x.shape,
    (g, h, x) => {
      const y = newFloats(x.length);
      for (let i = 0; i < x.length; i++) y[i] = x[i]! + g[i]! * (h[i]! - x[i]!);
      return y;
    },
    (dy, g, h, x) => {
      const [dg, dh, dx] = [newFloats(x.length), newFloats(x.length), newFloats(x.length)];
      for (let i = 0; i < x.length; i++) {
        dg[i] = dy[i]! * (h[i]! - x[i]!);
        dh[i] = dy[i]! * g[i]!;
        dx[i] = dy[i]! * (1 - g[i]!);
      }
      return [dg, dh, dx];
    },
  ) as Tensor3D;
}
