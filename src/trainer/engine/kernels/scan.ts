// Linear recurrences of a diagonal state as kernels. For authors of layers:
//
//   scan({ a, b, h0? }, { complex?, reverse?, lengths?, onReport? }) → { h, hN }
//     h_t = a_t ⊙ h_{t-1} + b_t.  a (T, B, D) or (D), b (T, B, D), h0 (B, D) → h (T, B, D), hN (B, D).
//     complex: the last axis is 2·D long, the D real parts before the D imaginary ones, of all five.
//   selectiveScan({ x, delta, a, b, c, skip?, h0? }, { reverse?, lengths?, onReport? }) → { y, hN }
//     h_t = exp(Δ_t a) ⊙ h_{t-1} + Δ_t x_t b_t,  y_t = h_t · c_t + skip x_t.
//     x, delta (T, B, D), a (D, N), b, c (T, B, N), skip (D), h0 (B, D, N) → y (T, B, D), hN (B, D, N).
//
// All inputs and both results have gradients. `lengths` (B): beyond a sequence's length results are zero and the state
// stands still. `onReport` is called once in the backward pass. On a backend without the kernels, compositions of plain
// tensor operations compute the same (recurrence-compositions.ts), without reports.
import type { NamedTensorMap, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { operations } from '../operations.ts';
import { newFloats } from '../pool.ts';
import type { ScanShape, SelectiveScanShape } from '../recurrences.ts';
import { borrow, floats, giveBack, optionalSlice, slice, tapeIsOn, whole } from '../storage.ts';
import { type EngineKernel, hasKernel, once, output, runKernel, sizeOf } from './kernel.ts';
import {
  arraysOf,
  assertLengths,
  assertShapes,
  gradientThunks,
  intSlice,
  reportNorms,
  sliceIn,
} from './recurrence.ts';
import type {
  RecurrenceOptions,
  ScanInputs,
  ScanOptions,
  SelectiveScanInputs,
} from './recurrence-operands.ts';

export type { ScanInputs, ScanOptions, SelectiveScanInputs } from './recurrence-operands.ts';

import { scanComposition, selectiveScanComposition } from './recurrence-compositions.ts';

interface ScanContext extends RecurrenceOptions {
  shape: ScanShape;
  arrays?: Record<string, Float32Array | undefined>;
  h?: Float32Array;
}

export function scan(inputs: ScanInputs, options: ScanOptions = {}): { h: Tensor3D; hN: Tensor2D } {
  const { complex = false, reverse = false, lengths } = options;
  const [seqLen, batch, row] = inputs.b.shape;
  const constant = inputs.a.rank === 1;
  if (complex && row % 2 !== 0)
    throw new Error(`scan: rows of ${row} numbers do not make real and imaginary parts.`);
  const whole = [seqLen, batch, row];
  assertShapes('scan', inputs, { a: constant ? [row] : whole, b: whole, h0: [batch, row] });
  assertLengths('scan', seqLen, batch, lengths);
  if (!hasKernel('UnrollScan')) return scanComposition(inputs, options);
  const shape = { seqLen, batch, width: complex ? row / 2 : row, complex, constant, reverse };
  const context: ScanContext = { ...options, shape };
  const [h, hN] = runKernel('UnrollScan', given(inputs), context) as unknown as [Tensor3D, Tensor2D];
  return { h, hN };
}

/** Without the inputs that were left out. */
function given(inputs: object): NamedTensorMap {
  return Object.fromEntries(Object.entries(inputs).filter(([, input]) => input)) as NamedTensorMap;
}

export const scanKernel: EngineKernel = {
  name: 'UnrollScan',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as ScanContext;
    const { shape, lengths } = context;
    const { a, b, h0 } = inputs;
    const [h, hN] = [newFloats(sizeOf(b!.shape)), newFloats(sizeOf(b!.shape.slice(1)))];
    if (tapeIsOn()) context.arrays = arraysOf({ a, h0 });
    operations().scan({
      ...shape,
      a: slice(a!),
      b: slice(b!),
      lengths: intSlice(lengths),
      h0: optionalSlice(h0),
      h: whole(h),
      hN: whole(hN),
    });
    const made = output(backend, b!.shape, h);
    if (tapeIsOn()) context.h = floats(made);
    return [made, output(backend, b!.shape.slice(1), hN)];
  },
  gradient(dy, _saved, attrs) {
    const context = attrs as unknown as ScanContext;
    const { shape, lengths, onReport } = context;
    const { arrays, h } = context as Required<ScanContext>;
    const [dh, dhN] = dy as Tensor[];
    const gradients = once(() => {
      const made = {
        a: newFloats(arrays['a']!.length),
        b: newFloats(h.length),
        h0: newFloats(dhN!.size),
      };
      const norms = onReport ? new Float32Array(shape.seqLen) : null;
      operations().scanBackward({
        ...shape,
        a: whole(arrays['a']!),
        lengths: intSlice(lengths),
        h0: sliceIn(arrays, 'h0'),
        h: whole(h),
        dh: slice(dh!),
        dhN: slice(dhN!),
        da: whole(made.a),
        db: whole(made.b),
        dh0: whole(made.h0),
        gradNorm: norms && whole(norms),
      });
      reportNorms(norms, onReport);
      return made;
    });
    const a = shape.constant ? [arrays['a']!.length] : dh!.shape;
    return gradientThunks(gradients, { a, b: dh!.shape, h0: dhN!.shape });
  },
};

interface SelectiveScanContext extends RecurrenceOptions {
  shape: SelectiveScanShape;
  arrays?: Record<string, Float32Array | undefined>;
  kept?: Float32Array;
}

/** Steps between two states that are kept: the kept and the recomputed ones balance at T = 1024. */
const CHUNK = 32;

export function selectiveScan(
  inputs: SelectiveScanInputs,
  options: RecurrenceOptions = {},
): { y: Tensor3D; hN: Tensor3D } {
  const [seqLen, batch, width] = inputs.x.shape;
  const states = inputs.a.shape[1] ?? 0;
  const [ofChannels, ofStates] = [
    [seqLen, batch, width],
    [seqLen, batch, states],
  ];
  assertShapes('selectiveScan', inputs, {
    x: ofChannels,
    delta: ofChannels,
    a: [width, states],
    b: ofStates,
    c: ofStates,
    skip: [width],
    h0: [batch, width, states],
  });
  assertLengths('selectiveScan', seqLen, batch, options.lengths);
  if (!hasKernel('UnrollSelectiveScan')) return selectiveScanComposition(inputs, options);
  const shape = { seqLen, batch, width, states, reverse: options.reverse ?? false, chunk: CHUNK };
  const context: SelectiveScanContext = { ...options, shape };
  const made = runKernel('UnrollSelectiveScan', given(inputs), context) as unknown as Tensor3D[];
  return { y: made[0]!, hN: made[1]! };
}

export const selectiveScanKernel: EngineKernel = {
  name: 'UnrollSelectiveScan',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as SelectiveScanContext;
    const { shape, lengths } = context;
    const { x, delta, a, b, c, skip, h0 } = inputs;
    const size = shape.batch * shape.width * shape.states;
    const [y, hN] = [newFloats(sizeOf(x!.shape)), newFloats(size)];
    if (tapeIsOn()) {
      context.arrays = arraysOf({ x, delta, a, b, c, skip });
      context.kept = borrow(Math.ceil(shape.seqLen / shape.chunk) * size);
    }
    operations().selectiveScan({
      ...shape,
      x: slice(x!),
      delta: slice(delta!),
      a: slice(a!),
      b: slice(b!),
      c: slice(c!),
      skip: optionalSlice(skip),
      lengths: intSlice(lengths),
      h0: optionalSlice(h0),
      y: whole(y),
      hN: whole(hN),
      kept: context.kept ? whole(context.kept) : null,
    });
    return [output(backend, x!.shape, y), output(backend, [shape.batch, shape.width, shape.states], hN)];
  },
  gradient(dy, _saved, attrs) {
    const context = attrs as unknown as SelectiveScanContext;
    const { shape, lengths, arrays = {}, onReport } = context;
    const { seqLen, batch, width, states } = shape;
    const [dOut, dhN] = dy as Tensor[];
    const [ofChannels, ofStates] = [
      [seqLen, batch, width],
      [seqLen, batch, states],
    ];
    const shapes: Record<string, number[]> = {
      x: ofChannels,
      delta: ofChannels,
      a: [width, states],
      b: ofStates,
      c: ofStates,
      skip: [width],
      h0: [batch, width, states],
    };
    const gradients = once(() => {
      const { kept } = context;
      if (!kept) throw new Error('selectiveScan: the gradient of one forward pass was taken twice.');
      const made = Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => [name, newFloats(sizeOf(shape))]),
      );
      const into = (name: string) => whole(made[name]!);
      const norms = onReport ? new Float32Array(seqLen) : null;
      operations().selectiveScanBackward({
        ...shape,
        x: sliceIn(arrays, 'x')!,
        delta: sliceIn(arrays, 'delta')!,
        a: sliceIn(arrays, 'a')!,
        b: sliceIn(arrays, 'b')!,
        c: sliceIn(arrays, 'c')!,
        skip: sliceIn(arrays, 'skip'),
        lengths: intSlice(lengths),
        kept: whole(kept),
        dy: slice(dOut!),
        dhN: slice(dhN!),
        dx: into('x'),
        dDelta: into('delta'),
        da: into('a'),
        db: into('b'),
        dc: into('c'),
        dSkip: arrays['skip'] ? into('skip') : null,
        dh0: into('h0'),
        gradNorm: norms && whole(norms),
      });
      giveBack(kept);
      context.kept = undefined;
      reportNorms(norms, onReport);
      return made;
    });
    return gradientThunks(gradients, shapes);
  },
};
