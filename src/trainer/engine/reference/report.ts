// By-products of the backward pass: norms of the total gradients at each time, and the state of the gates.
import {
  GATES,
  type RecurrentBackward,
  type RecurrentReportOut,
  type RecurrentShape,
  type Slice,
} from '../provider.ts';
import { clear } from './memory.ts';
import { sequencesAt } from './step-order.ts';

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

function addNorms(
  out: Slice,
  { shape: { batch, hiddenSize }, lengths }: RecurrentBackward,
  timeOf: TimeOfSequence,
  rows: Float32Array,
): void {
  for (let b = 0; b < batch; b++) {
    const t = timeOf(b);
    if (t < 0) continue;
    let sum = 0;
    for (let i = b * hiddenSize; i < (b + 1) * hiddenSize; i++) sum += rows[i]! * rows[i]!;
    out.data[out.offset + t]! += Math.sqrt(sum) / sequencesAt(batch, lengths, t);
  }
}

/** `gates` (B, G·H) activations. */
function addGates(
  { gateMean, gateSaturation }: RecurrentReportOut,
  { shape: { cell, batch, hiddenSize: H, seqLen }, lengths }: RecurrentBackward,
  timeOf: TimeOfSequence,
  gates: Float32Array,
): void {
  const names = GATES[cell];
  for (let b = 0; b < batch; b++) {
    const t = timeOf(b);
    if (t < 0) continue;
    const count = sequencesAt(batch, lengths, t) * H;
    for (let gate = 0; gate < names.length; gate++) {
      const low = names[gate] === 'g' || names[gate] === 'n' ? -0.9 : 0.1;
      const from = (b * names.length + gate) * H;
      let sum = 0;
      let saturated = 0;
      for (let i = from; i < from + H; i++) {
        const value = gates[i]!;
        sum += value;
        if (value > 0.9 || value < low) saturated++;
      }
      const at = gate * seqLen + t;
      if (gateMean) gateMean.data[gateMean.offset + at]! += sum / count;
      if (gateSaturation) gateSaturation.data[gateSaturation.offset + at]! += saturated / count;
    }
  }
}
