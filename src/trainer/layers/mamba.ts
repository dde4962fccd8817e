// Mamba: A. Gu, T. Dao, 2023, https://arxiv.org/abs/2312.00752.
//
//   x, z = W x, W_z x;  x = silu(conv(x))
//   Δ = softplus(W_2 W_1 x + b),  B = W_B x,  C = W_C x
//   h_t = exp(Δ A) ⊙ h_{t-1} + Δ x B      A = -exp(A_log), of each channel
//   y = W_o ((h_t C + D ⊙ x) ⊙ silu(z))
//
// Shapes: x (T, B, I), inner width E = expand·U: x, gate (E, I), dt_in (R, E), dt (E, R), B, C (N, E), A_log (E, N), D (E),
// out (U, E), h (B, E, N). conv is causal, of each channel by itself, over `convSize` steps (1: none). Initial values:
// A_log = log(1 … N), softplus(b) log-uniform in 0.001 … 0.1, D 1, matrices as a dense layer of the convention.
import { exp, neg, type Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { rankOf } from '../../experiment/layers/mamba.ts';
import { selectiveScan } from '../engine/kernels/scan.ts';
import { softplus } from './by-channel.ts';
import { stepBias } from './gated-deltanet.ts';
import { ones } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { keepState, ownLevel, projection, siluGated, stateIn } from './linear-recurrence.ts';
import { convolvedProjection } from './remembered.ts';

export function buildMamba(layer: LayerOf<'mamba'>, place: Place): BuiltLayer {
  const { units, stateSize: N, expand, convSize } = layer;
  const E = expand * units;
  const rank = rankOf(layer);
  const read = convolvedProjection(place, 'x', E, convSize);
  const gate = projection(place, 'gate', E, place.input.width, { bias: false });
  const dtIn = projection(place, 'dt_in', rank, E, { bias: false });
  const dt = projection(place, 'dt', E, rank, { initialBias: stepBias });
  const [B, C] = ['B', 'C'].map(each => projection(place, each, N, E, { bias: false }));
  const aLog = place.variable('A_log', [E, N], () =>
    Float32Array.from({ length: E * N }, (_, i) => Math.log(1 + (i % N))),
  );
  const skip = place.variable('D', [E], ones);
  const out = projection(place, 'out', units, E, { bias: false });
  const name = `${place.name}.h`;
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    states: [{ name, size: E * N }, ...read.states],
    forward(input, pass) {
      const x = read.apply(input as Tensor3D, pass);
      const h0 = stateIn(pass, name, [x.shape[1], E, N]);
      const operands = { x, delta: softplus(dt(dtIn(x))), a: neg(exp(aLog)), b: B!(x), c: C!(x), skip };
      const { y, hN } = selectiveScan(
        { ...operands, ...(h0 && { h0 }) },
        { lengths: pass.options.lengths, onReport: pass.report(place.name) },
      );
      keepState(pass, name, hN);
      return out(siluGated(y, gate(input as Tensor3D)));
    },
  };
}
