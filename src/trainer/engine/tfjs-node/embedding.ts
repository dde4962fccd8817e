// UnrollEmbedding on TensorFlow: table (V, D), ids of any shape S, out (…S, D).
import { gather, reshape, tensor1d, unsortedSegmentSum } from '@tensorflow/tfjs-core';
import type { EmbeddingContext } from '../kernels/embedding.ts';
import type { TensorflowKernel } from './kernel.ts';

export const embeddingOnTensorflow: TensorflowKernel = {
  name: 'UnrollEmbedding',
  saved: [],
  run({ table }, context) {
    const { ids, shape } = context as EmbeddingContext;
    return reshape(gather(table!, tensor1d(ids, 'int32')), [...shape, table!.shape[1]!]);
  },
  gradient(dy, _saved, context) {
    const { ids, tableShape } = context as EmbeddingContext;
    const [vocabulary, width] = tableShape as [number, number];
    const rows = reshape(dy, [ids.length, width]);
    return { table: () => unsortedSegmentSum(rows, tensor1d(ids, 'int32'), vocabulary) };
  },
};
