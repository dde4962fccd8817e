// The runner of a recurrent layer: a cell over whole sequences. On our backend one fused kernel does it; elsewhere,
// and in tests, the cell's own steps do. Shapes: x (T, B, I), y (T, B, H), states (B, H).
import {
  add,
  matMul,
  mul,
  reshape,
  slice,
  stack,
  sub,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor2d,
  zeros,
} from '@tensorflow/tfjs-core';
import { type RecurrentReport, recurrent as recurrentKernel } from '../engine/kernels/recurrent.ts';
import { tap } from '../engine/kernels/tap.ts';
import { fusedKernels, provider } from '../engine/storage.ts';
import type { Cell, CellState, CellWeights } from './cell.ts';

export interface RunnerWeights extends CellWeights {
  /** (G·H, I) */
  weightIh: Tensor2D;
  /** (G·H) */
  biasIh: Tensor1D | null;
}

/** Plain copies, (batch, units) each. */
export interface CellArrays {
  h: Float32Array;
  c?: Float32Array;
}

export interface RunnerOptions {
  lengths: Int32Array | null;
  state: CellArrays | null;
  /** (B, H) to start in, with gradients; used where `state` is null */
  initial?: CellState | null;
  /** whether the last states are wanted as tensors, through which a gradient flows */
  lastStates?: boolean;
  /** read each sequence from its last valid step to its first; y keeps the places of x */
  reverse?: boolean;
  /** whether a gradient with respect to x is needed */
  inputGradient: boolean;
  report?: ((report: RecurrentReport) => void) | undefined;
}

export interface RunnerResult {
  /** zero beyond a sequence's length */
  y: Tensor3D;
  state: CellArrays;
  /** the same with gradients, where they were asked for */
  last: CellState | null;
}

export function runSequence(
  cell: Cell,
  x: Tensor3D,
  weights: RunnerWeights,
  options: RunnerOptions,
): RunnerResult {
  if (cell.fused && fusedKernels() && provider().cells.includes(cell.fused))
    return runFused(cell, x, weights, options);
  return runSteps(cell, x, weights, options);
}

function runFused(cell: Cell, x: Tensor3D, weights: RunnerWeights, options: RunnerOptions): RunnerResult {
  const { weightIh, weightHh, biasIh, biasHh } = weights;
  const [, batch] = x.shape;
  const stateTensor = (values: Float32Array | undefined) =>
    values && tensor2d(values, [batch, weightHh.shape[1]]);
  const { y, hN, cN, last } = recurrentKernel(
    {
      x,
      weightIh,
      weightHh,
      biasIh: biasIh ?? undefined,
      biasHh: biasHh ?? undefined,
      h0: stateTensor(options.state?.h) ?? options.initial?.h,
      c0: stateTensor(options.state?.c) ?? options.initial?.c,
    },
    {
      cell: cell.fused!,
      lengths: options.lengths,
      reverse: options.reverse,
      inputGradient: options.inputGradient,
      lastStates: options.lastStates,
      onReport: options.report,
    },
  );
  return {
    y,
    state: cN ? { h: hN, c: cN } : { h: hN },
    last: last && (last.c ? { h: last.h, c: last.c } : { h: last.h }),
  };
}

/**
 * The unfused composition. Its report has the gradient norms alone, from a tap on each h_t. What stands beyond a
 * sequence's length must be finite.
 */
export function runSteps(
  cell: Cell,
  x: Tensor3D,
  weights: RunnerWeights,
  options: RunnerOptions,
): RunnerResult {
  const [seqLen, batch, inputSize] = x.shape;
  const units = weights.weightHh.shape[1];
  const rows: Tensor2D = matMul(
    reshape(x, [seqLen * batch, inputSize]) as Tensor2D,
    weights.weightIh,
    false,
    true,
  );
  const projected: Tensor2D = weights.biasIh ? add<Tensor2D>(rows, weights.biasIh) : rows;
  // one slice a step: tfjs's unstack has no gradient for a single step
  const inputAt = (t: number) => slice(projected, [t * batch, 0], [batch, rows.shape[1]]);

  const start = (values: Float32Array | undefined, initial: Tensor2D | undefined): Tensor2D =>
    values ? tensor2d(values, [batch, units]) : (initial ?? zeros([batch, units]));
  let state: CellState = { h: start(options.state?.h, options.initial?.h) };
  if (cell.hasCellState) state.c = start(options.state?.c, options.initial?.c);
  const tapped = options.report && stepTaps(seqLen, options);
  const outputs: Tensor2D[] = [];
  for (let s = 0; s < seqLen; s++) {
    // from the end, a sequence waits in its first state until its last valid step is reached
    const t = options.reverse ? seqLen - 1 - s : s;
    const made = cell.step(inputAt(t), state, weights);
    const next = tapped ? { ...made, h: tapped(made.h, t) } : made;
    const valid = options.lengths && validAt(options.lengths, t);
    outputs[t] = valid ? mul(next.h, valid) : next.h;
    state = valid ? keepEnded(valid, next, state) : next;
  }
  const y = stack(outputs) as Tensor3D;
  return { y, state: copied(state), last: options.lastStates ? state : null };
}

/**
 * Taps h_t (B, H) of one step after another. The backward pass reaches the step that was read first last: then all are
 * known. With lengths, the step that a sequence reads last stands at its end of the report, as the fused kernels have it.
 */
export function stepTaps(
  seqLen: number,
  { lengths, reverse, report }: Pick<RunnerOptions, 'lengths' | 'reverse' | 'report'>,
) {
  const hiddenGradNorm = new Float32Array(seqLen);
  const first = reverse ? seqLen - 1 : 0;
  const sequencesAt = (column: number) =>
    lengths!.reduce((n, length) => n + Number(length > (reverse ? column : seqLen - 1 - column)), 0);
  const take = (t: number, norms: Float32Array) => {
    if (!lengths) hiddenGradNorm[t] = norms[0]!;
    else
      lengths.forEach((length, b) => {
        if (t >= length) return;
        const column = reverse ? t : t + seqLen - length;
        hiddenGradNorm[column]! += norms[b]! / sequencesAt(column);
      });
    if (t === first) report?.({ hiddenGradNorm });
  };
  return (h: Tensor2D, t: number): Tensor2D => {
    const [batch, units] = h.shape;
    // the mean of all sequences, or the norm of each
    const rows: Tensor3D = reshape(h, lengths ? [batch, 1, units] : [1, batch, units]);
    return reshape(
      tap(rows, norms => take(t, norms)),
      [batch, units],
    );
  };
}

/** (B, 1): 1 where a sequence has step t. */
function validAt(lengths: Int32Array, t: number): Tensor2D {
  return tensor2d(
    Float32Array.from(lengths, length => (t < length ? 1 : 0)),
    [lengths.length, 1],
  );
}

/** A sequence that has ended keeps its state. */
function keepEnded(valid: Tensor2D, next: CellState, last: CellState): CellState {
  const blend = (a: Tensor2D, b: Tensor2D): Tensor2D => add(mul(a, valid), mul(b, sub(1, valid)));
  const h = blend(next.h, last.h);
  return next.c && last.c ? { h, c: blend(next.c, last.c) } : { h };
}

function copied({ h, c }: CellState): CellArrays {
  const copy = (tensor: Tensor2D) => Float32Array.from(tensor.dataSync());
  return c ? { h: copy(h), c: copy(c) } : { h: copy(h) };
}
