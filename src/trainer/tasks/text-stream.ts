// Cuts one long sequence of ids into rows that run side by side: row b reads its own stretch of the text, and
// window after window goes on where the last one ended.
import type { SymbolIds } from '../data/symbol-ids.ts';
import type { Batch } from './task.ts';

export interface TextStream {
  rows: number;
  seqLen: number;
  windows: number;
  window(index: number): Batch;
}

/** null when the ids are too few for one window */
export function textStream(ids: SymbolIds, maxRows: number, seqLen: number): TextStream | null {
  const rows = Math.min(maxRows, Math.floor((ids.length - 1) / seqLen));
  if (rows < 1) return null;
  const rowLength = Math.floor((ids.length - 1) / rows);
  const windows = Math.floor(rowLength / seqLen);
  return {
    rows,
    seqLen,
    windows,
    window(index) {
      const input = new Int32Array(seqLen * rows);
      const targets = new Int32Array(seqLen * rows);
      for (let row = 0; row < rows; row++) {
        const from = row * rowLength + index * seqLen;
        const read = ids.slice(from, from + seqLen + 1);
        for (let t = 0; t < seqLen; t++) {
          input[t * rows + row] = read[t]!;
          targets[t * rows + row] = read[t + 1]!;
        }
      }
      return { seqLen, batch: rows, input, targets, lengths: null, continues: index > 0 };
    },
  };
}
