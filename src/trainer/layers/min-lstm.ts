// minLSTM: L. Feng et al., 2024, https://arxiv.org/abs/2410.01201.
//
//   f = σ(W_f x_t + b_f),  i = σ(W_i x_t + b_i),  f' = f / (f + i),  i' = i / (f + i)
//   h_t = f' ⊙ h_{t-1} + i' ⊙ c      c = W_h x_t + b_h, or g of it as in minGRU
//
// Shapes: x_t (B, I), h (B, H), matrices (H, I). Initial values: as a dense layer of the convention.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { type Expression, f, formula } from '../engine/formula.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel, projection } from './linear-recurrence.ts';
import { candidates, gated } from './min-gru.ts';

export function buildMinLstm(layer: LayerOf<'min-lstm'>, place: Place): BuiltLayer {
  const { units, candidate } = layer;
  const [forget, input, hidden] = ['forget', 'input', 'hidden'].map(name =>
    projection(place, name, units, place.input.width),
  );
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    states: [{ name: `${place.name}.h`, size: units }],
    forward(read, pass) {
      const x = read as Tensor3D;
      const inputs = { forget: forget!(x), input: input!(x), hidden: hidden!(x) };
      return gated(inputs, steps[candidate], candidate, place, pass);
    },
  };
}

const LARGEST_EXPONENT = 87;

const stepsOf = (candidate: keyof typeof candidates) =>
  formula(3, (forget, input, hidden) => {
    // σ(f) / (σ(f) + σ(i)) = (1 + e^-i) / (2 + e^-f + e^-i), terms that float32 has up to e^87 each
    const inverse = (sum: Expression) => f.add(f.exp(f.atMost(f.neg(sum), LARGEST_EXPONENT)), 1);
    const [ofForget, ofInput] = [inverse(forget), inverse(input)];
    const a = f.div(ofInput, f.add(ofForget, ofInput));
    return [a, f.mul(f.sub(1, a), candidates[candidate](hidden))];
  });
const steps = { linear: stepsOf('linear'), positive: stepsOf('positive') };
