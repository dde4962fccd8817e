// By-products of the backward pass at one step: norms of the total gradients, and the state of the gates.
import { GATES, type IntSlice, type RecurrentCell, type RecurrentReportOut } from '../provider.ts';

/** One step of the pass: at which time each sequence stands in it (-1: it has no such step). */
export interface StepTimes {
  seqLen: number;
  batch: number;
  hiddenSize: number;
  lengths: IntSlice | null;
  timeOf(b: number): number;
}

/** How many sequences have time t. */
function sequencesAt({ batch, lengths }: StepTimes, t: number): number {
  if (!lengths) return batch;
  let count = 0;
  for (let b = 0; b < batch; b++) if (lengths.data[lengths.offset + b]! > t) count++;
  return count;
}

function norm(array: Float32Array, from: number, size: number): number {
  let sum = 0;
  for (let i = from; i < from + size; i++) sum += array[i]! * array[i]!;
  return Math.sqrt(sum);
}

function addNorms(out: { data: Float32Array; offset: number }, times: StepTimes, rows: Float32Array): void {
  for (let b = 0; b < times.batch; b++) {
    const t = times.timeOf(b);
    if (t < 0) continue;
    const share = norm(rows, b * times.hiddenSize, times.hiddenSize) / sequencesAt(times, t);
    out.data[out.offset + t]! += share;
  }
}

export function reportHiddenGradient(out: RecurrentReportOut, times: StepTimes, dh: Float32Array): void {
  addNorms(out.hiddenGradNorm, times, dh);
}

export function reportCellGradient(out: RecurrentReportOut, times: StepTimes, dc: Float32Array): void {
  if (out.cellGradNorm) addNorms(out.cellGradNorm, times, dc);
}

/** `gates` (B, G·H) activations. */
export function reportGates(
  out: RecurrentReportOut,
  cell: RecurrentCell,
  times: StepTimes,
  gates: Float32Array,
): void {
  if (!out.gateMean && !out.gateSaturation) return;
  const names = GATES[cell];
  const { batch, hiddenSize: H, seqLen } = times;
  for (let b = 0; b < batch; b++) {
    const t = times.timeOf(b);
    if (t < 0) continue;
    const count = sequencesAt(times, t) * H;
    names.forEach((name, gate) => {
      const low = name === 'g' || name === 'n' ? -0.9 : 0.1;
      const from = (b * names.length + gate) * H;
      let sum = 0;
      let saturated = 0;
      for (let i = from; i < from + H; i++) {
        const value = gates[i]!;
        sum += value;
        if (value > 0.9 || value < low) saturated++;
      }
      const at = gate * seqLen + t;
      if (out.gateMean) out.gateMean.data[out.gateMean.offset + at]! += sum / count;
      if (out.gateSaturation) out.gateSaturation.data[out.gateSaturation.offset + at]! += saturated / count;
    });
  }
}
