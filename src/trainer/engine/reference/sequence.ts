// The runner: owns time, direction, lengths and memory, and calls a cell for each step. Inside, sequences stand
// in *step order*: step s of a sequence is its s-th step read, so that reversed and shorter ones need no cases.
import {
  gateBlocks,
  type IntSlice,
  type RecurrentBackward,
  type RecurrentCell,
  type RecurrentForward,
  type RecurrentMemory,
  type RecurrentShape,
  type Slice,
} from '../provider.ts';
import type { ReferenceCell } from './cell.ts';
import { columnSums, fillRows, multiplyAdd, rowMajor, transposed } from './gemm.ts';
import { gruResetAfter } from './gru-reset-after.ts';
import { gruResetBefore } from './gru-reset-before.ts';
import { lstm } from './lstm.ts';
import { reportCellGradient, reportGates, reportHiddenGradient } from './report.ts';
import { rnnRelu, rnnTanh } from './rnn.ts';

export const referenceCells: Readonly<Record<RecurrentCell, ReferenceCell>> = {
  'rnn-tanh': rnnTanh,
  'rnn-relu': rnnRelu,
  lstm,
  'gru-reset-after': gruResetAfter,
  'gru-reset-before': gruResetBefore,
};

/** The parts of the cache: gates (T, B, G·H), h and c (T+1, B, H) with the initial states first, kept (T, B, H). */
function cacheSizes(shape: RecurrentShape) {
  const perStep = shape.batch * shape.hiddenSize;
  const states = (shape.seqLen + 1) * perStep;
  return {
    gates: shape.seqLen * perStep * gateBlocks(shape.cell),
    h: states,
    c: shape.cell === 'lstm' ? states : 0,
    kept: referenceCells[shape.cell].keeps ? shape.seqLen * perStep : 0,
  };
}

export function recurrentMemory(shape: RecurrentShape): RecurrentMemory {
  const sizes = cacheSizes(shape);
  const cache = sizes.gates + sizes.h + sizes.c + sizes.kept;
  const input = shape.seqLen * shape.batch * shape.inputSize;
  const state = shape.batch * shape.hiddenSize;
  return { packed: 0, cache, forwardScratch: input + cache, backwardScratch: 2 * input + 4 * state };
}

function takeCache(shape: RecurrentShape, slice: Slice) {
  const sizes = cacheSizes(shape);
  const take = taker(slice);
  return { gates: take(sizes.gates), h: take(sizes.h), c: take(sizes.c), kept: take(sizes.kept) };
}

/** Cuts a slice into consecutive parts. */
function taker({ data, offset }: Slice): (floats: number) => Float32Array {
  return floats => data.subarray(offset, (offset += floats));
}

/** Block s of a (T, …) array; empty when the array is. */
function block(array: Float32Array, s: number, size: number): Float32Array {
  return array.subarray(s * size, Math.min((s + 1) * size, array.length));
}

/** Where step s of each sequence stands in time, -1 when it has no such step. */
function timeOf({ seqLen, reverse }: RecurrentShape, lengths: IntSlice | null) {
  return (s: number, b: number): number => {
    const length = lengths ? lengths.data[lengths.offset + b]! : seqLen;
    if (s >= length) return -1;
    return reverse ? length - 1 - s : s;
  };
}

/** x itself where step order is time order, else a copy in step order with zeros where a sequence has no step. */
function inStepOrder(call: RecurrentForward | RecurrentBackward, room: Float32Array): Slice {
  const { shape, x, lengths } = call;
  if (!shape.reverse && !lengths) return x;
  const { seqLen, batch, inputSize } = shape;
  const timeAt = timeOf(shape, lengths);
  room.fill(0);
  for (let s = 0; s < seqLen; s++) {
    for (let b = 0; b < batch; b++) {
      const t = timeAt(s, b);
      if (t < 0) continue;
      const from = x.offset + (t * batch + b) * inputSize;
      room.set(x.data.subarray(from, from + inputSize), (s * batch + b) * inputSize);
    }
  }
  return { data: room, offset: 0 };
}

export function recurrentForward(call: RecurrentForward): void {
  const { shape, weights, lengths, y, hN, cN } = call;
  const { seqLen, batch, inputSize, hiddenSize } = shape;
  const cell = referenceCells[shape.cell];
  const width = gateBlocks(shape.cell) * hiddenSize;
  const state = batch * hiddenSize;
  const take = taker(call.scratch);
  const x = inStepOrder(call, take(seqLen * batch * inputSize));
  const cache = takeCache(
    shape,
    call.cache ?? { data: call.scratch.data, offset: call.scratch.offset + seqLen * batch * inputSize },
  );

  // 1. the whole sequence through the input weights
  const sums = rowMajor(cache.gates, 0, width);
  fillRows(seqLen * batch, width, weights.biasIh, sums);
  const weightIh = transposed(rowMajor(weights.weightIh.data, weights.weightIh.offset, inputSize));
  multiplyAdd(seqLen * batch, width, inputSize, rowMajor(x.data, x.offset, inputSize), weightIh, sums);

  // 2. the recurrence
  copyOrZero(call.h0, cache.h.subarray(0, state));
  if (cN) copyOrZero(call.c0, cache.c.subarray(0, state));
  const timeAt = timeOf(shape, lengths);
  for (let s = 0; s < seqLen; s++) {
    cell.forward({
      batch,
      hiddenSize,
      weightHh: weights.weightHh,
      biasHh: weights.biasHh,
      gates: block(cache.gates, s, batch * width),
      kept: block(cache.kept, s, state),
      hPrev: block(cache.h, s, state),
      h: block(cache.h, s + 1, state),
      cPrev: block(cache.c, s, state),
      c: block(cache.c, s + 1, state),
    });
    for (let b = 0; b < batch; b++) {
      const t = timeAt(s, b);
      const at = (s + 1) * state + b * hiddenSize;
      if (t < 0) {
        // a sequence that has ended keeps its state
        cache.h.copyWithin(at, at - state, at - state + hiddenSize);
        if (cN) cache.c.copyWithin(at, at - state, at - state + hiddenSize);
      } else if (y) {
        const to = y.offset + (t * batch + b) * hiddenSize;
        y.data.set(cache.h.subarray(at, at + hiddenSize), to);
      }
    }
  }
  if (y && lengths) zeroBeyond(shape, lengths, y, hiddenSize);
  hN.data.set(cache.h.subarray(seqLen * state), hN.offset);
  cN?.data.set(cache.c.subarray(seqLen * state), cN.offset);
}

export function recurrentBackward(call: RecurrentBackward): void {
  const { shape, weights, lengths, dy, dx, report } = call;
  const { seqLen, batch, inputSize, hiddenSize } = shape;
  const cell = referenceCells[shape.cell];
  const width = gateBlocks(shape.cell) * hiddenSize;
  const state = batch * hiddenSize;
  const rows = seqLen * batch;
  const take = taker(call.scratch);
  const x = inStepOrder(call, take(rows * inputSize));
  const dxRoom = take(rows * inputSize);
  let [dh, dhPrev, dc, dcPrev] = [take(state), take(state), take(state), take(state)];
  const cache = takeCache(shape, call.cache);

  // 1. back through time; cache.gates turns from activations into the gradients of their sums
  copyOrZero(call.dhN, dh);
  copyOrZero(call.dcN, dc);
  const timeAt = timeOf(shape, lengths);
  if (report) clearReport(report, seqLen, width / hiddenSize);
  for (let s = seqLen - 1; s >= 0; s--) {
    const gates = block(cache.gates, s, batch * width);
    const kept = block(cache.kept, s, state);
    if (dy) {
      for (let b = 0; b < batch; b++) {
        const t = timeAt(s, b);
        if (t < 0) continue;
        const from = dy.offset + (t * batch + b) * hiddenSize;
        for (let j = 0; j < hiddenSize; j++) dh[b * hiddenSize + j]! += dy.data[from + j]!;
      }
    }
    const times = { seqLen, batch, hiddenSize, lengths, timeOf: (b: number) => timeAt(s, b) };
    if (report) {
      reportHiddenGradient(report, times, dh);
      reportGates(report, shape.cell, times, gates);
    }
    // a sequence without this step hands its gradients on untouched
    const waiting = rowsWithoutStep(b => timeAt(s, b), batch, hiddenSize, dh, dc);
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
    if (report) reportCellGradient(report, times, dc);
    for (const { b, dhRow, dcRow } of waiting) {
      gates.fill(0, b * width, (b + 1) * width);
      if (cell.keeps) kept.fill(0, b * hiddenSize, (b + 1) * hiddenSize);
      dhPrev.set(dhRow, b * hiddenSize);
      dcPrev.set(dcRow, b * hiddenSize);
    }
    [dh, dhPrev, dc, dcPrev] = [dhPrev, dh, dcPrev, dc];
  }
  call.dh0?.data.set(dh, call.dh0.offset);
  call.dc0?.data.set(dc, call.dc0.offset);

  // 2. the weights, each as one product over all steps
  const dGates = rowMajor(cache.gates, 0, width);
  const { dWeightIh, dWeightHh, dBiasIh, dBiasHh } = call;
  clear(dWeightIh, width * inputSize);
  multiplyAdd(
    width,
    inputSize,
    rows,
    transposed(dGates),
    rowMajor(x.data, x.offset, inputSize),
    rowMajor(dWeightIh.data, dWeightIh.offset, inputSize),
  );
  if (dBiasIh) columnSums(rows, width, { data: cache.gates, offset: 0 }, dBiasIh);
  clear(dWeightHh, width * hiddenSize);
  const { gates, h, kept } = cache;
  cell.recurrentGradients({
    batch,
    hiddenSize,
    rows,
    dGates: gates,
    hPrev: h,
    kept,
    dWeightHh,
    dBiasHh,
  });

  // 3. the input
  if (!dx) return;
  const direct = x === call.x;
  const out = direct ? dx : { data: dxRoom, offset: 0 };
  clear(out, rows * inputSize);
  const weightIh = rowMajor(weights.weightIh.data, weights.weightIh.offset, inputSize);
  multiplyAdd(rows, inputSize, width, dGates, weightIh, rowMajor(out.data, out.offset, inputSize));
  if (!direct) intoTimeOrder(call, dxRoom, dx);
}

function intoTimeOrder({ shape, lengths }: RecurrentBackward, steps: Float32Array, out: Slice): void {
  const { seqLen, batch, inputSize } = shape;
  const timeAt = timeOf(shape, lengths);
  clear(out, seqLen * batch * inputSize);
  for (let s = 0; s < seqLen; s++) {
    for (let b = 0; b < batch; b++) {
      const t = timeAt(s, b);
      if (t < 0) continue;
      const from = (s * batch + b) * inputSize;
      out.data.set(steps.subarray(from, from + inputSize), out.offset + (t * batch + b) * inputSize);
    }
  }
}

function rowsWithoutStep(
  timeAt: (b: number) => number,
  batch: number,
  hiddenSize: number,
  dh: Float32Array,
  dc: Float32Array,
) {
  const rows: { b: number; dhRow: Float32Array; dcRow: Float32Array }[] = [];
  for (let b = 0; b < batch; b++) {
    if (timeAt(b) >= 0) continue;
    const [from, to] = [b * hiddenSize, (b + 1) * hiddenSize];
    rows.push({ b, dhRow: dh.slice(from, to), dcRow: dc.slice(from, to) });
  }
  return rows;
}

function clearReport(report: NonNullable<RecurrentBackward['report']>, seqLen: number, gates: number): void {
  clear(report.hiddenGradNorm, seqLen);
  if (report.cellGradNorm) clear(report.cellGradNorm, seqLen);
  if (report.gateMean) clear(report.gateMean, gates * seqLen);
  if (report.gateSaturation) clear(report.gateSaturation, gates * seqLen);
}

function zeroBeyond({ seqLen, batch }: RecurrentShape, lengths: IntSlice, y: Slice, width: number): void {
  for (let b = 0; b < batch; b++) {
    for (let t = lengths.data[lengths.offset + b]!; t < seqLen; t++) {
      const at = y.offset + (t * batch + b) * width;
      y.data.fill(0, at, at + width);
    }
  }
}

function clear({ data, offset }: Slice, size: number): void {
  data.fill(0, offset, offset + size);
}

function copyOrZero(from: Slice | null, to: Float32Array): void {
  if (from) to.set(from.data.subarray(from.offset, from.offset + to.length));
  else to.fill(0);
}
