// Rows of a table by their numbers: table (V, D), ids of any shape S, out (…S, D).
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import { newFloats, newZeros } from '../pool.ts';
import { provider, slice, whole } from '../storage.ts';
import { type EngineKernel, output, runKernel, sizeOf } from './kernel.ts';

export interface EmbeddingContext {
  ids: Int32Array;
  shape: number[];
  tableShape: number[];
}

/** `ids` has the given shape; every id must be a row of the table. */
export function embedding<T extends Tensor>(table: Tensor, ids: Int32Array, shape: number[]): T {
  const vocabulary = table.shape[0]!;
  for (const id of ids)
    if (!(id >= 0 && id < vocabulary))
      throw new RangeError(
        `embedding: id ${id} is outside of the table, which has rows 0 to ${vocabulary - 1}.`,
      );
  return runKernel<T>('UnrollEmbedding', { table }, {
    ids,
    shape,
    tableShape: table.shape,
  } satisfies EmbeddingContext);
}

export const embeddingKernel: EngineKernel = {
  name: 'UnrollEmbedding',
  run({ inputs, attrs, backend }) {
    const { ids, shape } = attrs as unknown as EmbeddingContext;
    const table = inputs.table!;
    const width = table.shape[1]!;
    const rows = sizeOf(shape);
    const out = newFloats(rows * width);
    const idSlice = { data: ids, offset: 0 };
    provider().embedding({ rows, width, ids: idSlice, table: slice(table), out: whole(out) });
    return output(backend, [...shape, width], out);
  },
  gradient(dy, _saved, attrs) {
    const { ids, shape, tableShape } = attrs as unknown as EmbeddingContext;
    return {
      table() {
        const width = tableShape[1]!;
        const dTable = newZeros(sizeOf(tableShape));
        provider().embeddingBackward({
          rows: sizeOf(shape),
          width,
          ids: { data: ids, offset: 0 },
          dOut: slice(dy as Tensor),
          dTable: whole(dTable),
        });
        return tensor(dTable, tableShape);
      },
    };
  },
};
