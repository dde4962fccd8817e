// SRU: T. Lei, Y. Zhang, Y. Artzi, 2017, https://arxiv.org/abs/1709.02755v1: no gate reads c.
//
//   f = σ(W_f x_t + b_f),  r = σ(W_r x_t + b_r)
//   c_t = f ⊙ c_{t-1} + (1 - f) ⊙ W x_t
//   y_t = r ⊙ tanh(c_t) + (1 - r) ⊙ x_t      highway.weight x_t where the width changes
//
// Shapes: x_t (B, I), c (B, H), matrices (H, I). Initial values: as a dense layer of the convention.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { f, formula } from '../engine/formula.ts';
import { applied } from '../engine/kernels/formula.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel, projection, type Sequence } from './linear-recurrence.ts';
import { scanned } from './min-gru.ts';

export function buildSru(layer: LayerOf<'sru'>, place: Place): BuiltLayer {
  const { units } = layer;
  const inputs = place.input.width;
  const hidden = projection(place, 'hidden', units, inputs, { bias: false });
  const [forget, reset] = ['forget', 'reset'].map(name => projection(place, name, units, inputs));
  const around: Sequence =
    inputs === units ? x => x : projection(place, 'highway', units, inputs, { bias: false });
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    states: [{ name: `${place.name}.h`, size: units }],
    forward(input, pass) {
      const x = input as Tensor3D;
      const [a, b] = applied<Tensor3D>(steps, [forget!(x), hidden(x)]);
      const c = scanned({ a: a!, b: b! }, place, pass);
      return applied<Tensor3D>(outputs, [reset!(x), c, around(x)])[0]!;
    },
  };
}

const steps = formula(2, (forget, hidden) => {
  const share = f.sigmoid(forget);
  return [share, f.mul(f.sub(1, share), hidden)];
});
const outputs = formula(3, (reset, c, around) => {
  const r = f.sigmoid(reset);
  return [f.add(f.mul(r, f.tanh(c)), f.mul(f.sub(1, r), around))];
});
