// Gated linear attention: S. Yang et al., 2023, https://arxiv.org/abs/2312.06635.
//
//   α = σ(W_2 W_1 x + b)^(1/16)      of each key channel
//   S_t = S_{t-1} diag(α) + v kᵀ
//   y = W_o (norm(S_t q / √K) ⊙ silu(W_g x))
//
// Shapes: x (T, B, I), q, k, v, gate (U, I), decay_in (rank, I), decay_out (U, rank), out (U, U), S (B, H, V, K) with
// K = V = U/H, where the paper's keys are half as wide; norm: root mean square of a head. Initial values: matrices as a
// dense layer of the convention, norm 1.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { f, formula } from '../engine/formula.ts';
import { applied } from '../engine/kernels/formula.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel, projection, siluGated } from './linear-recurrence.ts';
import { headNorm, headsIn, remembered } from './remembered.ts';

const ROOT = 16;

// log σ(a) = -softplus(-a)
const decays = formula(1, a => [f.exp(f.mul(-1 / ROOT, f.softplus(f.neg(a))))]);

export function buildGla(layer: LayerOf<'gla'>, place: Place): BuiltLayer {
  const { units, rank } = layer;
  const { heads, size } = headsIn(layer, units, place);
  const inputs = place.input.width;
  const [q, k, v, gate] = ['q', 'k', 'v', 'gate'].map(name => {
    const scale = name === 'q' ? { scale: 1 / Math.sqrt(size) } : {};
    return projection(place, name, units, inputs, { bias: false, ...scale });
  });
  const decayIn = projection(place, 'decay_in', rank, inputs, { bias: false });
  const decayOut = projection(place, 'decay_out', units, rank);
  const norm = headNorm(place, 'norm', size);
  const out = projection(place, 'out', units, units, { bias: false });
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    states: [{ name: `${place.name}.S`, size: units * size }],
    forward(input, pass) {
      const x = input as Tensor3D;
      const operands = {
        q: q!(x),
        k: k!(x),
        v: v!(x),
        decay: applied<Tensor3D>(decays, [decayOut(decayIn(x))])[0]!,
      };
      return out(siluGated(norm(remembered(operands, { heads }, place, pass)), gate!(x)));
    },
  };
}
