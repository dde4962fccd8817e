// RG-LRU: S. De et al., 2024 (Griffin), https://arxiv.org/abs/2402.19427.
//
//   u = W x_t + b
//   r = σ(W_r u + b_r),  i = σ(W_i u + b_i)
//   a = exp(-8 softplus(Lambda) r)
//   h_t = a ⊙ h_{t-1} + √(1 - a²) ⊙ (i ⊙ u)
//
// Shapes: x_t (B, I), u, h (B, H), recurrence_gate and input_gate (H, H), where Griffin's are block-diagonal, Lambda (H).
// Griffin's block has a convolution before and a gate beside it. With r → 0 the state stays. Initial values: exp(-8
// softplus(Lambda)) uniform in 0.9 … 0.999, matrices as a dense layer of the convention.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { f, formula } from '../engine/formula.ts';
import { applied } from '../engine/kernels/formula.ts';
import type { Initializer } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel, projection } from './linear-recurrence.ts';
import { scanned } from './min-gru.ts';

const SHARPNESS = 8;

export function buildRgLru(layer: LayerOf<'rg-lru'>, place: Place): BuiltLayer {
  const { units } = layer;
  const input = projection(place, 'input', units, place.input.width);
  const recurrenceGate = projection(place, 'recurrence_gate', units, units);
  const inputGate = projection(place, 'input_gate', units, units);
  const lambda = place.variable('Lambda', [units], slowDecays);
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    states: [{ name: `${place.name}.h`, size: units }],
    forward(x, pass) {
      const u = input(x as Tensor3D);
      const [rate] = applied(rates, [lambda]);
      const [a, b] = applied<Tensor3D>(steps, [u, recurrenceGate(u), inputGate(u), rate!]);
      return scanned({ a: a!, b: b! }, place, pass);
    },
  };
}

/** For 1 in 1 - a², two roundings more: where a is 1 the slope of the root is 1024, as the authors bound it, and not infinite. */
const ABOVE_ONE = 1 + 2 ** -22;
/** log a at a recurrence gate of 1, of each unit: apart from the steps, so that it is computed once. */
const rates = formula(1, lambda => [f.mul(-SHARPNESS, f.softplus(lambda))]);
const steps = formula(4, (u, recurrence, input, rate) => {
  const a = f.exp(f.mul(f.sigmoid(recurrence), rate));
  return [a, f.mul(f.sqrt(f.affine(f.mul(a, a), -1, ABOVE_ONE)), f.mul(f.sigmoid(input), u))];
});

const slowDecays: Initializer = ([size], random) =>
  Float32Array.from({ length: size! }, () =>
    Math.log(Math.expm1(-Math.log(0.9 + 0.099 * random.uniform()) / SHARPNESS)),
  );
