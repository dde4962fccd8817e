// Mamba-2: T. Dao, A. Gu, 2024, https://arxiv.org/abs/2405.21060.
//
//   x, B, C = silu(conv(W x))      Δ = softplus(W_Δ x + b),  α = exp(-exp(A_log) Δ), of each head
//   S_t = α S_{t-1} + Δ x Bᵀ
//   y = W_o norm((S_t C + D x) ⊙ silu(W_z x))
//
// Shapes: x (T, B, I), inner width E = expand·U, which the H heads share: x, gate (E, I), B, C (N, I), which all heads
// share, dt (H, I), A_log, D (H), norm (E), out (U, E), S (B, H, E/H, N). Initial values: exp(A_log) uniform in 1 … 16,
// softplus(b) log-uniform in 0.001 … 0.1, D and norm 1, matrices as a dense layer of the convention.
import { mul, ones as onesOf, reshape, type Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { f, formula } from '../engine/formula.ts';
import { applied } from '../engine/kernels/formula.ts';
import { normalisedRows, repeated } from './by-channel.ts';
import { logUpTo16, stepBias } from './gated-deltanet.ts';
import { ones } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel, projection } from './linear-recurrence.ts';
import { convolvedProjection, headsIn, remembered } from './remembered.ts';

const EPSILON = 1e-5;

export function buildMamba2(layer: LayerOf<'mamba2'>, place: Place): BuiltLayer {
  const { units, stateSize: N, expand, convSize } = layer;
  const E = expand * units;
  const { heads, size } = headsIn(layer, E, place);
  const inputs = place.input.width;
  const readX = convolvedProjection(place, 'x', E, convSize);
  const [B, C] = ['B', 'C'].map(name => convolvedProjection(place, name, N, convSize));
  const gate = projection(place, 'gate', E, inputs, { bias: false });
  const dt = projection(place, 'dt', heads, inputs, { initialBias: stepBias });
  const aLog = place.variable('A_log', [heads], logUpTo16);
  const skip = place.variable('D', [heads], ones);
  const norm = place.variable('norm.weight', [E], ones);
  const out = projection(place, 'out', units, E, { bias: false });
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    states: [{ name: `${place.name}.S`, size: E * N }, ...[readX, B!, C!].flatMap(({ states }) => states)],
    forward(input, pass) {
      const x = input as Tensor3D;
      const v = readX.apply(x, pass);
      const [delta, decay] = applied<Tensor3D>(steps, [dt(x), aLog]);
      const operands = {
        q: repeated(C!.apply(x, pass), heads),
        k: repeated(B!.apply(x, pass), heads),
        v,
        decay: decay!,
        strength: delta!,
      };
      const o = remembered(operands, { heads }, place, pass);
      const through = reshape(mul(reshape(skip, [heads, 1]), onesOf([heads, size])), [E]);
      const [read] = applied<Tensor3D>(outputs, [o, v, gate(x), through]);
      return out(normalisedRows(read!, norm, { width: E, share: 1 / E, epsilon: EPSILON }));
    },
  };
}

/** Δ and the decay α. */
const steps = formula(2, (dt, aLog) => {
  const delta = f.softplus(dt);
  return [delta, f.exp(f.neg(f.mul(delta, f.exp(aLog))))];
});
const outputs = formula(4, (o, v, gate, skip) => [f.mul(f.add(o, f.mul(v, skip)), f.silu(gate))]);
