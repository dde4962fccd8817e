// Inside the runner sequences stand in *step order*: block s of a sequence is the s-th step it reads, so that
// reversed and shorter sequences need no cases of their own.
import type { RecurrentCall, RecurrentShape, Slice } from '../provider.ts';
import { clear } from './memory.ts';

/** Where step s of sequence b stands in time; -1 when it has no such step. */
export type TimeOf = (s: number, b: number) => number;

export function timesOf({ shape: { seqLen, reverse }, lengths }: RecurrentCall): TimeOf {
  return (s, b) => {
    const length = lengths ? lengths.data[lengths.offset + b]! : seqLen;
    if (s >= length) return -1;
    return reverse ? length - 1 - s : s;
  };
}

/** Calls `row` with the row numbers, in (T·B), of each valid step in step order and in time. */
function eachRow(
  { seqLen, batch }: RecurrentShape,
  timeOf: TimeOf,
  row: (step: number, time: number) => void,
) {
  for (let s = 0; s < seqLen; s++) {
    for (let b = 0; b < batch; b++) {
      const t = timeOf(s, b);
      if (t >= 0) row(s * batch + b, t * batch + b);
    }
  }
}

/** x itself where step order is time order, else a copy in `room`, zero where a sequence has no step. */
export function toStepOrder(call: RecurrentCall, timeOf: TimeOf, room: Float32Array): Slice {
  const { shape, x } = call;
  if (!shape.reverse && !call.lengths) return x;
  const width = shape.inputSize;
  room.fill(0);
  eachRow(shape, timeOf, (step, time) => {
    const from = x.offset + time * width;
    room.set(x.data.subarray(from, from + width), step * width);
  });
  return { data: room, offset: 0 };
}

/** The way back: rows of (T·B, width) from step order into time, zero where a sequence has no step. */
export function toTimeOrder(
  shape: RecurrentShape,
  timeOf: TimeOf,
  width: number,
  from: Float32Array,
  to: Slice,
) {
  clear(to, shape.seqLen * shape.batch * width);
  eachRow(shape, timeOf, (step, time) => {
    to.data.set(from.subarray(step * width, (step + 1) * width), to.offset + time * width);
  });
}

/** Where a report shows time t of sequence b: the step that is read last stands in one column for all sequences. */
export function columnOf(
  { shape: { seqLen, reverse }, lengths }: RecurrentCall,
  b: number,
  t: number,
): number {
  return reverse || !lengths ? t : t + seqLen - lengths.data[lengths.offset + b]!;
}

/** How many sequences have a column of a report. */
export function sequencesAt(
  { shape: { seqLen, batch, reverse }, lengths }: RecurrentCall,
  column: number,
): number {
  if (!lengths) return batch;
  const shorter = reverse ? column : seqLen - 1 - column;
  let count = 0;
  for (let b = 0; b < batch; b++) if (lengths.data[lengths.offset + b]! > shorter) count++;
  return count;
}
