// Rows of a table by their numbers, and the gradient's way back into the table.
import type { Embedding, EmbeddingBackward } from '../provider.ts';

export function embedding({ rows, width, ids, table, out }: Embedding): void {
  for (let row = 0; row < rows; row++) {
    const from = table.offset + ids.data[ids.offset + row]! * width;
    const to = out.offset + row * width;
    for (let j = 0; j < width; j++) out.data[to + j] = table.data[from + j]!;
  }
}

export function embeddingBackward({ rows, width, ids, dOut, dTable }: EmbeddingBackward): void {
  for (let row = 0; row < rows; row++) {
    const to = dTable.offset + ids.data[ids.offset + row]! * width;
    const from = dOut.offset + row * width;
    for (let j = 0; j < width; j++) dTable.data[to + j]! += dOut.data[from + j]!;
  }
}
