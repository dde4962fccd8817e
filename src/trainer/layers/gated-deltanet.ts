// Gated DeltaNet: S. Yang, J. Kautz, A. Hatamizadeh, 2024, https://arxiv.org/abs/2412.06464.
//
//   q, k, v = silu(conv(W x))      q and k divided by their lengths, by heads; β = σ(W_β x), a number of each head
//   α = exp(-exp(A_log) softplus(W_α x + b_α))
//   S_t = α S_{t-1} (I - β k kᵀ) + β v kᵀ
//   y = W_o (norm(S_t q / √K) ⊙ silu(W_g x))
//
// Shapes: x (T, B, I), q, k, v, gate (U, I), beta, decay (H, I), A_log (H), out (U, U), S (B, H, V, K) with K = V = U/H.
// With α = 1 it is DeltaNet. Initial values: exp(A_log) uniform in 1 … 16, softplus(b_α) log-uniform in 0.001 … 0.1,
// as Mamba-2's; matrices as a dense layer of the convention, norm 1.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { f, formula } from '../engine/formula.ts';
import { applied } from '../engine/kernels/formula.ts';
import { headsOfLength } from './deltanet.ts';
import type { Initializer } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel, projection, siluGated } from './linear-recurrence.ts';
import { activation } from './operations.ts';
import { convolvedProjection, headNorm, headsIn, remembered } from './remembered.ts';

export function buildGatedDeltanet(layer: LayerOf<'gated-deltanet'>, place: Place): BuiltLayer {
  const { units, convSize } = layer;
  const { heads, size } = headsIn(layer, units, place);
  const [q, k, v] = ['q', 'k', 'v'].map(name => convolvedProjection(place, name, units, convSize));
  const inputs = place.input.width;
  const beta = projection(place, 'beta', heads, inputs, { bias: false });
  const decay = projection(place, 'decay', heads, inputs, { initialBias: stepBias });
  const aLog = place.variable('A_log', [heads], logUpTo16);
  const gate = projection(place, 'gate', units, inputs, { bias: false });
  const norm = headNorm(place, 'norm', size);
  const ofUnitLength = headsOfLength(size);
  const out = projection(place, 'out', units, units, { bias: false });
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    states: [
      { name: `${place.name}.S`, size: units * size },
      ...[q!, k!, v!].flatMap(({ states }) => states),
    ],
    forward(input, pass) {
      const x = input as Tensor3D;
      const operands = {
        q: ofUnitLength(q!.apply(x, pass), 1 / Math.sqrt(size)),
        k: ofUnitLength(k!.apply(x, pass), 1),
        v: v!.apply(x, pass),
        decay: applied<Tensor3D>(decays, [decay(x), aLog])[0]!,
        strength: activation('sigmoid', beta(x)),
      };
      const o = remembered(operands, { heads, update: 'delta' }, place, pass);
      return out(siluGated(norm(o), gate(x)));
    },
  };
}

const decays = formula(2, (rate, aLog) => [f.exp(f.neg(f.mul(f.softplus(rate), f.exp(aLog))))]);

/** log of uniform in 1 … 16 (Mamba-2). */
export const logUpTo16: Initializer = ([size], random) =>
  Float32Array.from({ length: size! }, () => Math.log(1 + 15 * random.uniform()));

/** Biases whose softplus is log-uniform in 0.001 … 0.1 (Mamba). */
export const stepBias: Initializer = ([size], random) =>
  Float32Array.from({ length: size! }, () => {
    const step = Math.exp(Math.log(0.001) + random.uniform() * Math.log(100));
    return Math.log(Math.expm1(step));
  });
