// A whole sequence through a recurrent cell with what its fields change, or through sLSTM, from inputs that are projected
// already. Outputs: y (T, B, H) and the last states (B, H), of sLSTM's cell (B, 3·H). The way back runs the provider's backward pass once; dW_hh is one product over
// all steps of what it leaves. With norms, what is projected is W_ih x alone. Masks have no gradient.
import type { NamedTensorMap, Tensor, Tensor2D, Tensor3D, TensorInfo } from '@tensorflow/tfjs-core';
import { newFloats } from '../pool.ts';
import { GATES } from '../provider.ts';
import type { Slice } from '../slices.ts';
import { borrow, floats, fusedKernels, giveBack, provider, slice, tapeIsOn, whole } from '../storage.ts';
import {
  type VariantCall,
  type VariantCell,
  type VariantOperations,
  type VariantShape,
  variantSizes,
} from '../variants.ts';
import { type EngineKernel, once, output, runKernels } from './kernel.ts';
import { gradientThunks, intSlice } from './recurrence.ts';
import type { RecurrentReport } from './recurrent.ts';

export interface VariantInputs {
  /** (T, B, G·H) */
  projected: Tensor3D;
  /** (G·H, H) */
  weightHh: Tensor;
  /** (G·H); GRU only */
  biasHh?: Tensor | undefined;
  /** (B, H) */
  h0?: Tensor | undefined;
  /** (B, cellStates·H) */
  c0?: Tensor | undefined;
  /** (3·H), then (4·H) of W_hh h, of W_ih x, and their biases, (H), (H); LSTM only */
  peephole?: Tensor | undefined;
  gainHidden?: Tensor | undefined;
  gainInput?: Tensor | undefined;
  bias?: Tensor | undefined;
  gainCell?: Tensor | undefined;
  biasCell?: Tensor | undefined;
}

export interface VariantMasks {
  /** (B, H) */
  stateMask: Tensor | null;
  /** (T, B, H) */
  updateMask: Tensor | null;
  zoneoutH: Tensor | null;
  zoneoutC: Tensor | null;
}

export interface VariantOptions extends VariantMasks {
  cell: VariantCell;
  reverse: boolean;
  lengths: Int32Array | null;
  zoneout: number;
  onReport: ((report: RecurrentReport) => void) | undefined;
}

interface VariantContext extends Omit<VariantOptions, keyof VariantMasks> {
  shape: VariantShape;
  masks: Pick<VariantCall, keyof VariantMasks>;
  arrays?: Record<string, Float32Array>;
  y?: Float32Array;
  kept?: Kept;
}

/** Lent from the forward to the backward pass. */
interface Kept {
  gates: Float32Array;
  cells: Float32Array | null;
  read: Float32Array;
  normed: Float32Array | null;
}

export function variantRuns(cell: VariantCell): boolean {
  return cell !== 'gru-reset-before' && fusedKernels() && provider().variantForward !== undefined;
}

export function variant(
  inputs: VariantInputs,
  options: VariantOptions,
): { y: Tensor3D; hN: Tensor2D; cN: Tensor2D | null } {
  const [seqLen, batch] = inputs.projected.shape;
  const { cell, reverse } = options;
  const shape = { cell, seqLen, batch, hiddenSize: inputs.weightHh.shape[1]!, reverse };
  const given = Object.entries(inputs).filter(([, input]) => input !== undefined);
  // of the arrays alone, since the tensors of masks are gone on the way back
  const { stateMask, updateMask, zoneoutH, zoneoutC } = options;
  const masks = { stateMask, updateMask, zoneoutH, zoneoutC };
  const context: VariantContext = {
    ...options,
    shape,
    masks: Object.fromEntries(
      Object.entries(masks).map(([name, mask]) => [name, mask && whole(floats(mask))]),
    ) as VariantContext['masks'],
  };
  const tensors = Object.fromEntries(given) as NamedTensorMap;
  const [y, hN, cN] = runKernels('UnrollVariant', tensors, context) as [Tensor3D, Tensor2D, Tensor2D?];
  return { y, hN, cN: cN ?? null };
}

/** What both passes are called with. */
function callOf(context: VariantContext, at: (name: string) => Float32Array | undefined): VariantCall {
  const given = (name: string) => {
    const array = at(name);
    return array ? whole(array) : null;
  };
  return {
    shape: context.shape,
    weightHh: given('weightHh')!,
    biasHh: given('biasHh'),
    lengths: intSlice(context.lengths),
    h0: given('h0'),
    c0: given('c0'),
    peephole: given('peephole'),
    gains: gainsOf(at),
    gainCell: given('gainCell'),
    biasCell: given('biasCell'),
    ...context.masks,
    zoneout: context.zoneout,
  };
}

const GAINS = ['gainHidden', 'gainInput', 'bias'] as const;

/** Side by side, as the kernel has them. */
function gainsOf(at: (name: string) => Float32Array | undefined): Slice | null {
  const given = GAINS.flatMap(name => at(name) ?? []);
  if (given.length < GAINS.length) return null;
  const [{ length }] = given as [Float32Array];
  const gains = new Float32Array(GAINS.length * length);
  for (const [place, array] of given.entries()) gains.set(array, place * length);
  return whole(gains);
}

const optional = (array: Float32Array | null | undefined) => (array ? whole(array) : null);
const operations = () => provider() as unknown as VariantOperations;

function forward(inputs: Record<string, TensorInfo | undefined>, context: VariantContext): Float32Array[] {
  const { cell, seqLen: T, batch: B, hiddenSize: H } = context.shape;
  const arrays: Record<string, Float32Array> = {};
  for (const [name, input] of Object.entries(inputs)) if (input) arrays[name] = floats(input);
  const { cellStates, slots } = variantSizes(cell);
  const kept: Kept | null = tapeIsOn()
    ? {
        gates: borrow(T * B * slots * H),
        cells: cellStates > 0 ? borrow(T * B * cellStates * H) : null,
        read: borrow(T * B * H),
        normed: arrays['gainHidden'] ? borrow(T * B * (4 * H + 3)) : null,
      }
    : null;
  const [y, hN] = [newFloats(T * B * H), newFloats(B * H)];
  const cN = cellStates > 0 ? newFloats(B * cellStates * H) : null;
  operations().variantForward({
    ...callOf(context, name => arrays[name]),
    projected: whole(arrays['projected']!),
    y: whole(y),
    hN: whole(hN),
    cN: optional(cN),
    gates: optional(kept?.gates),
    cells: optional(kept?.cells),
    read: optional(kept?.read),
    normed: optional(kept?.normed),
  });
  if (kept) {
    context.kept = kept;
    context.arrays = arrays;
  }
  return cN ? [y, hN, cN] : [y, hN];
}

function backward(dys: Tensor[], context: VariantContext): Record<string, Float32Array> {
  const { shape, arrays, y, kept, onReport } = context;
  if (!arrays || !y || !kept)
    throw new Error(`${shape.cell}: the gradient of one forward pass was taken twice.`);
  const { cell, seqLen: T, batch: B, hiddenSize: H } = shape;
  const width = variantSizes(cell).blocks * H;
  const gradients: Record<string, Float32Array> = {};
  for (const [name, array] of Object.entries(arrays)) gradients[name] = newFloats(array.length);
  const apart = kept.normed !== null || cell === 'gru-reset-after';
  const dHidden = apart ? borrow(T * B * width) : gradients['projected']!;
  const dGains = kept.normed && new Float32Array(GAINS.length * width);
  const report = onReport ? emptyReport(shape) : null;
  operations().variantBackward({
    ...callOf(context, name => arrays[name]),
    projected: whole(arrays['projected']!),
    y: whole(y),
    gates: whole(kept.gates),
    cells: optional(kept.cells),
    normed: optional(kept.normed),
    dy: slice(dys[0]!),
    dhN: slice(dys[1]!),
    dcN: dys[2] ? slice(dys[2]) : null,
    dProjected: whole(gradients['projected']!),
    dHidden: whole(dHidden),
    dPeephole: optional(gradients['peephole']),
    dGains: optional(dGains),
    dGainCell: optional(gradients['gainCell']),
    dBiasCell: optional(gradients['biasCell']),
    dh0: optional(gradients['h0']),
    dc0: optional(gradients['c0']),
    report: report && {
      hiddenGradNorm: whole(report.hiddenGradNorm),
      cellGradNorm: optional(report.cellGradNorm),
      gateMean: optional(report.gateMean),
      gateSaturation: optional(report.gateSaturation),
    },
  });
  provider().gemm({
    m: width,
    n: H,
    k: T * B,
    a: whole(dHidden),
    transA: true,
    b: whole(kept.read),
    transB: false,
    bias: null,
    c: whole(gradients['weightHh']!),
    accumulate: false,
  });
  for (const [place, name] of GAINS.entries())
    if (dGains) gradients[name]!.set(dGains.subarray(place * width, (place + 1) * width));
  if (gradients['biasHh']) provider().columnSums(T * B, width, whole(dHidden), whole(gradients['biasHh']));
  for (const array of Object.values(kept)) if (array) giveBack(array);
  if (apart) giveBack(dHidden);
  context.kept = undefined;
  context.arrays = undefined;
  context.y = undefined;
  if (report) onReport?.(report);
  return gradients;
}

function emptyReport({ cell, seqLen }: VariantShape): RecurrentReport {
  const gates = cell === 's-lstm' ? 0 : GATES[cell].length;
  return {
    hiddenGradNorm: new Float32Array(seqLen),
    ...(cell === 'lstm' ? { cellGradNorm: new Float32Array(seqLen) } : {}),
    ...(gates > 0
      ? { gateMean: new Float32Array(gates * seqLen), gateSaturation: new Float32Array(gates * seqLen) }
      : {}),
  };
}

export const variantKernel: EngineKernel = {
  name: 'UnrollVariant',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as VariantContext;
    const { seqLen, batch, hiddenSize } = context.shape;
    const [y, ...last] = forward(inputs, context);
    const made = output(backend, [seqLen, batch, hiddenSize], y!);
    if (tapeIsOn()) context.y = floats(made);
    return [made, ...last.map(state => output(backend, [batch, state.length / batch], state))];
  },
  gradient(dy, _saved, attrs) {
    const context = attrs as unknown as VariantContext;
    const { cell, seqLen, batch, hiddenSize: H } = context.shape;
    const { blocks, cellStates } = variantSizes(cell);
    const width = blocks * H;
    const gradients = once(() => backward(dy as Tensor[], context));
    const shapes = {
      projected: [seqLen, batch, width],
      weightHh: [width, H],
      biasHh: [width],
      h0: [batch, H],
      c0: [batch, cellStates * H],
      peephole: [3 * H],
      ...{ gainHidden: [width], gainInput: [width], bias: [width] },
      gainCell: [H],
      biasCell: [H],
    };
    return gradientThunks(gradients, shapes);
  },
};
