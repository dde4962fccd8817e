// minGRU and minLSTM from their projected inputs as one kernel: gates and scan in one pass over memory. Its arithmetic
// stands at the top of kernels/gated_scan.h. Where a provider lacks it, layers compose it of a formula and a scan.
import type { NamedTensorMap, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { newFloats } from '../pool.ts';
import type { GatedScanShape } from '../recurrences.ts';
import { floats, fusedKernels, optionalSlice, provider, slice, tapeIsOn, whole } from '../storage.ts';
import { type EngineKernel, once, output, runKernels } from './kernel.ts';
import {
  arraysOf,
  assertLengths,
  assertShapes,
  gradientThunks,
  intSlice,
  reportNorms,
  sliceIn,
} from './recurrence.ts';
import type { RecurrenceOptions } from './recurrence-operands.ts';

export interface GatedScanInputs {
  /** (T, B, D) each; of minGRU its one gate, and no `input` */
  forget: Tensor3D;
  input?: Tensor3D;
  hidden: Tensor3D;
  /** (B, D) */
  h0?: Tensor;
}

export interface GatedScanOptions extends Omit<RecurrenceOptions, 'reverse'> {
  /** whether the candidate is made positive */
  positive: boolean;
}

interface GatedScanContext extends GatedScanOptions {
  shape: GatedScanShape;
  arrays?: Record<string, Float32Array | undefined>;
  h?: Float32Array;
}

export function gatedScanRuns(): boolean {
  return fusedKernels() && provider().gatedScan !== undefined;
}

export function gatedScan(inputs: GatedScanInputs, options: GatedScanOptions): { h: Tensor3D; hN: Tensor2D } {
  const [seqLen, batch, width] = inputs.hidden.shape;
  const all = [seqLen, batch, width];
  assertShapes('gatedScan', inputs, { forget: all, input: all, hidden: all, h0: [batch, width] });
  assertLengths('gatedScan', seqLen, batch, options.lengths);
  const context: GatedScanContext = {
    ...options,
    shape: { seqLen, batch, width, positive: options.positive },
  };
  const given = Object.entries(inputs).filter(([, input]) => input);
  const made = runKernels('UnrollGatedScan', Object.fromEntries(given) as NamedTensorMap, context);
  return { h: made[0] as Tensor3D, hN: made[1] as Tensor2D };
}

export const gatedScanKernel: EngineKernel = {
  name: 'UnrollGatedScan',
  run({ inputs, attrs, backend }) {
    const context = attrs as unknown as GatedScanContext;
    const { shape, lengths } = context;
    const { seqLen, batch, width } = shape;
    const { forget, input, hidden, h0 } = inputs;
    const [h, hN] = [newFloats(seqLen * batch * width), newFloats(batch * width)];
    if (tapeIsOn()) context.arrays = arraysOf({ forget, input, hidden, h0 });
    provider().gatedScan!({
      ...shape,
      forget: slice(forget!),
      input: optionalSlice(input),
      hidden: slice(hidden!),
      lengths: intSlice(lengths),
      h0: optionalSlice(h0),
      h: whole(h),
      hN: whole(hN),
    });
    const made = output(backend, [seqLen, batch, width], h);
    if (tapeIsOn()) context.h = floats(made);
    return [made, output(backend, [batch, width], hN)];
  },
  gradient(dy, _saved, attrs) {
    const context = attrs as unknown as GatedScanContext;
    const { shape, lengths, onReport } = context;
    const { arrays, h } = context as Required<GatedScanContext>;
    const [dh, dhN] = dy as Tensor[];
    const gradients = once(() => {
      const made: Record<string, Float32Array> = { forget: newFloats(h.length), hidden: newFloats(h.length) };
      if (arrays['input']) made['input'] = newFloats(h.length);
      made['h0'] = newFloats(dhN!.size);
      const norms = onReport ? new Float32Array(shape.seqLen) : null;
      provider().gatedScanBackward!({
        ...shape,
        forget: sliceIn(arrays, 'forget')!,
        input: sliceIn(arrays, 'input'),
        hidden: sliceIn(arrays, 'hidden')!,
        lengths: intSlice(lengths),
        h0: sliceIn(arrays, 'h0'),
        h: whole(h),
        dh: slice(dh!),
        dhN: slice(dhN!),
        dForget: whole(made['forget']!),
        dInput: made['input'] ? whole(made['input']) : null,
        dHidden: whole(made['hidden']!),
        dh0: whole(made['h0']),
        gradNorm: norms && whole(norms),
      });
      reportNorms(norms, onReport);
      return made;
    });
    const all = dh!.shape;
    return gradientThunks(gradients, { forget: all, input: all, hidden: all, h0: dhN!.shape });
  },
};
