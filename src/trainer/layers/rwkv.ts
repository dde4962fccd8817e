// RWKV-7, its time mixing: B. Peng et al., 2025, https://arxiv.org/abs/2503.14456.
//
//   x_r = x_t + μ_r ⊙ (x_{t-1} - x_t), and so for w, k, v, a, g
//   r, k, v = W_r x_r, W_k x_k, W_v x_v
//   w = exp(-e^(-1/2) σ(w_out tanh(w_in x_w))),  a = σ(a_out a_in x_a),  g = g_out σ(g_in x_g)
//   κ = (k ⊙ k_k) / its length by heads,  k̃ = k ⊙ (1 + (a - 1) ⊙ k_a)
//   S_t = S_{t-1} (diag(w) - κ (a ⊙ κ)ᵀ) + v k̃ᵀ
//   y = W_o ((norm(S_t r) + (Σ r k̃ r_k) v) ⊙ g)      norm: of each head, with a weight and a bias of each unit
//
// Shapes: x (T, B, I), r, k, v (U, I), *_in (rank, I), *_out (U, rank), mixes μ (I), k_k, k_a, r_k (U), out (U, U),
// S (B, H, V, K) with K = V = U/H; the last input is carried as well. Residual values between layers are left out.
// Initial values: μ, k_k and k_a 0.5, 1 and 1, r_k 0, norm 1 and 0, the rest as a dense layer of the convention.
import {
  add,
  exp,
  mul,
  neg,
  ones as onesOf,
  reshape,
  sub,
  type Tensor3D,
  zeros as zerosOf,
} from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { glance } from '../engine/storage.ts';
import { delayed, gathered, normalisedRows, scaled, spread } from './by-channel.ts';
import { type Initializer, ones, zeros } from './initial.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { ownLevel, projection } from './linear-recurrence.ts';
import { activation, layerNorm } from './operations.ts';
import { headsIn, remembered } from './remembered.ts';

const NORM_EPSILON = 64e-5;
const KEY_EPSILON = 1e-12;

export function buildRwkv(layer: LayerOf<'rwkv'>, place: Place): BuiltLayer {
  const { units, rank } = layer;
  const { heads, size } = headsIn(layer, units, place);
  const inputs = place.input.width;
  const [muR, muW, muK, muV, muA, muG] = ['r', 'w', 'k', 'v', 'a', 'g'].map(name =>
    place.variable(`mix_${name}`, [inputs], half),
  );
  const [r, k, v] = ['r', 'k', 'v'].map(name => projection(place, name, units, inputs, { bias: false }));
  const [wIn, aIn, gIn] = ['w', 'a', 'g'].map(name =>
    projection(place, `${name}_in`, rank, inputs, { bias: false }),
  );
  const [wOut, aOut] = ['w', 'a'].map(name => projection(place, `${name}_out`, units, rank));
  const gOut = projection(place, 'g_out', units, rank, { bias: false });
  const ofUnits = (name: string, initial: Initializer) => place.variable(name, [units], initial);
  const [keyScale, keyRate, bonus] = [ofUnits('k_k', ones), ofUnits('k_a', ones), ofUnits('r_k', zeros)];
  const [weight, bias] = [ofUnits('norm.weight', ones), ofUnits('norm.bias', zeros)];
  const out = projection(place, 'out', units, units, { bias: false });
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    states: [
      { name: `${place.name}.S`, size: units * size },
      { name: `${place.name}.x`, size: inputs },
    ],
    forward(input, pass) {
      const x = input as Tensor3D;
      const change = sub(previous(x, `${place.name}.x`, pass), x) as Tensor3D;
      const mixed = (mu: typeof muR) => add(x, scaled(change, mu!)) as Tensor3D;
      const rate = activation('sigmoid', aOut!(aIn!(mixed(muA))));
      const logDecay = mul(
        activation('sigmoid', wOut!(activation('tanh', wIn!(mixed(muW))))),
        -Math.exp(-0.5),
      );
      const gate = gOut(activation('sigmoid', gIn!(mixed(muG))));
      const key = k!(mixed(muK));
      const kappa = normalisedRows(scaled(key, keyScale), size, KEY_EPSILON, false);
      const written = add(key, mul(key, scaled(sub(rate, 1), keyRate))) as Tensor3D;
      const operands = {
        q: r!(mixed(muR)),
        k: written,
        v: v!(mixed(muV)),
        decay: exp(logDecay) as Tensor3D,
        a: neg(kappa),
        b: mul(kappa, rate) as Tensor3D,
      };
      const o = remembered(operands, { heads, update: 'general' }, place, pass);
      const [T, B] = x.shape;
      const byHeads = reshape(o, [T, B * heads, size]) as Tensor3D;
      const normed = layerNorm(byHeads, onesOf([size]), zerosOf([size]), NORM_EPSILON);
      const read = add(scaled(reshape(normed, [T, B, units]), weight), bias);
      const each = onesOf([1, heads, size]);
      const own = gathered(scaled(mul(operands.q, written), bonus), each);
      return out(mul(add(read, mul(spread(own, each), operands.v)), gate));
    },
  };
}

const half: Initializer = shape => new Float32Array(shape[0]!).fill(0.5);

/** x_{t-1}, with the state of this name before the first step. */
function previous(x: Tensor3D, name: string, pass: Pass): Tensor3D {
  const [T, B, width] = x.shape;
  const before = pass.state(name) ?? new Float32Array(B * width);
  const kept = Float32Array.from(before);
  const values = glance(x);
  for (let b = 0; b < B; b++) {
    const last = (pass.options.lengths?.[b] ?? T) - 1;
    const at = (last * B + b) * width;
    if (last >= 0) kept.set(values.subarray(at, at + width), b * width);
  }
  pass.keep(name, kept);
  return delayed(x, before);
}
