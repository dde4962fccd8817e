// Retention: Y. Sun et al., 2023 (RetNet), https://arxiv.org/abs/2307.08621, without the rotation of q and k (xPos).
//
//   S_t = γ S_{t-1} + v kᵀ / √K      γ = 1 - 2^(-5-h) of head h
//   y = W_o (norm(S_t q) ⊙ silu(W_g x))
//
// Shapes: x (T, B, I), q, k, v, gate (U, I), out (U, U), S (B, H, V, K) with K = V = U/H; norm: root mean square of a
// head. With γ = 1 it is linear attention without features and normaliser. Initial values: matrices as a dense layer of
// the convention, norm 1.
import { type Tensor3D, tensor3d } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel, projection, siluGated } from './linear-recurrence.ts';
import { headNorm, headsIn, remembered } from './remembered.ts';
import { diagonalMap } from './state-maps.ts';

function decayOf(head: number): number {
  return 1 - 2 ** (-5 - head);
}

export function buildRetnet(layer: LayerOf<'retnet'>, place: Place): BuiltLayer {
  const { units } = layer;
  const { heads, size } = headsIn(layer, units, place);
  const [q, k, v, gate] = ['q', 'k', 'v', 'gate'].map(name => {
    const scale = name === 'k' ? { scale: 1 / Math.sqrt(size) } : {};
    return projection(place, name, units, place.input.width, { bias: false, ...scale });
  });
  const rates = Array.from({ length: heads }, (_, head) => decayOf(head));
  const norm = headNorm(place, 'norm', size);
  const out = projection(place, 'out', units, units, { bias: false });
  return {
    output: { kind: 'vectors', width: units, learned: true },
    levels: ownLevel(layer, place, units),
    maps: [diagonalMap(place.name, () => Float32Array.from({ length: heads }, (_, head) => decayOf(head)))],
    states: [{ name: `${place.name}.S`, size: units * size }],
    forward(input, pass) {
      const x = input as Tensor3D;
      const [T, B] = x.shape;
      const decay = new Float32Array(T * B * heads);
      for (let i = 0; i < decay.length; i++) decay[i] = rates[i % heads]!;
      const operands = {
        q: q!(x),
        k: k!(x),
        v: v!(x),
        decay: tensor3d(decay, [T, B, heads]),
      };
      return out(siluGated(norm(remembered(operands, { heads, fixedDecay: true }, place, pass)), gate!(x)));
    },
  };
}
