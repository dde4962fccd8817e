// Rows with a time axis: [row][t], right-aligned, so that the last column is the last step of each sequence, and
// sequences of unequal length share a width.
import type { SeriesLevel } from '../../runs/format.ts';
import type { LevelInfo } from '../layers/watch.ts';

export class TimeRows {
  readonly values: Float32Array;
  /** columns */
  readonly seqLen: number;
  /** nothing was told of the batch at hand */
  isEmpty = true;
  /** of the batch at hand: where its first step stands */
  private offset = 0;

  constructor(rows: number, seqLen: number) {
    this.values = new Float32Array(rows * seqLen);
    this.seqLen = seqLen;
  }

  /** `seqLen`: of the batch, at most that of the rows */
  begin(seqLen: number): void {
    this.values.fill(0);
    this.isEmpty = true;
    this.offset = Math.max(0, this.seqLen - seqLen);
    // no sequence of the batch has these steps: nothing is known of them, which is not a gradient of 0
    for (let row = 0; row < this.values.length && this.offset > 0; row += this.seqLen)
      this.values.fill(Number.NaN, row, row + this.offset);
  }

  /** `count` rows of equally many steps; `from`: the time step that their first entry stands for */
  put(rows: Float32Array, first: number, count: number, from: number): void {
    const { seqLen, offset, values } = this;
    this.isEmpty = false;
    const steps = rows.length / count;
    if (steps === seqLen) values.set(rows, first * seqLen);
    else
      for (let row = 0; row < count; row++)
        values.set(rows.subarray(row * steps, (row + 1) * steps), (first + row) * seqLen + offset + from);
  }
}

/** As a sidecar names it. */
export function shownLevel({ name, family, title, units, keeps }: LevelInfo): SeriesLevel {
  return { name, family, title, units, ...(keeps !== null && { keeps }) };
}
