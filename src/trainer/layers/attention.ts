// Attention of a decoder to its encoder's states: additive, D. Bahdanau, K. Cho, Y. Bengio, 2015,
// https://arxiv.org/abs/1409.0473; dot and general, M.-T. Luong, H. Pham, C. Manning, 2015, https://arxiv.org/abs/1508.04025.
//
// With `locationSensitive` the score also reads where the step before looked: J. Chorowski et al., 2015,
// https://arxiv.org/abs/1506.07503.
//
//   e_ts = v · tanh(W_h h_t + W_s s_s)  or  h_t · s_s  or  h_t · W s_s
//   e_ts = v · tanh(W_h h_t + W_s s_s + U f_ts)      f_t = F * a_{t-1}, a_0 = 0
//   a_t = softmax_s(e_t) over the valid steps of the source
//   y_t = [Σ_s a_ts s_s ; h_t]
//
// Shapes: h (T, B, H), s (S steps, B, M), y (T, B, M + H). Variables: additive query.weight (A, H), key.weight (A, M) and
// v.weight (1, A); general query.weight (M, H); of the location filters.weight (F, 1, K), location.weight (A, F); none has a
// bias. Initial values: matrices as a dense layer of the convention. State of the location: the shares "<layer>.shares",
// (B, S), as long as the source.
import {
  add,
  concat,
  matMul,
  mul,
  reshape,
  slice,
  type Tensor,
  type Tensor3D,
  tensor,
  zeros,
} from '@tensorflow/tfjs-core';
import { comparedWidth, isAdditive } from '../../experiment/layers/attention.ts';
import type { LayerOf } from '../../experiment/layers/index.ts';
import { glance } from '../engine/storage.ts';
import { ModelError } from './errors.ts';
import { glorotUniform, uniform } from './initial.ts';
import { joined } from './joined.ts';
import type { BuiltLayer, Pass, Place } from './layer.ts';
import { projection } from './linear-recurrence.ts';
import type { Encoded } from './model.ts';
import { convolution, crossAttention } from './operations.ts';
import { additiveScores, sharesOf, turned } from './pairs.ts';

type AttentionLayer = LayerOf<'attention'>;
type OnWeights = ((weights: Float32Array) => void) | undefined;
/** h and the source → Σ_s a_ts s_s (T, B, M). */
type Look = (h: Tensor3D, source: Encoded, onWeights: OnWeights, pass: Pass) => Tensor3D;

export function buildAttention(layer: AttentionLayer, place: Place): BuiltLayer {
  const { memory } = place;
  if (memory === null)
    throw new ModelError(
      'A layer of type "attention" reads an encoder\'s states, but the model has no `encoder`.',
      ['model', 'layers', place.index],
    );
  const look = isAdditive(layer) ? additive(layer, place, memory) : multiplicative(layer, place, memory);
  return {
    output: { kind: 'vectors', width: memory + place.input.width, learned: true },
    forward(x, pass) {
      const h = x as Tensor3D;
      return joined(look(h, pass.encoded!, watched(place.name, pass), pass), h);
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
  const spread = place.convention === 'pytorch' ? uniform(1 / Math.sqrt(compared)) : glorotUniform;
  const v = place.variable('v.weight', [1, compared], spread);
  if (layer.locationSensitive) return located(layer, place, compared, { query, key, v });
  return (h, { states, lengths }, onWeights) => {
    const shares = sharesOf(additiveScores(query(h), key(states), v), lengths);
    onWeights?.(Float32Array.from(glance(shares)));
    return turned(matMul(shares, turned(states)));
  };
}

interface Additive {
  query(h: Tensor3D): Tensor3D;
  key(states: Tensor3D): Tensor3D;
  /** (1, A) */
  v: Tensor;
}

/** One step after the other, since each reads the shares of the one before. */
function located(layer: AttentionLayer, place: Place, compared: number, { query, key, v }: Additive): Look {
  const { filters, kernelSize } = layer;
  const spread = place.convention === 'pytorch' ? uniform(1 / Math.sqrt(kernelSize)) : glorotUniform;
  const weight = place.variable('filters.weight', [filters, 1, kernelSize], spread);
  const location = projection(place, 'location', compared, filters, { bias: false });
  const name = `${place.name}.shares`;
  return (h, { states, lengths }, onWeights, pass) => {
    const [T, B, A] = [h.shape[0], h.shape[1], compared];
    const S = states.shape[0];
    const [queries, keys] = [query(h), key(states)];
    const options = { dilation: 1, activation: null, inputGradient: true, padding: 'same' } as const;
    const kept = pass.state(name);
    // (S, B, 1)
    let shares: Tensor3D = kept ? turned(tensor(kept, [B, S, 1])) : zeros([S, B, 1]);
    const bySequence = turned(states);
    const answers: Tensor3D[] = [];
    const told = onWeights ? new Float32Array(B * T * S) : null;
    for (let t = 0; t < T; t++) {
      const around = location(convolution(shares, weight, zeros([filters]), options));
      const asked = slice(queries, [t, 0, 0], [1, B, A]) as Tensor3D;
      const a = sharesOf(additiveScores(asked, add(keys, around), v), lengths);
      answers.push(turned(matMul(a, bySequence)));
      shares = turned(reshape(a, [B, S, 1]));
      const values = told || t === T - 1 ? glance(a) : null;
      if (told) for (let b = 0; b < B; b++) told.set(values!.subarray(b * S, (b + 1) * S), (b * T + t) * S);
      if (t === T - 1) pass.keep(name, Float32Array.from(values!));
    }
    if (told) onWeights!(told);
    return answers.length === 1 ? answers[0]! : (concat(answers, 0) as Tensor3D);
  };
}
