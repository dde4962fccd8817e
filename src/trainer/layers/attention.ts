// Attention of a decoder to its encoder's states: additive, D. Bahdanau, K. Cho, Y. Bengio, 2015,
// https://arxiv.org/abs/1409.0473; dot and general, M.-T. Luong, H. Pham, C. Manning, 2015, https://arxiv.org/abs/1508.04025.
//
//   e_ts = v · tanh(W_h h_t + W_s s_s)  or  h_t · s_s  or  h_t · W s_s
//   a_t = softmax_s(e_t) over the valid steps of the source
//   y_t = [Σ_s a_ts s_s ; h_t]
//
// Shapes: h (T, B, H), s (S steps, B, M), y (T, B, M + H). Variables: additive query.weight (A, H), key.weight (A, M) and
// v.weight (1, A); general query.weight (M, H); none has a bias. Initial values: matrices as a dense layer of the convention.
import { mul, reshape, type Tensor3D } from '@tensorflow/tfjs-core';
import { comparedWidth } from '../../experiment/layers/attention.ts';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { ModelError } from './errors.ts';
import { joined } from './joined.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { projection } from './linear-recurrence.ts';
import type { Encoded } from './model.ts';
import { activation, crossAttention } from './operations.ts';
import { pairSums, weighedStates } from './pairs.ts';

type AttentionLayer = LayerOf<'attention'>;
type OnWeights = ((weights: Float32Array) => void) | undefined;
/** h and the source → Σ_s a_ts s_s (T, B, M). */
type Look = (h: Tensor3D, source: Encoded, onWeights: OnWeights) => Tensor3D;

export function buildAttention(layer: AttentionLayer, place: Place): BuiltLayer {
  const { memory } = place;
  if (memory === null)
    throw new ModelError(
      'A layer of type "attention" reads an encoder\'s states, but the model has no `encoder`.',
      ['model', 'layers', place.index],
    );
  const look =
    layer.score === 'additive' ? additive(layer, place, memory) : multiplicative(layer, place, memory);
  return {
    output: { kind: 'vectors', width: memory + place.input.width, learned: true },
    forward(x, pass) {
      const h = x as Tensor3D;
      return joined(look(h, pass.encoded!, watched(place.name, pass)), h);
    },
  };
}

function watched(name: string, { options: { watch, from = 0 } }: Pass): OnWeights {
  return watch?.attention && (weights => watch.attention!(name, from, weights));
}

/** The kernel divides products by √M, which these scores do not. */
function multiplicative({ score }: AttentionLayer, place: Place, memory: number): Look {
  const { width } = place.input;
  if (score === 'dot' && width !== memory)
    throw new ModelError(
      `A dot product needs equal widths, but ${width} numbers reach the attention and the encoder's states have ${memory}.`,
      ['model', 'layers', place.index, 'score'],
    );
  const query = score === 'dot' ? null : projection(place, 'query', memory, width, { bias: false });
  return (h, { states, lengths }, onWeights) =>
    crossAttention(mul(query ? query(h) : h, Math.sqrt(memory)), joined(states, states), {
      heads: 1,
      lengths,
      ...(onWeights ? { onWeights } : {}),
    });
}

function additive(layer: AttentionLayer, place: Place, memory: number): Look {
  const compared = comparedWidth(layer, memory);
  const query = projection(place, 'query', compared, place.input.width, { bias: false });
  const key = projection(place, 'key', compared, memory, { bias: false });
  const v = projection(place, 'v', 1, compared, { bias: false });
  return (h, { states, lengths }, onWeights) => {
    const [T, B] = h.shape;
    const scores = v(activation('tanh', pairSums(query(h), key(states))));
    return weighedStates(reshape(scores, [T, states.shape[0], B]), states, lengths, onWeights);
  };
}
