// What the kernels of linear recurrences (scan.ts, memory.ts) share: checks of their operands, reports, gradients.
import { type Tensor, type TensorInfo, tensor, util } from '@tensorflow/tfjs-core';
import type { IntSlice, Slice } from '../provider.ts';
import { floats, whole } from '../storage.ts';
import type { RecurrenceOptions } from './recurrence-operands.ts';

export function assertShapes<Inputs extends object>(
  operation: string,
  inputs: Inputs,
  expected: Record<keyof Inputs, number[]>,
): void {
  for (const [name, input] of Object.entries(inputs) as [keyof Inputs & string, Tensor | undefined][])
    if (input && !util.arraysEqual(input.shape, expected[name]))
      throw new Error(`${operation}: ${name} has shape [${input.shape}], but [${expected[name]}] is needed.`);
}

export function assertLengths(
  operation: string,
  seqLen: number,
  batch: number,
  lengths: Int32Array | null | undefined,
): void {
  if (lengths && (lengths.length !== batch || lengths.some(length => length < 0 || length > seqLen)))
    throw new RangeError(
      `${operation}: the lengths ${lengths} do not fit ${batch} sequences of ${seqLen} steps.`,
    );
}

/** The arrays that the backward pass will read, held until the tape is done. */
export function arraysOf(
  inputs: Record<string, TensorInfo | undefined>,
): Record<string, Float32Array | undefined> {
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input && floats(input)]));
}

export function sliceIn(arrays: Record<string, Float32Array | undefined>, name: string): Slice | null {
  const array = arrays[name];
  return array ? whole(array) : null;
}

export function intSlice(lengths: Int32Array | null | undefined): IntSlice | null {
  return lengths ? { data: lengths, offset: 0 } : null;
}

export function reportNorms(norms: Float32Array | null, onReport: RecurrenceOptions['onReport']): void {
  if (norms) onReport?.({ hiddenGradNorm: norms });
}

/** A thunk for each input; all gradients are made at the first that is asked. */
export function gradientThunks(
  gradients: () => Record<string, Float32Array>,
  shapes: Record<string, number[]>,
): Record<string, () => Tensor> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, () => tensor(gradients()[name]!, shape)]),
  );
}
