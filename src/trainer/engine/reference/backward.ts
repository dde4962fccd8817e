// A whole sequence backward: through time with a cell, then each weight's gradient as one product over all steps.
import { gateBlocks, type RecurrentBackward, type Slice } from '../provider.ts';
import { referenceCells } from './cells.ts';
import { columnSums, multiplyAdd, rowMajor, transposed } from './gemm.ts';
import { block, type Cache, cacheIn, clear, copyOrZero, parts } from './memory.ts';
import { clearReport, reportStepAfter, reportStepBefore } from './report.ts';
import { type TimeOf, timesOf, toStepOrder, toTimeOrder } from './step-order.ts';

export function recurrentBackward(call: RecurrentBackward): void {
  const { seqLen, batch, inputSize } = call.shape;
  const rows = seqLen * batch;
  const timeOf = timesOf(call);
  const scratch = parts(call.scratch);
  const x = toStepOrder(call, timeOf, scratch(rows * inputSize));
  const dxRoom = scratch(rows * inputSize);
  const cache = cacheIn(call.shape, parts(call.cache));

  backThroughTime(call, timeOf, cache, scratch);
  weightGradients(call, x, cache);
  if (!call.dx) return;
  const inPlace = x === call.x;
  inputGradient(call, cache.gates, inPlace ? call.dx : { data: dxRoom, offset: 0 });
  if (!inPlace) toTimeOrder(call.shape, timeOf, inputSize, dxRoom, call.dx);
}

/** Turns cache.gates from activations into the gradients of their sums, step by step from the last one. */
function backThroughTime(
  call: RecurrentBackward,
  timeOf: TimeOf,
  cache: Cache,
  scratch: (floats: number) => Float32Array,
): void {
  const { shape, weights, report } = call;
  const { seqLen, batch, hiddenSize } = shape;
  const cell = referenceCells[shape.cell];
  const state = batch * hiddenSize;
  let [dh, dhPrev, dc, dcPrev] = [scratch(state), scratch(state), scratch(state), scratch(state)];
  copyOrZero(call.dhN, dh);
  copyOrZero(call.dcN, dc);
  if (report) clearReport(report, shape);
  for (let s = seqLen - 1; s >= 0; s--) {
    const gates = block(cache.gates, s, gateBlocks(shape.cell) * state);
    const kept = block(cache.kept, s, state);
    addOutputGradient(call, timeOf, s, dh);
    if (report) reportStepBefore(report, call, b => timeOf(s, b), dh, gates);
    const waiting = call.lengths ? withoutStep(b => timeOf(s, b), batch, hiddenSize, dh, dc) : [];
    dhPrev.fill(0);
    cell.backward({
      batch,
      hiddenSize,
      weightHh: weights.weightHh,
      gates,
      kept,
      hPrev: block(cache.h, s, state),
      h: block(cache.h, s + 1, state),
      cPrev: block(cache.c, s, state),
      c: block(cache.c, s + 1, state),
      dh,
      dhPrev,
      dc,
      dcPrev,
    });
    if (report) reportStepAfter(report, call, b => timeOf(s, b), dc);
    for (const { b, dhRow, dcRow } of waiting) {
      block(gates, b, gates.length / batch).fill(0);
      block(kept, b, hiddenSize).fill(0);
      dhPrev.set(dhRow, b * hiddenSize);
      dcPrev.set(dcRow, b * hiddenSize);
    }
    [dh, dhPrev, dc, dcPrev] = [dhPrev, dh, dcPrev, dc];
  }
  call.dh0?.data.set(dh, call.dh0.offset);
  call.dc0?.data.set(dc, call.dc0.offset);
}

/** dh (B, H) += what the loss takes directly from the outputs of this step. */
function addOutputGradient(
  { shape, dy }: RecurrentBackward,
  timeOf: TimeOf,
  s: number,
  dh: Float32Array,
): void {
  if (!dy) return;
  const { batch, hiddenSize } = shape;
  for (let b = 0; b < batch; b++) {
    const t = timeOf(s, b);
    if (t < 0) continue;
    const from = dy.offset + (t * batch + b) * hiddenSize;
    for (let j = 0; j < hiddenSize; j++) dh[b * hiddenSize + j]! += dy.data[from + j]!;
  }
}

/** Copies of the gradients of sequences that have no such step: they hand them on untouched. */
function withoutStep(
  timeOf: (b: number) => number,
  batch: number,
  hiddenSize: number,
  dh: Float32Array,
  dc: Float32Array,
): { b: number; dhRow: Float32Array; dcRow: Float32Array }[] {
  const ended = Array.from({ length: batch }, (_, b) => b).filter(b => timeOf(b) < 0);
  const row = (rows: Float32Array, b: number) => block(rows, b, hiddenSize).slice();
  return ended.map(b => ({ b, dhRow: row(dh, b), dcRow: row(dc, b) }));
}

/** dW_ih = Σ_t dSums_tᵀ x_t, db_ih = Σ_t dSums_t; the recurrent side is the cell's. */
function weightGradients(call: RecurrentBackward, x: Slice, cache: Cache): void {
  const { shape, dWeightIh, dWeightHh, dBiasIh, dBiasHh } = call;
  const { batch, inputSize, hiddenSize } = shape;
  const rows = shape.seqLen * batch;
  const width = gateBlocks(shape.cell) * hiddenSize;
  clear(dWeightIh, width * inputSize);
  multiplyAdd(
    width,
    inputSize,
    rows,
    transposed(rowMajor(cache.gates, 0, width)),
    rowMajor(x.data, x.offset, inputSize),
    rowMajor(dWeightIh.data, dWeightIh.offset, inputSize),
  );
  if (dBiasIh) columnSums(rows, width, { data: cache.gates, offset: 0 }, dBiasIh);
  clear(dWeightHh, width * hiddenSize);
  referenceCells[shape.cell].recurrentGradients({
    batch,
    hiddenSize,
    rows,
    dGates: cache.gates,
    hPrev: cache.h,
    kept: cache.kept,
    dWeightHh,
    dBiasHh,
  });
}

/** dx (T·B, I) = dSums W_ih. */
function inputGradient({ shape, weights }: RecurrentBackward, dSums: Float32Array, dx: Slice): void {
  const { seqLen, batch, inputSize, hiddenSize } = shape;
  const width = gateBlocks(shape.cell) * hiddenSize;
  clear(dx, seqLen * batch * inputSize);
  const weightIh = rowMajor(weights.weightIh.data, weights.weightIh.offset, inputSize);
  const out = rowMajor(dx.data, dx.offset, inputSize);
  multiplyAdd(seqLen * batch, inputSize, width, rowMajor(dSums, 0, width), weightIh, out);
}
