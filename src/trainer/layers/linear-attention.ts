// Linear attention: A. Katharopoulos et al., 2020, https://arxiv.org/abs/2006.16236.
//
//   q, k = 1 + elu(W x), v = W_v x      by heads
//   S_t = S_{t-1} + v kᵀ,  n_t = n_{t-1} + k
//   y = W_o (S_t q / n_t · q)
//
// Shapes: x (T, B, I), q, k, v (U, I), out (U, U), S with n as its last row (B, H, V + 1, K), K = V = U/H. Initial
// values: matrices as a dense layer of the convention.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { f, formula } from '../engine/formula.ts';
import { applied } from '../engine/kernels/formula.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel, projection } from './linear-recurrence.ts';
import { headsIn, remembered } from './remembered.ts';

const LEAST = 1e-6;

/** 1 + elu(a), which is positive. */
const features = formula(2, (q, k) => [q, k].map(a => f.add(f.relu(a), f.atMost(f.exp(a), 1))));

export function buildLinearAttention(layer: LayerOf<'linear-attention'>, place: Place): BuiltLayer {
  const { units } = layer;
  const { heads, size } = headsIn(layer, units, place);
  const [q, k, v] = ['q', 'k', 'v'].map(name =>
    projection(place, name, units, place.input.width, { bias: false }),
  );
  const out = projection(place, 'out', units, units, { bias: false });
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    states: [{ name: `${place.name}.S`, size: units * (size + 1) }],
    forward(input, pass) {
      const x = input as Tensor3D;
      const [queries, keys] = applied<Tensor3D>(features, [q!(x), k!(x)]);
      const operands = { q: queries!, k: keys!, v: v!(x) };
      return out(remembered(operands, { heads, normalised: true, floor: LEAST }, place, pass));
    },
  };
}
