// The runner of a recurrent layer: a cell over whole sequences. On our backend one fused kernel does it; elsewhere,
// and in tests, the cell's own steps do. Shapes: x (T, B, I), y (T, B, H), states (B, H).
import {
  add,
  cast,
  matMul,
  mul,
  notEqual,
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
import {
  lstmVariantRuns,
  type RecurrentReport,
  recurrent as recurrentKernel,
} from '../engine/kernels/recurrent.ts';
import { tap } from '../engine/kernels/tap.ts';
import { variant, variantRuns } from '../engine/kernels/variant.ts';
import { fusedKernels, provider, weightsChanged } from '../engine/storage.ts';
import { type Cell, type CellState, type CellWeights, NO_MASKS, normalised, type StepMasks } from './cell.ts';
import { maskedSteps } from './dropout.ts';
import { dense } from './operations.ts';
import type { SequenceMasks, Zoneout } from './recurrent-masks.ts';

export interface RunnerWeights extends CellWeights {
  /** (G·H, I) */
  weightIh: Tensor2D;
  /** (G·H) */
  biasIh: Tensor1D | null;
  /** (P, H): the output is W_hr h, and weightHh (G·H, P) reads it */
  weightHr?: Tensor2D | null;
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
  masks?: SequenceMasks | null;
}

export interface RunnerResult {
  /** (T, B, H), or P with a projection; zero beyond a sequence's length */
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
  const hasKernel = cell.fused && fusedKernels() && provider().cells.includes(cell.fused);
  const isPlain = !weights.peephole && !weights.norms && !options.masks;
  // what changes an LSTM inside of a step goes with the fused one; masks of what it reads do not
  const insideOfStep =
    cell.fused === 'lstm' && !weights.norms && !options.masks?.input && !options.masks?.recurrent;
  if (hasKernel && (isPlain || (insideOfStep && lstmVariantRuns())))
    return projected(weights, own => runFused(cell, x, forKernel(cell, own), options));
  // the kernel's norm is over four gates, where coupled ones are three
  const coupledNorm = weights.norms && cell.forKernel;
  if (hasKernel && variantRuns(cell.fused!) && !coupledNorm)
    return projected(weights, own => runVariant(cell, x, forKernel(cell, own), options));
  return runSteps(cell, x, weights, options);
}

/** The kernel of cells with what their fields change, from W_ih x + b of all steps. */
function runVariant(cell: Cell, x: Tensor3D, weights: RunnerWeights, options: RunnerOptions): RunnerResult {
  const { weightIh, weightHh, biasIh, biasHh, peephole, norms } = weights;
  const { masks = null, state, initial } = options;
  const [, batch] = x.shape;
  const read = masks?.input ? maskedSteps(x, masks.input) : x;
  // the recurrent bias of a GRU stands inside of the product with r
  const apart = cell.fused === 'gru-reset-after';
  const bias = biasIh && biasHh && !apart ? (add(biasIh, biasHh) as Tensor1D) : biasIh;
  const begin = (values: Float32Array | undefined, given: Tensor2D | undefined) =>
    values ? tensor2d(values, [batch, weightHh.shape[1]]) : given;
  const { y, hN, cN } = variant(
    {
      projected: dense(read, weightIh, norms ? null : bias),
      weightHh,
      biasHh: apart ? (biasHh ?? undefined) : undefined,
      h0: begin(state?.h, initial?.h),
      c0: begin(state?.c, initial?.c),
      peephole: peephole ?? undefined,
      ...(norms ? { gainHidden: norms.hidden, gainInput: norms.input, bias: bias! } : {}),
      gainCell: norms?.cellWeight,
      biasCell: norms?.cellBias,
    },
    {
      cell: cell.fused!,
      reverse: options.reverse ?? false,
      lengths: options.lengths,
      stateMask: masks?.recurrent ?? null,
      updateMask: masks?.update ?? null,
      zoneoutH: masks?.zoneout?.h ?? null,
      zoneoutC: masks?.zoneout?.c ?? null,
      zoneout: masks?.zoneout?.rate ?? 0,
      onReport: options.report,
    },
  );
  const last: CellState = cN ? { h: hN, c: cN } : { h: hN };
  return { y, state: copied(last), last: options.lastStates ? last : null };
}

/**
 * With a projection, W_hh h_{t-1} is (W_hh W_hr) r_{t-1} of r = o ⊙ tanh(c): the cell runs on r with that product as its
 * recurrent weights, and W_hr is applied to all outputs at once. States are r, so that they are as wide as c.
 */
function projected(weights: RunnerWeights, run: (weights: RunnerWeights) => RunnerResult): RunnerResult {
  const { weightHr, ...rest } = weights;
  if (!weightHr) return run(weights);
  const weightHh: Tensor2D = matMul(weights.weightHh, weightHr);
  const result = run(renewed({ ...rest, weightHh }));
  return { ...result, y: dense(result.y, weightHr, null) };
}

function forKernel(cell: Cell, weights: RunnerWeights): RunnerWeights {
  if (!cell.forKernel) return weights;
  const units = weights.weightHh.shape[1];
  const { weightIh, weightHh, biasIh, biasHh, peephole } = weights;
  return renewed({
    ...weights,
    peephole: peephole && cell.forKernel(peephole, units),
    weightIh: cell.forKernel(weightIh, units),
    weightHh: cell.forKernel(weightHh, units),
    biasIh: biasIh && cell.forKernel(biasIh, units),
    biasHh: biasHh && cell.forKernel(biasHh, units),
  });
}

/** Weights made for one pass may stand where others stood before, of which packed copies are known. */
export function renewed<Weights>(weights: Weights): Weights {
  weightsChanged();
  return weights;
}

function runFused(cell: Cell, x: Tensor3D, weights: RunnerWeights, options: RunnerOptions): RunnerResult {
  const { weightIh, weightHh, biasIh, biasHh, peephole } = weights;
  const { masks } = options;
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
      ...(peephole ? { peephole } : {}),
    },
    {
      cell: cell.fused!,
      lengths: options.lengths,
      reverse: options.reverse,
      inputGradient: options.inputGradient,
      lastStates: options.lastStates,
      onReport: options.report,
      ...(masks
        ? {
            masks: {
              updateMask: masks.update,
              zoneoutH: masks.zoneout?.h ?? null,
              zoneoutC: masks.zoneout?.c ?? null,
              zoneout: masks.zoneout?.rate ?? 0,
            },
          }
        : {}),
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
  return projected(weights, own => stepAfterStep(cell, x, own, options));
}

function stepAfterStep(
  cell: Cell,
  x: Tensor3D,
  weights: RunnerWeights,
  options: RunnerOptions,
): RunnerResult {
  const [seqLen, batch, inputSize] = x.shape;
  const units = weights.weightHh.shape[1];
  const { masks = null } = options;
  const read = masks?.input ? (mul(x, reshape(masks.input, [1, batch, inputSize])) as Tensor3D) : x;
  const product: Tensor2D = matMul(
    reshape(read, [seqLen * batch, inputSize]) as Tensor2D,
    weights.weightIh,
    false,
    true,
  );
  const rows = weights.norms ? (mul(normalised(product), weights.norms.input) as Tensor2D) : product;
  const inputs: Tensor2D = weights.biasIh ? add<Tensor2D>(rows, weights.biasIh) : rows;
  // one slice a step: tfjs's unstack has no gradient for a single step
  const inputAt = (t: number) => slice(inputs, [t * batch, 0], [batch, rows.shape[1]]);

  const start = (values: Float32Array | undefined, initial: Tensor2D | undefined): Tensor2D =>
    values ? tensor2d(values, [batch, units]) : (initial ?? zeros([batch, units]));
  let state: CellState = { h: start(options.state?.h, options.initial?.h) };
  if (cell.hasCellState) state.c = start(options.state?.c, options.initial?.c);
  const tapped = options.report && stepTaps(seqLen, options);
  const outputs: Tensor2D[] = [];
  for (let s = 0; s < seqLen; s++) {
    // from the end, a sequence waits in its first state until its last valid step is reached
    const t = options.reverse ? seqLen - 1 - s : s;
    const stepped = cell.step(inputAt(t), state, weights, masks ? masksAt(masks, t) : NO_MASKS);
    const made = masks?.zoneout ? zoned(masks.zoneout, t, stepped, state) : stepped;
    const next = tapped ? { ...made, h: tapped(made.h, t) } : made;
    const valid = options.lengths && validAt(options.lengths, t);
    outputs[t] = valid ? mul(next.h, valid) : next.h;
    state = valid ? keepEnded(valid, next, state) : next;
  }
  const y = stack(outputs) as Tensor3D;
  return { y, state: copied(state), last: options.lastStates ? state : null };
}

function masksAt({ recurrent, update }: SequenceMasks, t: number): StepMasks {
  return { read: recurrent, update: update && rowsAt(update, t) };
}

/** (T, B, H) → (B, H) */
function rowsAt(mask: Tensor3D, t: number): Tensor2D {
  const [, batch, units] = mask.shape;
  return reshape(slice(mask, [t, 0, 0], [1, batch, units]), [batch, units]);
}

/** Units that stay as they were, or the mean of both. */
function zoned({ rate, h, c }: Zoneout, t: number, next: CellState, last: CellState): CellState {
  const mix = (mask: Tensor3D | null, after: Tensor2D, before: Tensor2D): Tensor2D => {
    const moves = mask ? cast(notEqual(rowsAt(mask, t), 0), 'float32') : 1 - rate;
    return add(before, mul(sub(after, before), moves));
  };
  const mixed = mix(h, next.h, last.h);
  return next.c && last.c ? { h: mixed, c: mix(c, next.c, last.c) } : { h: mixed };
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
