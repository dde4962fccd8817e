// What a cell is to the runner (forward.ts, backward.ts): one time step forward and backward for a whole batch. A cell has no
// loop over time; the runner has no gates.
import { gateBlocks, type RecurrentCell, type Slice } from '../provider.ts';
import { addRows, columnSums, type Matrix, multiplyAdd, rowMajor, transposed } from './gemm.ts';

/** Legend: B batch, H hiddenSize, G gate blocks, T seqLen. */
export interface CellSizes {
  batch: number;
  hiddenSize: number;
}

export interface RecurrentParameters {
  /** (G·H, H) */
  weightHh: Slice;
  /** (G·H) */
  biasHh: Slice | null;
}

export interface ForwardStep extends CellSizes, RecurrentParameters {
  /** (B, G·H): in W_ih x_t + b_ih, out the activations of the gates */
  gates: Float32Array;
  /** (B, H) what the cell wants to keep for its backward step; empty when it keeps nothing */
  kept: Float32Array;
  /** (B, H) states before and after */
  hPrev: Float32Array;
  h: Float32Array;
  cPrev: Float32Array;
  c: Float32Array;
}

export interface BackwardStep extends CellSizes {
  weightHh: Slice;
  /** (B, G·H): in the activations, out ∂L/∂(W_ih x_t + b_ih) */
  gates: Float32Array;
  kept: Float32Array;
  hPrev: Float32Array;
  h: Float32Array;
  cPrev: Float32Array;
  c: Float32Array;
  /** (B, H) ∂L/∂h_t, total; may be used up */
  dh: Float32Array;
  /** (B, H) zeros in, ∂L/∂h_{t-1} out */
  dhPrev: Float32Array;
  /** (B, H) in: what comes from c_{t+1}; out: ∂L/∂c_t, total */
  dc: Float32Array;
  /** (B, H) out: ∂L/∂c_{t-1} */
  dcPrev: Float32Array;
}

/** The whole pass once all steps are done: the gradients of the recurrent weights, as one product over T·B rows. */
export interface RecurrentGradients extends CellSizes {
  rows: number;
  /** (T·B, G·H) gradients of the gates' sums, (T·B, H) states before each step, (T·B, H) kept */
  dGates: Float32Array;
  hPrev: Float32Array;
  kept: Float32Array;
  /** zeros in */
  dWeightHh: Slice;
  dBiasHh: Slice | null;
}

export interface ReferenceCell {
  readonly keeps: boolean;
  forward(step: ForwardStep): void;
  backward(step: BackwardStep): void;
  recurrentGradients(pass: RecurrentGradients): void;
}

/** sums (B, G·H) += h W_hhᵀ + b_hh for all gates at once. */
export function addRecurrentProduct(
  cell: RecurrentCell,
  h: Float32Array,
  sums: Float32Array,
  { batch, hiddenSize, weightHh, biasHh }: CellSizes & RecurrentParameters,
): void {
  const width = gateBlocks(cell) * hiddenSize;
  const out = rowMajor(sums, 0, width);
  if (biasHh) addRows(batch, width, biasHh, out);
  multiplyAdd(
    batch,
    width,
    hiddenSize,
    rowMajor(h, 0, hiddenSize),
    weightTransposed(weightHh, hiddenSize),
    out,
  );
}

/** dhPrev (B, H) += dSums (B, G·H) W_hh. */
export function addRecurrentProductBack(
  cell: RecurrentCell,
  dSums: Float32Array,
  dhPrev: Float32Array,
  { batch, hiddenSize, weightHh }: CellSizes & { weightHh: Slice },
): void {
  const width = gateBlocks(cell) * hiddenSize;
  const weight = rowMajor(weightHh.data, weightHh.offset, hiddenSize);
  multiplyAdd(batch, hiddenSize, width, rowMajor(dSums, 0, width), weight, rowMajor(dhPrev, 0, hiddenSize));
}

/** For cells whose gates all read h_{t-1} itself: dW_hh = Σ_t dSums_tᵀ h_{t-1}, db_hh = Σ_t dSums_t. */
export function sumRecurrentGradients(cell: RecurrentCell, pass: RecurrentGradients): void {
  const { rows, hiddenSize, dGates, hPrev, dWeightHh, dBiasHh } = pass;
  const width = gateBlocks(cell) * hiddenSize;
  multiplyAdd(
    width,
    hiddenSize,
    rows,
    transposed(rowMajor(dGates, 0, width)),
    rowMajor(hPrev, 0, hiddenSize),
    rowMajor(dWeightHh.data, dWeightHh.offset, hiddenSize),
  );
  if (dBiasHh) columnSums(rows, width, { data: dGates, offset: 0 }, dBiasHh);
}

/** (H, rows of the weight): W_hhᵀ in place, from a row of W_hh on. */
export function weightTransposed(weightHh: Slice, hiddenSize: number, fromRow = 0): Matrix {
  return transposed(rowMajor(weightHh.data, weightHh.offset + fromRow * hiddenSize, hiddenSize));
}
