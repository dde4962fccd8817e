// The operands and options of the kernels of linear recurrences (scan.ts, memory.ts say what they mean).
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import type { MemoryUpdate } from '../recurrences.ts';

/** By-products of the backward pass. */
export interface RecurrenceReport {
  /**
   * (seqLen): mean over the batch of ‖∂L/∂h_t‖₂, or ‖∂L/∂S_t‖ of a memory, through all later steps. With lengths, all
   * sequences share the column of the step that they read last: T-1, or 0 of a reversed reading.
   */
  hiddenGradNorm: Float32Array;
}

export interface RecurrenceOptions {
  /** read each sequence from its last valid step to its first; outputs keep the places of their inputs */
  reverse?: boolean;
  /** (B) valid steps of each sequence */
  lengths?: Int32Array | null;
  /** called once in the backward pass */
  onReport?: ((report: RecurrenceReport) => void) | undefined;
}

export interface ScanInputs {
  /** (T, B, D), or (D): the same at every step */
  a: Tensor;
  /** (T, B, D) */
  b: Tensor3D;
  /** (B, D); left out: zeros */
  h0?: Tensor;
}

export interface ScanOptions extends RecurrenceOptions {
  /** rows are D real parts, then D imaginary ones */
  complex?: boolean;
}

export interface SelectiveScanInputs {
  x: Tensor3D;
  /** Δ > 0, (T, B, D) */
  delta: Tensor3D;
  /** (D, N), negative numbers */
  a: Tensor;
  b: Tensor3D;
  c: Tensor3D;
  skip?: Tensor;
  h0?: Tensor;
}

export interface MemoryInputs {
  q: Tensor3D;
  k: Tensor3D;
  v: Tensor3D;
  /** α: (T, B, H) or (T, B, H·K) */
  decay?: Tensor3D;
  /** γ: (T, B, H) */
  strength?: Tensor3D;
  /** (T, B, H·K) each, of `general` only */
  a?: Tensor3D;
  b?: Tensor3D;
  /** u: (H·K), of `add` only */
  bonus?: Tensor;
  /** (B, H, R, K); left out: zeros */
  s0?: Tensor;
  /** (B, H) stabiliser of s0, of exponential gates only */
  m0?: Tensor;
}

export interface MemoryOptions extends RecurrenceOptions {
  heads: number;
  /** default `add` */
  update?: MemoryUpdate;
  normalised?: boolean;
  /** decay and strength are logarithms; default false */
  exponential?: boolean;
  /** least divisor of a normalised memory, default 1 */
  floor?: number;
  /** nobody learns the decay: its gradient is not computed; default false */
  fixedDecay?: boolean;
}
