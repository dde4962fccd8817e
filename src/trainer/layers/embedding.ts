// Embedding: a learned vector for each token. weight (V, D); tokens (T, B) → (T, B, D), or (T, B, N) of N ids a step, whose
// vectors are averaged, as by torch.nn.EmbeddingBag.
// `dropout` draws a mask (V) for each step of training: a symbol's whole vector is 0 wherever it stands, or divided by
// 1 - rate. Y. Gal, Z. Ghahramani, 2016, https://arxiv.org/abs/1512.05287.
// Initial values: PyTorch N(0, 1), Keras and tfjs uniform ±0.05. Shared with the last layer uniform ±0.1, as in PyTorch's
// word language model: rows of N(0, 1) would make logits far too large.
import { gather, type Tensor, type Tensor3D, tensor } from '@tensorflow/tfjs-core';
import type { Layer } from '../../experiment/schema.ts';
import { embedding as embeddingKernel } from '../engine/kernels/embedding.ts';
import { newFloats } from '../engine/pool.ts';
import { fusedKernels, glance } from '../engine/storage.ts';
import { streamKey } from '../random.ts';
import { computed } from './by-channel.ts';
import { dropoutMask } from './dropout.ts';
import { ModelError } from './errors.ts';
import { standardNormal, uniform } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';

export function buildEmbedding(layer: Extract<Layer, { type: 'embedding' }>, place: Place): BuiltLayer {
  if (place.input.kind !== 'tokens')
    throw new ModelError(
      place.index === 0
        ? `The first layer is an embedding, but this task feeds ${place.input.width} numbers a step, not symbols; remove the embedding.`
        : `Layer ${place.index + 1} is an embedding, but only the first layer sees symbols; move it to the front or remove it.`,
      ['model', 'layers', place.index],
    );
  const own = place.convention === 'pytorch' ? standardNormal : uniform(0.05);
  const initializer = place.sharesEmbedding ? uniform(0.1) : own;
  const weight = place.variable('weight', [place.input.width, layer.dim], initializer);
  return {
    output: { kind: 'vectors', width: layer.dim, learned: true },
    table: weight,
    forward(tokens: Tensor, pass) {
      const ids = tokens.dataSync() as Int32Array;
      const vectors = rowsOf(weight, ids, tokens.shape);
      const { dropout = 0 } = layer;
      if (dropout === 0 || !pass.options.training) return averaged(vectors, tokens.shape);
      const stream = streamKey(place.seed, `dropout/${place.name}`, pass.options.step);
      const factors = glance(dropoutMask([place.input.width], dropout, stream));
      const dropped = scaledRows(
        vectors,
        Float32Array.from(ids, id => factors[id]!),
      );
      return averaged(dropped, tokens.shape);
    },
  };
}

/** x (…, D) with each row times its factor. */
function scaledRows(x: Tensor3D, factors: Float32Array): Tensor3D {
  const width = x.size / factors.length;
  const scale = (from: Float32Array) => {
    const to = newFloats(from.length);
    for (let row = 0; row < factors.length; row++) {
      const [begin, factor] = [row * width, factors[row]!];
      for (let at = begin; at < begin + width; at++) to[at] = from[at]! * factor;
    }
    return to;
  };
  return computed([x], x.shape, scale, dy => [scale(dy)]) as Tensor3D;
}

/** x (T, B, N, D) → (T, B, D), the mean over a step's N vectors; where a step has one, x as it is. */
function averaged(x: Tensor3D, [steps, batch, each = 1]: number[]): Tensor3D {
  if (each === 1) return x;
  const width = x.size / (steps! * batch! * each);
  const block = each * width;
  const mean = (from: Float32Array) => {
    const to = newFloats(from.length / each).fill(0);
    for (let at = 0; at < from.length; at++)
      to[Math.floor(at / block) * width + (at % width)]! += from[at]! / each;
    return to;
  };
  const spread = (from: Float32Array) => {
    const to = newFloats(from.length * each);
    for (let at = 0; at < to.length; at++)
      to[at] = from[Math.floor(at / block) * width + (at % width)]! / each;
    return to;
  };
  return computed([x], [steps!, batch!, width], mean, dy => [spread(dy)]) as Tensor3D;
}

/** table (V, D)[ids]: (…shape, D). */
export function rowsOf(table: Tensor, ids: Int32Array, shape: number[]): Tensor3D {
  if (fusedKernels()) return embeddingKernel(table, ids, shape);
  return gather(table, tensor(ids, shape, 'int32')) as Tensor3D;
}
