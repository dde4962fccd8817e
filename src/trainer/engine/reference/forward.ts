// A whole sequence forward: the runner owns time, direction and lengths, and calls a cell for each step.
import { gateBlocks, type RecurrentForward, type Slice } from '../provider.ts';
import { referenceCells } from './cells.ts';
import { fillRows, multiplyAdd, rowMajor, transposed } from './gemm.ts';
import { block, type Cache, cacheIn, copyOrZero, parts } from './memory.ts';
import { timesOf, toStepOrder, toTimeOrder } from './step-order.ts';

export function recurrentForward(call: RecurrentForward): void {
  const { shape, lengths, y, hN, cN } = call;
  const { seqLen, batch, inputSize, hiddenSize } = shape;
  const state = batch * hiddenSize;
  const timeOf = timesOf(call);
  const scratch = parts(call.scratch);
  const x = toStepOrder(call, timeOf, scratch(seqLen * batch * inputSize));
  const cache = cacheIn(shape, call.cache ? parts(call.cache) : scratch);

  projectInput(call, x, cache.gates);
  copyOrZero(call.h0, block(cache.h, 0, state));
  if (cN) copyOrZero(call.c0, block(cache.c, 0, state));
  for (let s = 0; s < seqLen; s++) {
    forwardStep(call, cache, s);
    if (!lengths) continue;
    for (let b = 0; b < batch; b++) {
      if (timeOf(s, b) >= 0) continue;
      keepState(cache.h, (s + 1) * state + b * hiddenSize, state, hiddenSize);
      if (cN) keepState(cache.c, (s + 1) * state + b * hiddenSize, state, hiddenSize);
    }
  }
  toTimeOrder(shape, timeOf, hiddenSize, cache.h.subarray(state), y);
  hN.data.set(block(cache.h, seqLen, state), hN.offset);
  cN?.data.set(block(cache.c, seqLen, state), cN.offset);
}

/** All steps through the input weights in one product: sums (T·B, G·H) = x W_ihᵀ + b_ih. */
function projectInput({ shape, weights }: RecurrentForward, x: Slice, sums: Float32Array): void {
  const { seqLen, batch, inputSize, hiddenSize } = shape;
  const width = gateBlocks(shape.cell) * hiddenSize;
  const out = rowMajor(sums, 0, width);
  fillRows(seqLen * batch, width, weights.biasIh, out);
  const weightIh = transposed(rowMajor(weights.weightIh.data, weights.weightIh.offset, inputSize));
  multiplyAdd(seqLen * batch, width, inputSize, rowMajor(x.data, x.offset, inputSize), weightIh, out);
}

function forwardStep({ shape, weights }: RecurrentForward, cache: Cache, s: number): void {
  const { batch, hiddenSize } = shape;
  const state = batch * hiddenSize;
  referenceCells[shape.cell].forward({
    batch,
    hiddenSize,
    weightHh: weights.weightHh,
    biasHh: weights.biasHh,
    gates: block(cache.gates, s, gateBlocks(shape.cell) * state),
    kept: block(cache.kept, s, state),
    hPrev: block(cache.h, s, state),
    h: block(cache.h, s + 1, state),
    cPrev: block(cache.c, s, state),
    c: block(cache.c, s + 1, state),
  });
}

/** A sequence that has ended keeps its state. */
function keepState(states: Float32Array, at: number, stateSize: number, hiddenSize: number): void {
  states.copyWithin(at, at - stateSize, at - stateSize + hiddenSize);
}
