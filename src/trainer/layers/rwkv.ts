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
import { ones as onesOf, reshape, type Tensor3D, zeros as zerosOf } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { f, formula } from '../engine/formula.ts';
import { applied } from '../engine/kernels/formula.ts';
import { glance } from '../engine/storage.ts';
import { delayed, gathered, normalisedRows, spread } from './by-channel.ts';
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
      const before = previous(x, `${place.name}.x`, pass);
      const [xR, xK, xV] = applied<Tensor3D>(mixes, [x, before, muR!, muK!, muV!]);
      const [xW, xA, xG] = applied<Tensor3D>(mixes, [x, before, muW!, muA!, muG!]);
      const key = k!(xK!);
      const gate = gOut(activation('sigmoid', gIn!(xG!)));
      const logits = [aOut!(aIn!(xA!)), wOut!(activation('tanh', wIn!(xW!)))];
      const [rate, decay, scaled, written] = applied<Tensor3D>(steps, [...logits, key, keyScale, keyRate]);
      const kappa = normalisedRows(scaled!, null, { width: size, share: 1, epsilon: KEY_EPSILON });
      const [a, b] = applied<Tensor3D>(turns, [kappa, rate!]);
      const operands = { q: r!(xR!), k: written!, v: v!(xV!), decay: decay!, a: a!, b: b! };
      const o = remembered(operands, { heads, update: 'general' }, place, pass);
      const [T, B] = x.shape;
      const byHeads = reshape(o, [T, B * heads, size]) as Tensor3D;
      const normed = layerNorm(byHeads, onesOf([size]), zerosOf([size]), NORM_EPSILON);
      const each = onesOf([1, heads, size]);
      const own = gathered(applied<Tensor3D>(products, [operands.q, operands.k, bonus])[0]!, each);
      const read = [reshape(normed, [T, B, units]), spread(own, each), operands.v, gate];
      return out(applied<Tensor3D>(outputs, [...read, weight, bias])[0]!);
    },
  };
}

const mixes = formula(5, (x, before, ...mu) => mu.map(share => f.add(x, f.mul(f.sub(before, x), share))));
/** Rate a, decay w, k ⊙ k_k and k̃. */
const steps = formula(5, (rateLogit, decayLogit, key, keyScale, keyRate) => {
  const rate = f.sigmoid(rateLogit);
  const decay = f.exp(f.mul(-Math.exp(-0.5), f.sigmoid(decayLogit)));
  return [rate, decay, f.mul(key, keyScale), f.add(key, f.mul(f.mul(key, f.sub(rate, 1)), keyRate))];
});
const turns = formula(2, (kappa, rate) => [f.neg(kappa), f.mul(kappa, rate)]);
const products = formula(3, (q, k, bonus) => [f.mul(f.mul(q, k), bonus)]);
const outputs = formula(6, (normed, own, v, gate, weight, bias) => [
  f.mul(f.add(f.add(f.mul(normed, weight), bias), f.mul(own, v)), gate),
]);

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
