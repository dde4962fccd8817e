// DeltaNet: I. Schlag et al., 2021, https://arxiv.org/abs/2102.11174; S. Yang et al., 2024, https://arxiv.org/abs/2406.06484.
//
//   q, k, v = silu(conv(W x))      q and k divided by their lengths, by heads; β = σ(W_β x), a number of each head
//   S_t = S_{t-1} (I - β k kᵀ) + β v kᵀ
//   y = W_o norm(S_t q / √K)       norm: root mean square of a head
//
// Shapes: x (T, B, I), q, k, v (U, I), beta (H, I), out (U, U), S (B, H, V, K) with K = V = U/H. conv is causal, of each
// channel by itself, over `convSize` steps (1: none). Without the convolutions' biases it is the layer of
// flash-linear-attention. Initial values: matrices as a dense layer of the convention, norm 1.
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { normalisedRows } from './by-channel.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { ownLevel, projection } from './linear-recurrence.ts';
import { activation } from './operations.ts';
import { convolvedProjection, headNorm, headsIn, remembered } from './remembered.ts';

const KEY_EPSILON = 1e-6;

/** Each head's numbers divided by their length, times `factor`. */
export function headsOfLength(size: number): (x: Tensor3D, factor: number) => Tensor3D {
  return (x, factor) => {
    // factor / √(Σ x² + ε)
    const share = 1 / factor ** 2;
    return normalisedRows(x, null, { width: size, share, epsilon: share * KEY_EPSILON });
  };
}

export function buildDeltanet(layer: LayerOf<'deltanet'>, place: Place): BuiltLayer {
  const { units, convSize } = layer;
  const { heads, size } = headsIn(layer, units, place);
  const [q, k, v] = ['q', 'k', 'v'].map(name => convolvedProjection(place, name, units, convSize));
  const beta = projection(place, 'beta', heads, place.input.width, { bias: false });
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
        strength: activation('sigmoid', beta(x)),
      };
      return out(norm(remembered(operands, { heads, update: 'delta' }, place, pass)));
    },
  };
}
