// mLSTM: M. Beck et al., 2024 (xLSTM), https://arxiv.org/abs/2405.04517.
//
//   i = exp(W_i x_t + b_i),  f = σ(W_f x_t + b_f), of each head;  o = σ(W_o x_t + b_o)
//   C_t = f C_{t-1} + i v kᵀ,  n_t = f n_{t-1} + i k
//   y_t = o ⊙ C_t q / max(|n_t · q|, 1)      q divided by √K
//
// Shapes: x_t (B, I), q, k, v, o (U, I), i, f (H, I), C with n as its last row (B, H, V + 1, K), K = V = U/H, and the
// stabiliser m (B, H), which changes no output. Initial values: b_f from 3 to 6 over the heads, b_i 0, the others as a
// dense layer of the convention.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { f, formula } from '../engine/formula.ts';
import { applied } from '../engine/kernels/formula.ts';
import { times } from './by-channel.ts';
import { type Initializer, zeros } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel, projection, sigmoidGated } from './linear-recurrence.ts';
import { headsIn, remembered } from './remembered.ts';

export function buildMLstm(layer: LayerOf<'m-lstm'>, place: Place): BuiltLayer {
  const { units } = layer;
  const { heads, size } = headsIn(layer, units, place);
  const inputs = place.input.width;
  const [q, k, v, output] = ['q', 'k', 'v', 'output_gate'].map(name =>
    projection(place, name, units, inputs),
  );
  const scale = times(1 / Math.sqrt(size));
  const input = projection(place, 'input_gate', heads, inputs, { initialBias: zeros });
  const forget = projection(place, 'forget_gate', heads, inputs, { initialBias: fromThreeToSix });
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    states: [
      { name: `${place.name}.S`, size: units * (size + 1) },
      { name: `${place.name}.m`, size: heads },
    ],
    forward(read, pass) {
      const x = read as Tensor3D;
      const operands = {
        q: scale(q!(x)),
        k: k!(x),
        v: v!(x),
        decay: applied<Tensor3D>(logDecay, [forget(x)])[0]!,
        strength: input(x),
      };
      const o = remembered(operands, { heads, normalised: true, exponential: true }, place, pass);
      return sigmoidGated(o, output!(x));
    },
  };
}

// log σ(a) = -softplus(-a)
const logDecay = formula(1, a => [f.neg(f.softplus(f.neg(a)))]);

/** The paper's forget biases. */
const fromThreeToSix: Initializer = ([heads]) =>
  Float32Array.from({ length: heads! }, (_, h) => 3 + (heads! > 1 ? (3 * h) / (heads! - 1) : 0));
