// The provider over the native addon: each function leaves its numbers in one array and hands over its operands, in
// the order of the structs of kernels/abi.h.
import { availableParallelism } from 'node:os';
import process from 'node:process';
import type {
  IntSlice,
  Provider,
  RecurrentCall,
  RecurrentCell,
  RecurrentMemory,
  RecurrentShape,
  Slice,
} from '../provider.ts';
import { sequenceCalls } from '../sequence-calls.ts';
import { type Addon, type KernelName, loadAddon, type Operand } from './addon.ts';

const CELLS: readonly RecurrentCell[] = [
  'rnn-tanh',
  'rnn-relu',
  'lstm',
  'gru-reset-after',
  'gru-reset-before',
];
const MEMORY_KINDS = 4;
const MAX_NUMBERS = 96;
const MAX_THREADS = 64;
const REMEMBERED_SHAPES = 64;

export interface NativeOptions {
  /** one of the addon's; left out: UNROLL_ISA, or the best that the processor has */
  instructionSet?: string;
  /** another file than the one beside the engine */
  file?: string;
}

/** The native provider, or why it is not to be had. `threads` null: one for each processor. */
export async function loadNative(
  threads: number | null,
  { instructionSet = process.env.UNROLL_ISA, file }: NativeOptions = {},
): Promise<Provider | string> {
  const addon = loadAddon(file);
  if (typeof addon === 'string') return addon;
  const works = addon.instructionSets();
  const chosen = instructionSet || works[0]!;
  if (!works.includes(chosen))
    return `UNROLL_ISA asks for "${chosen}", but the native engine has ${works.join(', ')} on this processor`;
  const wanted = Math.max(1, Math.min(threads ?? availableParallelism(), MAX_THREADS));
  return createProvider(addon, chosen, wanted);
}

function createProvider(addon: Addon, instructionSet: string, wanted: number): Provider {
  const numbers = new Float64Array(MAX_NUMBERS);
  const threads = addon.start(instructionSet, wanted, numbers);
  const memories = new Map<string, RecurrentMemory>();
  let scratch = allocate(0);

  /** An array at the beginning of a cache line, inside an ordinary buffer: Electron allows no memory from outside. */
  function allocate(floats: number): Float32Array {
    const buffer = new ArrayBuffer(floats * 4 + 64);
    return new Float32Array(buffer, (64 - addon.misalignment(buffer)) % 64, floats);
  }

  function invoke(
    kernel: KernelName,
    doubles: readonly number[],
    slices: readonly (Slice | IntSlice | null)[],
    integers: readonly number[],
  ): number {
    let at = 0;
    for (const number of doubles) numbers[at++] = number;
    const operands: Operand[] = [];
    for (const slice of slices) {
      numbers[at++] = slice?.offset ?? 0;
      operands.push(slice?.data ?? null);
    }
    for (const number of integers) numbers[at++] = number;
    return addon[kernel](...operands);
  }

  function scratchOf(floats: number): Slice {
    if (scratch.length < floats) scratch = allocate(floats);
    return { data: scratch, offset: 0 };
  }

  function memoryOf(shape: RecurrentShape): RecurrentMemory {
    const sizes = shapeNumbers(shape).slice(0, 5);
    const key = sizes.join();
    const known = memories.get(key);
    if (known) return known;
    const [packed, cache, forwardScratch, backwardScratch] = Array.from({ length: MEMORY_KINDS }, (_, kind) =>
      invoke('recurrent_memory', [], [], [...sizes, kind]),
    ) as [number, number, number, number];
    const memory = { packed, cache, forwardScratch, backwardScratch };
    if (memories.size >= REMEMBERED_SHAPES) memories.clear();
    memories.set(key, memory);
    return memory;
  }

  return {
    name: 'native',
    instructionSet,
    threads,
    cells: CELLS,
    allocate,
    release() {},
    recurrentMemory: memoryOf,
    recurrentForward(call) {
      const { y, hN, cN, cache, scratch } = call;
      invoke('recurrent_forward', [], [...inputsOf(call), y, hN, cN, cache, scratch], callNumbers(call));
    },
    recurrentBackward(call) {
      const { cache, scratch, dy, dhN, dcN, dx, dWeightIh, dWeightHh, dBiasIh, dBiasHh, dh0, dc0 } = call;
      const {
        hiddenGradNorm = null,
        cellGradNorm = null,
        gateMean = null,
        gateSaturation = null,
      } = call.report ?? {};
      const gradients = [dx, dWeightIh, dWeightHh, dBiasIh, dBiasHh, dh0, dc0];
      const report = [hiddenGradNorm, cellGradNorm, gateMean, gateSaturation];
      const operands = [...inputsOf(call), cache, scratch, dy, dhN, dcN, ...gradients, ...report];
      invoke('recurrent_backward', [], operands, callNumbers(call));
    },
    gemm({ m, n, k, a, transA, b, transB, bias, c, accumulate }) {
      const sizes = [m, n, k, Number(transA), Number(transB)];
      const lent = scratchOf(invoke('gemm_memory', [], [], sizes));
      invoke('gemm', [], [a, b, bias, c, lent], [...sizes, Number(accumulate)]);
    },
    columnSums(rows, width, a, out) {
      invoke('column_sums', [], [a, out], [rows, width]);
    },
    softmaxCrossEntropy({ rows, classes, logits, targets, weights, labelSmoothing, dLogits }) {
      const operands = [logits, targets, weights, dLogits];
      return invoke('softmax_cross_entropy', [labelSmoothing], operands, [rows, classes]);
    },
    embedding({ rows, width, ids, table, out }) {
      invoke('embedding', [], [ids, table, out], [rows, width]);
    },
    embeddingBackward({ rows, width, ids, dOut, dTable }) {
      invoke('embedding_backward', [], [ids, dOut, dTable], [rows, width]);
    },
    sumOfSquares: (count, a) => invoke('sum_of_squares', [], [a], [count]),
    scale(count, a, factor) {
      invoke('scale', [factor], [a], [count]);
    },
    adamStep(call) {
      const { learningRate, beta1, beta2, epsilon, weightDecay, step, count } = call;
      const doubles = [learningRate, beta1, beta2, epsilon, weightDecay, step];
      const operands = [call.parameter, call.gradient, call.firstMoment, call.secondMoment];
      invoke('adam_step', doubles, operands, [count]);
    },
    sgdStep({ count, parameter, gradient, learningRate, momentumBuffer, momentum, nesterov }) {
      const operands = [parameter, gradient, momentumBuffer];
      invoke('sgd_step', [learningRate, momentum], operands, [count, Number(nesterov)]);
    },
    rmspropStep(call) {
      const { count, parameter, gradient, squareAverage, momentumBuffer } = call;
      const doubles = [call.learningRate, call.decay, call.momentum, call.epsilon];
      invoke('rmsprop_step', doubles, [parameter, gradient, squareAverage, momentumBuffer], [count]);
    },
    ...sequenceCalls(invoke, scratchOf),
    close: () => addon.stop(),
  };
}

/** Of the structs' numbers: cell, seq_len, batch, input_size, hidden_size, reverse. */
function shapeNumbers({ cell, seqLen, batch, inputSize, hiddenSize, reverse }: RecurrentShape): number[] {
  return [CELLS.indexOf(cell), seqLen, batch, inputSize, hiddenSize, Number(reverse)];
}

function callNumbers({ shape, weights }: RecurrentCall): number[] {
  return [...shapeNumbers(shape), weights.version | 0];
}

function inputsOf({ weights, x, lengths, h0, c0 }: RecurrentCall): (Slice | IntSlice | null)[] {
  const { weightIh, weightHh, biasIh, biasHh, packed } = weights;
  return [weightIh, weightHh, biasIh, biasHh, packed, x, lengths, h0, c0];
}
