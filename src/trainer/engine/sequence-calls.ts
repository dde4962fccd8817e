// The operations of layers beside the recurrent ones as calls of kernels/abi.h, for every build of the kernels: each call
// as the members of its struct, doubles first, then operands, then whole numbers.
import { FORMULA_INPUTS, FORMULA_OUTPUTS } from './formula.ts';
import type {
  ActivationKind,
  AttentionShape,
  AttentionTerms,
  ConvolutionShape,
  IntSlice,
  SequenceOperations,
  Slice,
} from './provider.ts';
import { RECURRENCE_OPERANDS, recurrenceCalls } from './recurrence-calls.ts';

/** The pointers of each function's struct: `r` is only read, `w` written too. */
export const SEQUENCE_OPERANDS = {
  copy_columns: 'rw',
  add: 'rrw',
  formula: 'rrrrrrrrrrrrrrwwwwwwww',
  activation: 'rw',
  activation_backward: 'rrrw',
  dropout: 'rw',
  layer_norm: 'rrrwww',
  layer_norm_backward: 'rrrrrwww',
  row_norm: 'rrww',
  row_norm_backward: 'rrrrww',
  short_convolution: 'rrrrww',
  short_convolution_backward: 'rrrrrwwww',
  attention_memory: '',
  attention: 'rrrrrrrrwwww',
  attention_backward: 'rrrrrrrrrrrwwwww',
  convolution_memory: '',
  convolution: 'rrrww',
  convolution_backward: 'rrrrwwww',
  ctc_memory: '',
  ctc: 'rrrrwww',
  ...RECURRENCE_OPERANDS,
} as const;

export type SequenceKernel = keyof typeof SEQUENCE_OPERANDS;

type Invoke = (
  kernel: SequenceKernel,
  doubles: readonly number[],
  operands: readonly (Slice | IntSlice | null)[],
  integers: readonly number[],
) => number;

/** In the order of UnrollActivationKind. */
const KINDS: readonly ActivationKind[] = ['relu', 'gelu', 'tanh', 'sigmoid'];

/** `scratchOf` lends at least so many floats for one call. */
export function sequenceCalls(invoke: Invoke, scratchOf: (floats: number) => Slice): SequenceOperations {
  const attentionScratch = (call: AttentionShape & AttentionTerms, backward: number) =>
    scratchOf(
      invoke(
        'attention_memory',
        [],
        [],
        [call.keys, call.headSize, Number(call.relative !== null), backward],
      ),
    );
  const convolutionScratch = (call: ConvolutionShape, backward: number) =>
    scratchOf(invoke('convolution_memory', [], [], [...convolutionSizes(call), backward]));
  return {
    copyColumns({ rows, width, from, fromStride, to, toStride }) {
      invoke('copy_columns', [], [from, to], [rows, width, fromStride, toStride]);
    },
    add(count, a, b, out) {
      invoke('add', [], [a, b, out], [count]);
    },
    formula({ program, count, width, inputs, outputs }) {
      const slices = <S>(given: readonly S[], most: number) =>
        Array.from({ length: most }, (_, i) => given[i] ?? null);
      const given = inputs.map(({ slice }) => slice);
      const code = [program.steps, program.constants].map(data => ({ data, offset: 0 }) as Slice | IntSlice);
      const operands = [...code, ...slices(given, FORMULA_INPUTS), ...slices(outputs, FORMULA_OUTPUTS)];
      const rows = inputs.reduce((bits, { row }, i) => bits | (Number(row) << i), 0);
      invoke('formula', [], operands, [count, width, program.steps.length / 4, rows]);
    },
    activation({ kind, count, x, y }) {
      invoke('activation', [], [x, y], [KINDS.indexOf(kind), count]);
    },
    activationBackward({ kind, count, x, y, dy, dx }) {
      invoke('activation_backward', [], [x, y, dy, dx], [KINDS.indexOf(kind), count]);
    },
    dropout({ count, rate, stream, x, y }) {
      const { key0, key1, counterLow, counterHigh } = stream;
      invoke('dropout', [rate], [x, y], [count, key0, key1, counterLow, counterHigh]);
    },
    layerNorm({ rows, width, epsilon, x, weight, bias, y, mean, inverseDeviation }) {
      invoke('layer_norm', [epsilon], [x, weight, bias, y, mean, inverseDeviation], [rows, width]);
    },
    layerNormBackward({ rows, width, x, weight, mean, inverseDeviation, dy, dx, dWeight, dBias }) {
      const operands = [x, weight, mean, inverseDeviation, dy, dx, dWeight, dBias];
      invoke('layer_norm_backward', [], operands, [rows, width]);
    },
    rowNorm({ rows, width, share, epsilon, x, weight, y, inverse }) {
      invoke('row_norm', [share, epsilon], [x, weight, y, inverse], [rows, width]);
    },
    rowNormBackward({ rows, width, share, x, weight, inverse, dy, dx, dWeight }) {
      const operands = [x, weight, inverse, dy, dx, dWeight];
      invoke('row_norm_backward', [share], operands, [rows, width]);
    },
    shortConvolution({ x, before, weight, bias, y, seqLen, batch, width, kernelSize, silu }) {
      const operands = [x, before, weight, bias, y, scratchOf(kernelSize * width)];
      invoke('short_convolution', [], operands, [seqLen, batch, width, kernelSize, Number(silu)]);
    },
    shortConvolutionBackward(call) {
      const { x, before, weight, bias, dy, dx, dWeight, dBias, seqLen, batch, width, kernelSize, silu } =
        call;
      const scratch = scratchOf((3 * kernelSize + 2) * width + (silu ? seqLen * batch * width : 0));
      const operands = [x, before, weight, bias, dy, dx, dWeight, dBias, scratch];
      invoke('short_convolution_backward', [], operands, [seqLen, batch, width, kernelSize, Number(silu)]);
    },
    attention(call) {
      const { q, kv, lengths, queryLengths, starts, slopes, qRelative, relative } = call;
      const read = [q, kv, lengths, queryLengths, starts, slopes, qRelative, relative];
      const operands = [...read, call.out, call.logSumExp, call.weights, attentionScratch(call, 0)];
      invoke('attention', [], operands, attentionNumbers(call));
    },
    attentionBackward(call) {
      const { q, kv, lengths, queryLengths, starts, slopes, qRelative, relative } = call;
      const given = [q, kv, lengths, queryLengths, starts, slopes, qRelative, relative];
      const read = [...given, call.out, call.logSumExp, call.dOut];
      const made = [call.dQ, call.dKv, call.dQRelative, call.dRelative];
      const operands = [...read, ...made, attentionScratch(call, 1)];
      invoke('attention_backward', [], operands, attentionNumbers(call));
    },
    convolution(call) {
      const operands = [call.x, call.weight, call.bias, call.y, convolutionScratch(call, 0)];
      invoke('convolution', [], operands, [...convolutionSizes(call), activationNumber(call)]);
    },
    convolutionBackward(call) {
      const { x, weight, y, dy, dx, dWeight, dBias } = call;
      const operands = [x, weight, y, dy, dx, dWeight, dBias, convolutionScratch(call, 1)];
      invoke('convolution_backward', [], operands, [...convolutionSizes(call), activationNumber(call)]);
    },
    ctc({
      seqLen,
      batch,
      classes,
      maxLabels,
      logits,
      lengths,
      labels,
      labelLengths,
      losses,
      dLogits,
      scale,
    }) {
      const scratch = scratchOf(invoke('ctc_memory', [], [], [seqLen, maxLabels]));
      const operands = [logits, lengths, labels, labelLengths, losses, dLogits, scratch];
      invoke('ctc', [scale], operands, [seqLen, batch, classes, maxLabels]);
    },
    ...recurrenceCalls(invoke, scratchOf),
  };
}

/** Of the structs' numbers, in their order. */
function attentionNumbers(shape: AttentionShape): number[] {
  const { queries, keys, batch, heads, kvHeads, headSize, qStride, kvStride } = shape;
  const { offset, causal, window, dilation, globals, stride } = shape;
  const sizes = [queries, keys, batch, heads, kvHeads, headSize, qStride, kvStride];
  return [...sizes, offset, Number(causal), window, dilation, globals, stride];
}

/** Of the structs' numbers, in their order. */
function convolutionSizes(shape: ConvolutionShape): number[] {
  const { seqLen, outputLen, batch, inputSize, outputSize, kernelSize, dilation, ahead, stride, groups } =
    shape;
  return [seqLen, outputLen, batch, inputSize, outputSize, kernelSize, dilation, ahead, stride, groups];
}

/** UNROLL_LINEAR for none. */
function activationNumber({ activation }: { activation: ActivationKind | null }): number {
  return activation === null ? -1 : KINDS.indexOf(activation);
}
