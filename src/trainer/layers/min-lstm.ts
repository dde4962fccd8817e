// minLSTM: L. Feng et al., 2024, https://arxiv.org/abs/2410.01201.
//
//   f = σ(W_f x_t + b_f),  i = σ(W_i x_t + b_i),  f' = f / (f + i),  i' = i / (f + i)
//   h_t = f' ⊙ h_{t-1} + i' ⊙ c      c = W_h x_t + b_h, or g of it as in minGRU
//
// f' = σ(log f - log i), and log σ(a) = -softplus(-a), so that no quotient of small numbers is taken. Shapes: x_t (B, I),
// h (B, H), matrices (H, I). Initial values: as a dense layer of the convention.
import { mul, neg, sub, type Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { positiveCandidate, softplus } from './by-channel.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel, projection } from './linear-recurrence.ts';
import { scanned } from './min-gru.ts';
import { activation } from './operations.ts';

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
      const logit = sub(softplus(neg(input!(x))), softplus(neg(forget!(x)))) as Tensor3D;
      const c = candidate === 'positive' ? positiveCandidate(hidden!(x)) : hidden!(x);
      const b = mul(activation('sigmoid', neg(logit)), c) as Tensor3D;
      return scanned({ a: activation('sigmoid', logit), b }, place, pass);
    },
  };
}
