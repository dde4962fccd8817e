// The order in which a sequence is read, and the mean over the batch that reports give: shared by scan.ts,
// selective-scan.ts and matrix-memory.ts.
import type { IntSlice, Slice } from '../provider.ts';

export function lengthOf(seqLen: number, lengths: IntSlice | null, b: number): number {
  return lengths ? lengths.data[lengths.offset + b]! : seqLen;
}

/** Where the step stands that is read after `s` others. */
export function placeOf(reverse: boolean, length: number, s: number): number {
  return reverse ? length - 1 - s : s;
}

/** A slice as an array of its own offset 0. */
export function view({ data, offset }: Slice, size: number): Float32Array {
  return data.subarray(offset, offset + size);
}

export function optionalView(slice: Slice | null, size: number): Float32Array | null {
  return slice && view(slice, size);
}

/**
 * The step of a sequence that a report's column shows; null where it has none. Sequences share the column of the step
 * read last: the last one, or the first one where the reading is reversed.
 */
export function stepAt(reverse: boolean, seqLen: number, length: number, column: number): number | null {
  const t = reverse ? column : column - (seqLen - length);
  return t >= 0 && t < length ? t : null;
}

/** out (T) = mean of √squares (T, B) over the sequences that have the column; 0 where none has. */
export function meanNorms(
  out: Slice,
  squares: Float64Array,
  { seqLen, batch, reverse }: { seqLen: number; batch: number; reverse: boolean },
  lengths: IntSlice | null,
): void {
  for (let column = 0; column < seqLen; column++) {
    let [sum, count] = [0, 0];
    for (let b = 0; b < batch; b++) {
      const t = stepAt(reverse, seqLen, lengthOf(seqLen, lengths, b), column);
      if (t === null) continue;
      sum += Math.sqrt(squares[t * batch + b]!);
      count++;
    }
    out.data[out.offset + column] = count > 0 ? sum / count : 0;
  }
}
