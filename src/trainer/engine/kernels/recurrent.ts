// A whole sequence through one recurrent layer as one kernel. The gradient runs the provider's backward pass once,
// at the first thunk that is asked, and hands each thunk its own array. Outputs: y, and where they are asked for as
// tensors the last states hN and cN, so that a loss behind them reaches the layer.
import type { NamedTensorMap, Tensor, Tensor2D, Tensor3D, TensorInfo } from '@tensorflow/tfjs-core';
import { tensor } from '@tensorflow/tfjs-core';
import { newFloats } from '../pool.ts';
import {
  GATES,
  gateBlocks,
  type IntSlice,
  type RecurrentCell,
  type RecurrentShape,
  type Slice,
} from '../provider.ts';
import {
  borrow,
  floats,
  fusedKernels,
  giveBack,
  holdForTape,
  packedOf,
  provider,
  scratchOf,
  tapeIsOn,
  whole,
} from '../storage.ts';
import type { LstmFields } from '../variants.ts';
import { type EngineKernel, output, runKernel, runKernels } from './kernel.ts';

export interface RecurrentInputs {
  /** (T, B, I) */
  x: Tensor3D;
  /** (G·H, I), (G·H, H), (G·H), (G·H) in PyTorch's gate order; a bias that is left out is zero */
  weightIh: Tensor;
  weightHh: Tensor;
  biasIh?: Tensor;
  biasHh?: Tensor;
  /** (B, H); left out: zeros. A gradient flows into them. */
  h0?: Tensor;
  c0?: Tensor;
  /** (3·H) of i, f, o; LSTM only, where `lstmVariantRuns` */
  peephole?: Tensor;
}

/** What else changes an LSTM inside of a step: LstmFields, with masks (T, B, H) that have no gradient. */
export interface LstmMasks {
  updateMask: Tensor | null;
  zoneoutH: Tensor | null;
  zoneoutC: Tensor | null;
  zoneout: number;
}

/**
 * By-products of one recurrent layer's passes. Arrays are lent until the layer's next backward pass. With lengths, all
 * sequences share the column of the step that they read last: T-1, or 0 of a reversed reading.
 */
export interface RecurrentReport {
  /** (seqLen): mean over the batch of ‖∂L/∂h_t‖₂, t = 0…T-1 */
  hiddenGradNorm: Float32Array;
  /** (seqLen): the same of ∂L/∂c_t; LSTM only */
  cellGradNorm?: Float32Array;
  /** (gates, seqLen): mean over batch and units of each gate's activation */
  gateMean?: Float32Array;
  /** (gates, seqLen): share of activations within 0.1 of the ends of their range */
  gateSaturation?: Float32Array;
}

export interface RecurrentOptions {
  cell: RecurrentCell;
  reverse?: boolean;
  lengths?: Int32Array | null;
  /** false when x depends on no variable: its gradient is then not computed (default true) */
  inputGradient?: boolean;
  /** whether the last states are wanted as tensors, through which a gradient flows (default false) */
  lastStates?: boolean;
  /** called once in the backward pass */
  onReport?: (report: RecurrentReport) => void;
  /** LSTM only, where `lstmVariantRuns` */
  masks?: LstmMasks;
}

export interface RecurrentResult {
  /** (T, B, H), zero beyond a sequence's length */
  y: Tensor3D;
  /** (B, H) after each sequence's last step; plain copies, no gradient flows through them */
  hN: Float32Array;
  cN: Float32Array | null;
  /** the same as tensors with gradients, where `lastStates` asks for them; c: LSTM only */
  last: { h: Tensor2D; c: Tensor2D | null } | null;
}

export interface RecurrentContext extends Required<Omit<RecurrentOptions, 'onReport' | 'masks'>> {
  onReport: RecurrentOptions['onReport'];
  /** of the arrays alone, since the tensors of masks are gone on the way back; null: a plain cell */
  fields?: Omit<LstmFields, 'peephole'> | null;
  shape: RecurrentShape;
  hN: Float32Array;
  cN: Float32Array | null;
  arrays?: Record<string, Float32Array | undefined>;
  y?: Float32Array;
  cache?: Float32Array;
  gradients?: Record<string, Float32Array>;
}

export function recurrent(inputs: RecurrentInputs, options: RecurrentOptions): RecurrentResult {
  const shape = checkedShape(inputs, options);
  const states = shape.batch * shape.hiddenSize;
  const context: RecurrentContext = {
    cell: options.cell,
    reverse: options.reverse ?? false,
    lengths: options.lengths ?? null,
    inputGradient: options.inputGradient ?? true,
    lastStates: options.lastStates ?? false,
    onReport: options.onReport,
    fields: fieldsOf(inputs, options),
    shape,
    hN: newState(states),
    cN: options.cell === 'lstm' ? newState(states) : null,
  };
  const tensors: NamedTensorMap = {};
  for (const name in inputs) {
    const input = inputs[name as keyof RecurrentInputs];
    if (input) tensors[name] = input;
  }
  const { hN, cN } = context;
  if (!context.lastStates)
    return { y: runKernel<Tensor3D>('UnrollRecurrent', tensors, context), hN, cN, last: null };
  const [y, h, c] = runKernels('UnrollRecurrent', tensors, context);
  return { y: y as Tensor3D, hN, cN, last: { h: h as Tensor2D, c: (c as Tensor2D | undefined) ?? null } };
}

/** Arrays of states that nobody keeps, by length: fresh ones at every step are work for the garbage collector. */
const spareStates = new Map<number, Float32Array[]>();
const ownStates = new WeakSet<Float32Array>();
const MOST_SPARE = 16;

function newState(size: number): Float32Array {
  const spare = spareStates.get(size)?.pop();
  if (spare) return spare;
  const made = new Float32Array(size);
  ownStates.add(made);
  return made;
}

/** These are read no more, by anybody. Those that were not made here are left alone. */
export function giveBackStates(states: Iterable<Float32Array>): void {
  for (const values of states) {
    if (!ownStates.has(values)) continue;
    const same = spareStates.get(values.length);
    if (same) {
      if (same.length < MOST_SPARE) same.push(values);
      continue;
    }
    if (spareStates.size >= MOST_SPARE) spareStates.clear();
    spareStates.set(values.length, [values]);
  }
}

/** Whether an LSTM's peepholes and masks are computed inside of the fused steps. */
export function lstmVariantRuns(): boolean {
  return fusedKernels() && provider().lstmVariantForward !== undefined;
}

function fieldsOf({ peephole }: RecurrentInputs, { masks }: RecurrentOptions): RecurrentContext['fields'] {
  if (!peephole && !masks) return null;
  const array = (mask: Tensor | null | undefined) => (mask ? whole(floats(mask)) : null);
  return {
    updateMask: array(masks?.updateMask),
    zoneoutH: array(masks?.zoneoutH),
    zoneoutC: array(masks?.zoneoutC),
    zoneout: masks?.zoneout ?? 0,
  };
}

function checkedShape(inputs: RecurrentInputs, { cell, reverse, lengths }: RecurrentOptions): RecurrentShape {
  const [seqLen, batch, inputSize] = inputs.x.shape;
  const hiddenSize = inputs.weightHh.shape[1]!;
  const width = gateBlocks(cell) * hiddenSize;
  // written out: lists and closures for each cost as much as the arithmetic of a few units
  requireShape(cell, 'weightIh', inputs.weightIh, width, inputSize);
  requireShape(cell, 'weightHh', inputs.weightHh, width, hiddenSize);
  requireShape(cell, 'biasIh', inputs.biasIh, width);
  requireShape(cell, 'biasHh', inputs.biasHh, width);
  requireShape(cell, 'h0', inputs.h0, batch, hiddenSize);
  requireShape(cell, 'c0', inputs.c0, batch, hiddenSize);
  requireShape(cell, 'peephole', inputs.peephole, 3 * hiddenSize);
  if (inputs.c0 && cell !== 'lstm')
    throw new Error(`${cell}: c0 was given, but only the LSTM has a cell state.`);
  if (lengths && lengths.length !== batch)
    throw new Error(`${cell}: ${lengths.length} lengths were given for a batch of ${batch}.`);
  for (const length of lengths ?? [])
    if (length < 0 || length > seqLen)
      throw new RangeError(`${cell}: a length of ${length} was given for sequences of ${seqLen} steps.`);
  return { cell, seqLen, batch, inputSize, hiddenSize, reverse: reverse ?? false };
}

function requireShape(
  cell: RecurrentCell,
  name: string,
  input: Tensor | undefined,
  rows: number,
  columns?: number,
): void {
  if (!input) return;
  const { shape } = input;
  if (shape[0] === rows && shape[1] === columns && shape.length === (columns === undefined ? 1 : 2)) return;
  const needed = columns === undefined ? [rows] : [rows, columns];
  throw new Error(`${cell}: ${name} has shape [${shape}], but [${needed}] is needed.`);
}

/** What forward and backward calls share, from raw arrays. Callers write the fields out: spreading is slow. */
function sharedBy({ shape, lengths }: RecurrentContext, arrays: Record<string, Float32Array | undefined>) {
  const at = (name: string): Slice | null => (arrays[name] ? whole(arrays[name]) : null);
  const memory = provider().recurrentMemory(shape, lengths !== null);
  const parts = ['weightHh', 'weightIh', 'biasIh', 'biasHh'].flatMap(name => arrays[name] ?? []);
  const { packed, version } = packedOf(parts, memory.packed);
  const intLengths: IntSlice | null = lengths && { data: lengths, offset: 0 };
  return {
    memory,
    weights: {
      weightIh: at('weightIh')!,
      weightHh: at('weightHh')!,
      biasIh: at('biasIh'),
      biasHh: at('biasHh'),
      packed,
      version,
    },
    x: at('x')!,
    lengths: intLengths,
    h0: at('h0'),
    c0: at('c0'),
  };
}

const optional = (array: Float32Array | undefined) => (array ? whole(array) : null);

function forward(inputs: Record<string, TensorInfo | undefined>, context: RecurrentContext): Float32Array {
  const { shape } = context;
  const arrays: Record<string, Float32Array | undefined> = {};
  for (const [name, input] of Object.entries(inputs)) arrays[name] = input && floats(input);
  const { memory, weights, x, lengths, h0, c0 } = sharedBy(context, arrays);
  const y = newFloats(shape.seqLen * shape.batch * shape.hiddenSize);
  if (tapeIsOn()) {
    context.arrays = arrays;
    context.y = y;
    holdForTape(y);
    context.cache = borrow(memory.cache);
  }
  const call = {
    shape,
    weights,
    x,
    lengths,
    h0,
    c0,
    y: whole(y),
    hN: whole(context.hN),
    cN: context.cN && whole(context.cN),
    cache: context.cache ? whole(context.cache) : null,
    scratch: scratchOf(memory.forwardScratch),
  };
  if (context.fields)
    provider().lstmVariantForward!({ ...call, ...context.fields, peephole: optional(arrays['peephole']) });
  else provider().recurrentForward(call);
  return y;
}

function backward(
  { dy, dhN, dcN }: OutputGradients,
  context: RecurrentContext,
): Record<string, Float32Array> {
  const { shape, arrays, y, cache, inputGradient, onReport } = context;
  if (!arrays || !y || !cache)
    throw new Error(`${shape.cell}: the gradient of one forward pass was taken twice.`);
  const { memory, weights, x, lengths, h0, c0 } = sharedBy(context, arrays);
  const gradients: Record<string, Float32Array> = {};
  for (const [name, array] of Object.entries(arrays))
    if (array && (name !== 'x' || inputGradient)) gradients[name] = newFloats(array.length);
  const into = (name: string): Slice | null => (gradients[name] ? whole(gradients[name]) : null);
  const report = onReport ? reportOf(arrays['weightHh']!, shape) : null;
  const call = {
    shape,
    weights,
    x,
    lengths,
    h0,
    c0,
    y: whole(y),
    cache: whole(cache),
    scratch: scratchOf(memory.backwardScratch),
    dy: whole(dy),
    dhN: dhN && whole(dhN),
    dcN: dcN && whole(dcN),
    dx: into('x'),
    dWeightIh: into('weightIh')!,
    dWeightHh: into('weightHh')!,
    dBiasIh: into('biasIh'),
    dBiasHh: into('biasHh'),
    dh0: into('h0'),
    dc0: into('c0'),
    report: report && {
      hiddenGradNorm: whole(report.hiddenGradNorm),
      cellGradNorm: report.cellGradNorm ? whole(report.cellGradNorm) : null,
      gateMean: report.gateMean ? whole(report.gateMean) : null,
      gateSaturation: report.gateSaturation ? whole(report.gateSaturation) : null,
    },
  };
  if (context.fields) {
    const peephole = optional(arrays['peephole']);
    provider().lstmVariantBackward!({ ...call, ...context.fields, peephole, dPeephole: into('peephole') });
  } else provider().recurrentBackward(call);
  context.fields = null;
  giveBack(cache);
  context.cache = undefined;
  context.arrays = undefined;
  context.y = undefined;
  if (report) onReport?.(report);
  return gradients;
}

/** (T, B, H) of y; (B, H) of the last states, null where they are no tensors. */
export interface OutputGradients<Values = Float32Array> {
  dy: Values;
  dhN: Values | null;
  dcN: Values | null;
}

/** tfjs hands over one gradient for one output, else an array, with zeros where the loss does not depend on one. */
export function outputGradients(given: Tensor | Tensor[]): OutputGradients<Tensor> {
  const [dy, dhN, dcN] = Array.isArray(given) ? given : [given];
  return { dy: dy!, dhN: dhN ?? null, dcN: dcN ?? null };
}

/** By the layer's weights: fresh arrays at every step cost more than what is reported of a small layer. */
const reports = new WeakMap<Float32Array, RecurrentReport>();

function reportOf(weights: Float32Array, shape: RecurrentShape): RecurrentReport {
  const known = reports.get(weights);
  if (known?.hiddenGradNorm.length === shape.seqLen) return known;
  for (const array of Object.values(known ?? {})) provider().release(array);
  const report = emptyReport(shape);
  reports.set(weights, report);
  return report;
}

function emptyReport({ cell, seqLen }: RecurrentShape): RecurrentReport {
  const gates = GATES[cell].length;
  const report: RecurrentReport = { hiddenGradNorm: provider().allocate(seqLen) };
  if (cell === 'lstm') report.cellGradNorm = provider().allocate(seqLen);
  if (gates > 0) {
    report.gateMean = provider().allocate(gates * seqLen);
    report.gateSaturation = provider().allocate(gates * seqLen);
  }
  return report;
}

/** A thunk for each input, as tfjs asks for them; `gradientOf` gives the values by the input's name. */
export function recurrentThunks(
  { cell, shape }: RecurrentContext,
  gradientOf: (name: string) => Float32Array | null | undefined,
): Record<keyof RecurrentInputs, () => Tensor> {
  const { seqLen, batch, inputSize, hiddenSize } = shape;
  const width = gateBlocks(cell) * hiddenSize;
  const thunk = (name: string, of: number[]) => () => {
    const gradient = gradientOf(name);
    if (!gradient) throw new Error(`${cell}: the gradient of ${name} was not asked for beforehand.`);
    return tensor(gradient, of);
  };
  return {
    x: thunk('x', [seqLen, batch, inputSize]),
    weightIh: thunk('weightIh', [width, inputSize]),
    weightHh: thunk('weightHh', [width, hiddenSize]),
    biasIh: thunk('biasIh', [width]),
    biasHh: thunk('biasHh', [width]),
    h0: thunk('h0', [batch, hiddenSize]),
    c0: thunk('c0', [batch, hiddenSize]),
    peephole: thunk('peephole', [3 * hiddenSize]),
  };
}

export const recurrentKernel: EngineKernel = {
  name: 'UnrollRecurrent',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as RecurrentContext;
    const { seqLen, batch, hiddenSize } = context.shape;
    const y = output(backend, [seqLen, batch, hiddenSize], forward(inputs, context));
    if (!context.lastStates) return y;
    const states = context.cN ? [context.hN, context.cN] : [context.hN];
    return [y, ...states.map(state => output(backend, [batch, hiddenSize], copyOf(state)))];
  },
  gradient(dy, _saved, attrs) {
    const context = attrs as unknown as RecurrentContext;
    return recurrentThunks(context, name => {
      context.gradients ??= backward(arraysOf(outputGradients(dy)), context);
      return context.gradients[name];
    });
  },
};

function copyOf(values: Float32Array): Float32Array {
  const copy = newFloats(values.length);
  copy.set(values);
  return copy;
}

function arraysOf({ dy, dhN, dcN }: OutputGradients<Tensor>): OutputGradients {
  return { dy: floats(dy), dhN: dhN && floats(dhN), dcN: dcN && floats(dcN) };
}
