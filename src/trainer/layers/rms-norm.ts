// Root mean square normalisation of every step: B. Zhang, R. Sennrich, 2019, https://arxiv.org/abs/1910.07467.
//
//   y = x / √(mean(x²) + ε) ⊙ weight      over the D numbers of a step
//
// Shapes: x and y (T, B, D), weight (D), ones at first in every convention. ε: Keras 1e-6 (here too), PyTorch the
// smallest step of float32 at 1, 1.2e-7.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { normalisedRows } from './by-channel.ts';
import { ones } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';

export function buildRmsNorm({ epsilon }: LayerOf<'rms-norm'>, place: Place): BuiltLayer {
  const { width } = place.input;
  const weight = place.variable('weight', [width], ones);
  return {
    output: { ...place.input, kind: 'vectors', learned: true },
    forward: x => normalisedRows(x as Tensor3D, weight, { width, share: 1 / width, epsilon }),
  };
}
