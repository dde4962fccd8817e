// By-products of the backward pass: norms of the total gradients at each time, and the state of the gates.
import {
  GATES,
  type RecurrentBackward,
  type RecurrentReportOut,
  type RecurrentShape,
  type Slice,
} from '../provider.ts';
import { clear } from './memory.ts';
import { columnOf, sequencesAt } from './step-order.ts';

type TimeOfSequence = (b: number) => number;

export function clearReport(report: RecurrentReportOut, { cell, seqLen }: RecurrentShape): void {
  const gates = GATES[cell].length;
  clear(report.hiddenGradNorm, seqLen);
  if (report.cellGradNorm) clear(report.cellGradNorm, seqLen);
  if (report.gateMean) clear(report.gateMean, gates * seqLen);
  if (report.gateSaturation) clear(report.gateSaturation, gates * seqLen);
}

/** Before the cell's step back, while dh is total and the gates are still activations. */
export function reportStepBefore(
  report: RecurrentReportOut,
  call: RecurrentBackward,
  timeOf: TimeOfSequence,
  dh: Float32Array,
  gates: Float32Array,
): void {
  addNorms(report.hiddenGradNorm, call, timeOf, dh);
  if (report.gateMean || report.gateSaturation) addGates(report, call, timeOf, gates);
}

/** After the cell's step back, when dc is total. */
export function reportStepAfter(
  report: RecurrentReportOut,
  call: RecurrentBackward,
  timeOf: TimeOfSequence,
  dc: Float32Array,
): void {
  if (report.cellGradNorm) addNorms(report.cellGradNorm, call, timeOf, dc);
}

function addNorms(out: Slice, call: RecurrentBackward, timeOf: TimeOfSequence, rows: Float32Array): void {
  const { batch, hiddenSize } = call.shape;
  for (let b = 0; b < batch; b++) {
    const t = timeOf(b);
    if (t < 0) continue;
    const norm = Math.sqrt(sumOfSquares(rows, b * hiddenSize, (b + 1) * hiddenSize));
    const column = columnOf(call, b, t);
    out.data[out.offset + column]! += norm / sequencesAt(call, column);
  }
}

/** `gates` (B, G·H) activations. */
function addGates(
  { gateMean, gateSaturation }: RecurrentReportOut,
  call: RecurrentBackward,
  timeOf: TimeOfSequence,
  gates: Float32Array,
): void {
  const { cell, batch, hiddenSize: H, seqLen } = call.shape;
  const names = GATES[cell];
  for (let b = 0; b < batch; b++) {
    const t = timeOf(b);
    if (t < 0) continue;
    const column = columnOf(call, b, t);
    const count = sequencesAt(call, column) * H;
    for (let gate = 0; gate < names.length; gate++) {
      // within 0.1 of an end of (-1, 1) or of (0, 1)
      const signed = names[gate] === 'g' || names[gate] === 'n';
      const [centre, reach] = signed ? [0, 0.9] : [0.5, 0.4];
      const from = (b * names.length + gate) * H;
      const at = gate * seqLen + column;
      if (gateMean) gateMean.data[gateMean.offset + at]! += sum(gates, from, from + H) / count;
      if (gateSaturation)
        gateSaturation.data[gateSaturation.offset + at]! +=
          countBeyond(gates, from, from + H, centre, reach) / count;
    }
  }
}

// The sums below take two numbers at a time, since one sum alone waits for its last addition.

function sum(values: Float32Array, from: number, to: number): number {
  let even = 0;
  let odd = 0;
  let i = from;
  for (; i + 1 < to; i += 2) {
    even += values[i]!;
    odd += values[i + 1]!;
  }
  return even + odd + (i < to ? values[i]! : 0);
}

function countBeyond(values: Float32Array, from: number, to: number, centre: number, reach: number): number {
  let count = 0;
  for (let i = from; i < to; i++) if (Math.abs(values[i]! - centre) > reach) count++;
  return count;
}

function sumOfSquares(values: Float32Array, from: number, to: number): number {
  let even = 0;
  let odd = 0;
  let i = from;
  for (; i + 1 < to; i += 2) {
    even += values[i]! * values[i]!;
    odd += values[i + 1]! * values[i + 1]!;
  }
  return even + odd + (i < to ? values[i]! * values[i]! : 0);
}
