// The operations of linear recurrences, as part of the provider interface (provider.ts holds its rules): the scan of a
// diagonal recurrence, the selective scan of Mamba, and the matrix memory of linear attention and the delta rule.
//
// Legend: T seqLen, B batch, D width, N states of a channel, H heads, K keySize, V valueSize.
// A sequence of length n is read in the order t = 0…n-1, or n-1…0 when `reverse`; outputs keep the places of their
// inputs. Beyond its length the state stands still, outputs and gradients are zero, and nothing is read.
import type { IntSlice, Slice } from './slices.ts';

export interface ScanShape {
  readonly seqLen: number;
  readonly batch: number;
  /** D channels */
  readonly width: number;
  /** every number is a pair: a row has 2·D floats, the D real parts first */
  readonly complex: boolean;
  /** a is one row for all steps and sequences */
  readonly constant: boolean;
  readonly reverse: boolean;
}

/** h_t = a_t ⊙ h_{t-1} + b_t. R stands for D, or 2·D when complex. */
export interface Scan extends ScanShape {
  /** (T, B, R), or (R) when constant */
  readonly a: Slice;
  /** (T, B, R) */
  readonly b: Slice;
  /** (B) valid steps of each sequence, 0…T; null: all T */
  readonly lengths: IntSlice | null;
  /** (B, R); null: zeros */
  readonly h0: Slice | null;
  /** (T, B, R) */
  readonly h: Slice;
  /** (B, R) state after the last step read */
  readonly hN: Slice;
}

/** Gradients of complex numbers are pairs too: ∂L/∂re and ∂L/∂im. */
export interface ScanBackward extends ScanShape {
  readonly a: Slice;
  readonly lengths: IntSlice | null;
  readonly h0: Slice | null;
  /** as the forward call left it */
  readonly h: Slice;
  /** (T, B, R) */
  readonly dh: Slice;
  /** (B, R); null: zeros */
  readonly dhN: Slice | null;
  /** (T, B, R): also the total derivative of h_t, through all later steps */
  readonly db: Slice;
  /** of a's shape; null: not wanted */
  readonly da: Slice | null;
  /** (B, R); null: not wanted */
  readonly dh0: Slice | null;
  /** (T) mean of ‖∂L/∂h_t‖₂ in columns as RecurrentReportOut has them; null: not wanted */
  readonly gradNorm: Slice | null;
}

export interface GatedScanShape {
  readonly seqLen: number;
  readonly batch: number;
  readonly width: number;
  /** whether the candidate is made positive (kernels/gated_scan.h) */
  readonly positive: boolean;
}

interface GatedScanOperands extends GatedScanShape {
  /** (T, B, D) each; `input` null: minGRU */
  readonly forget: Slice;
  readonly input: Slice | null;
  readonly hidden: Slice;
  readonly lengths: IntSlice | null;
  /** (B, D); null: zeros */
  readonly h0: Slice | null;
  /** (T, B, D): the backward call reads what the forward call left */
  readonly h: Slice;
}

/** minLSTM from its projected inputs, or minGRU, whose gate stands in `forget`. */
export interface GatedScan extends GatedScanOperands {
  /** (B, D) */
  readonly hN: Slice;
}

export interface GatedScanBackward extends GatedScanOperands {
  /** (T, B, D) */
  readonly dh: Slice;
  /** (B, D); null: zeros */
  readonly dhN: Slice | null;
  /** (T, B, D) each; `dInput` null: minGRU */
  readonly dForget: Slice;
  readonly dInput: Slice | null;
  readonly dHidden: Slice;
  /** (B, D); null: not wanted */
  readonly dh0: Slice | null;
  /** as in ScanBackward */
  readonly gradNorm: Slice | null;
}

/** Where they are missing, layers compose them of other operations. */
export interface GatedScanOperations {
  gatedScan(call: GatedScan): void;
  gatedScanBackward(call: GatedScanBackward): void;
}

export interface SelectiveScanShape {
  readonly seqLen: number;
  readonly batch: number;
  /** D channels */
  readonly width: number;
  /** N states of each channel */
  readonly states: number;
  readonly reverse: boolean;
  /** steps between two kept states: the backward pass computes those between again */
  readonly chunk: number;
}

/**
 * h_t = exp(Δ_t a) ⊙ h_{t-1} + Δ_t x_t b_t, y_t = h_t · c_t + skip x_t, with N states for each channel: A. Gu and T. Dao,
 * 2023, https://arxiv.org/abs/2312.00752. States are kept once a chunk only.
 */
export interface SelectiveScan extends SelectiveScanShape {
  /** (T, B, D) each */
  readonly x: Slice;
  readonly delta: Slice;
  /** (D, N) */
  readonly a: Slice;
  /** (T, B, N) each */
  readonly b: Slice;
  readonly c: Slice;
  /** (D); null: zeros */
  readonly skip: Slice | null;
  readonly lengths: IntSlice | null;
  /** (B, D, N); null: zeros */
  readonly h0: Slice | null;
  /** (T, B, D) */
  readonly y: Slice;
  /** (B, D, N) */
  readonly hN: Slice;
  /** (⌈T/chunk⌉, B, D, N) states before the steps 0, chunk, 2·chunk, … in reading order; null: not wanted */
  readonly kept: Slice | null;
}

export interface SelectiveScanBackward extends SelectiveScanShape {
  readonly x: Slice;
  readonly delta: Slice;
  readonly a: Slice;
  readonly b: Slice;
  readonly c: Slice;
  readonly skip: Slice | null;
  readonly lengths: IntSlice | null;
  /** as the forward call left it */
  readonly kept: Slice;
  readonly dy: Slice;
  readonly dhN: Slice | null;
  readonly dx: Slice;
  readonly dDelta: Slice;
  readonly da: Slice;
  readonly db: Slice;
  readonly dc: Slice;
  readonly dSkip: Slice | null;
  readonly dh0: Slice | null;
  /** (T) mean of ‖∂L/∂h_t‖₂ in columns as RecurrentReportOut has them; null: not wanted */
  readonly gradNorm: Slice | null;
}

export interface ChannelStatesShape {
  readonly seqLen: number;
  readonly batch: number;
  /** D channels */
  readonly width: number;
  /** N complex states of each channel */
  readonly states: number;
}

/** h_t = a ⊙ h_{t-1} + u_t, y_t = Σ_n c_re Re h_t + c_im Im h_t of each channel. Complex numbers: real parts, then imaginary. */
export interface ChannelStates extends ChannelStatesShape {
  /** (T, B, D) */
  readonly u: Slice;
  /** (2, D, N) each */
  readonly a: Slice;
  readonly c: Slice;
  readonly lengths: IntSlice | null;
  /** (B, 2, D, N); null: zeros */
  readonly h0: Slice | null;
  /** (T, B, D) */
  readonly y: Slice;
  /** (B, 2, D, N) */
  readonly hN: Slice;
  /** of `channelStatesKept` floats, in the provider's own layout; null: no backward pass will follow */
  readonly kept: Slice | null;
}

export interface ChannelStatesBackward extends ChannelStatesShape {
  readonly u: Slice;
  readonly a: Slice;
  readonly c: Slice;
  readonly lengths: IntSlice | null;
  /** as the forward call left it */
  readonly kept: Slice;
  readonly dy: Slice;
  readonly du: Slice;
  readonly da: Slice;
  readonly dc: Slice;
  /** (T) mean of ‖∂L/∂h_t‖₂ in columns as RecurrentReportOut has them; null: not wanted */
  readonly gradNorm: Slice | null;
}

/** How a memory changes in a step; `MatrixMemory` has the equations. */
export type MemoryUpdate = 'add' | 'delta' | 'general';

export interface MatrixMemoryShape {
  readonly seqLen: number;
  readonly batch: number;
  readonly heads: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly update: MemoryUpdate;
  /** what α is given for: nothing (α = 1), each head, or each key channel of each head */
  readonly decayOf: 'none' | 'head' | 'channel';
  /** o_t is divided by max(|n_t · q_t|, floor_t) */
  readonly normalised: boolean;
  readonly reverse: boolean;
  /** steps between two kept states */
  readonly chunk: number;
}

/**
 * A matrix S (V, K) for each head, in which keys find values. With P = S_{t-1} diag(α_t):
 *
 *   add      S_t = P + γ_t v_t k_tᵀ
 *   delta    S_t = P + γ_t (v_t - P k_t) k_tᵀ
 *   general  S_t = P + (S_{t-1} a_t) b_tᵀ + γ_t v_t k_tᵀ
 *
 * and o_t = S_t q_t; with a bonus u, o_t = S_{t-1} q_t + γ_t (Σ_j u_j q_tj k_tj) v_t, as RWKV-6 reads. Normalised, the
 * state has one row more, n_t = n_{t-1} ⊙ α_t + γ_t k_t: the row of a value that is always 1. Rows of a state: R, which is
 * V, or V + 1 when normalised. Only `add` is normalised or has a bonus, and not both.
 */
export interface MatrixMemory extends MatrixMemoryShape {
  /** (T, B, H·K) each, heads side by side */
  readonly q: Slice;
  readonly k: Slice;
  /** (T, B, H·V) */
  readonly v: Slice;
  /** α: (T, B, H) or (T, B, H·K); null: 1 */
  readonly decay: Slice | null;
  /** γ: (T, B, H); null: 1 */
  readonly strength: Slice | null;
  /** (T, B, H·K) each; of `general` only */
  readonly a: Slice | null;
  readonly b: Slice | null;
  /** u: (H·K) */
  readonly bonus: Slice | null;
  /** (T, B, H) least divisor; null: 1. Of normalised memories only. */
  readonly floor: Slice | null;
  readonly lengths: IntSlice | null;
  /** (B, H, R, K); null: zeros */
  readonly s0: Slice | null;
  /** (T, B, H·V) */
  readonly o: Slice;
  /** (B, H, R, K) */
  readonly sN: Slice;
  /** (⌈T/chunk⌉, B, H, R, K) states before the steps 0, chunk, … in reading order; null: not wanted */
  readonly kept: Slice | null;
}

export interface MatrixMemoryBackward extends MatrixMemoryShape {
  readonly q: Slice;
  readonly k: Slice;
  readonly v: Slice;
  readonly decay: Slice | null;
  readonly strength: Slice | null;
  readonly a: Slice | null;
  readonly b: Slice | null;
  readonly bonus: Slice | null;
  readonly floor: Slice | null;
  readonly lengths: IntSlice | null;
  /** as the forward call left it */
  readonly kept: Slice;
  readonly do: Slice;
  /** null: zeros */
  readonly dsN: Slice | null;
  readonly dq: Slice;
  readonly dk: Slice;
  readonly dv: Slice;
  /** null where the operand is, or where nobody learns it */
  readonly dDecay: Slice | null;
  /** null exactly where the operand is, as the next three */
  readonly dStrength: Slice | null;
  readonly da: Slice | null;
  readonly db: Slice | null;
  readonly dBonus: Slice | null;
  /** null: not wanted */
  readonly ds0: Slice | null;
  /** (T) mean of ‖∂L/∂S_t‖ (all heads, without n) in columns as RecurrentReportOut has them; null: not wanted */
  readonly gradNorm: Slice | null;
}

export interface RecurrenceOperations {
  scan(call: Scan): void;
  scanBackward(call: ScanBackward): void;
  selectiveScan(call: SelectiveScan): void;
  selectiveScanBackward(call: SelectiveScanBackward): void;
  /** floats that the forward pass leaves for the backward one */
  channelStatesKept(shape: ChannelStatesShape): number;
  channelStates(call: ChannelStates): void;
  channelStatesBackward(call: ChannelStatesBackward): void;
  matrixMemory(call: MatrixMemory): void;
  matrixMemoryBackward(call: MatrixMemoryBackward): void;
}
