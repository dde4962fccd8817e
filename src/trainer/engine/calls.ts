// The provider's functions as calls of kernels/abi.h, for every build of the kernels: each call is flattened into the
// members of its struct, doubles first, then operands, then whole numbers.
import { checkSizes } from './call-sizes.ts';
import type {
  IntSlice,
  Provider,
  RecurrentBackward,
  RecurrentCall,
  RecurrentCell,
  RecurrentForward,
  RecurrentMemory,
  RecurrentShape,
  Slice,
} from './provider.ts';
import { SEQUENCE_OPERANDS, sequenceCalls } from './sequence-calls.ts';
import { VARIANT_OPERANDS, variantCalls } from './variant-calls.ts';
import type { LstmFields } from './variants.ts';

/** In the order of UnrollCell. */
const CELLS: readonly RecurrentCell[] = [
  'rnn-tanh',
  'rnn-relu',
  'lstm',
  'gru-reset-after',
  'gru-reset-before',
  'rnn-sigmoid',
  'rnn-leaky-relu',
  'rnn-linear',
];
const MEMORY_KINDS = 4;
const REMEMBERED_SIZES = 64;

/**
 * The pointers of each function's struct: `r` is only read, `w` written too (const or not in abi.h). A function is
 * called unroll_<name>.
 */
export const OPERANDS = {
  recurrent_memory: '',
  recurrent_forward: 'rrrrwrrrrwwwww',
  recurrent_backward: 'rrrrwrrrrrwwrrrwwwwwwwwwww',
  gemm_memory: '',
  gemm: 'rrrww',
  column_sums: 'rw',
  softmax_cross_entropy: 'rrrw',
  dense_cross_entropy_memory: '',
  dense_cross_entropy: 'rrrrrwwww',
  embedding: 'rrw',
  embedding_backward: 'rrw',
  sum_of_squares: 'r',
  scale: 'w',
  adam_step: 'wrww',
  sgd_step: 'wrw',
  rmsprop_step: 'wrww',
  ...SEQUENCE_OPERANDS,
  ...VARIANT_OPERANDS,
} as const;

export type KernelName = keyof typeof OPERANDS;
export type Operand = Slice | IntSlice | null;

/** Calls a function with the members of its struct, and returns its result. */
export type Invoke = (
  kernel: KernelName,
  doubles: readonly number[],
  operands: readonly Operand[],
  integers: readonly number[],
) => number;

type Calls = Omit<Provider, 'name' | 'instructionSet' | 'threads' | 'allocate' | 'release' | 'close'>;

export function kernelCalls(unchecked: Invoke, memory: Pick<Provider, 'allocate' | 'release'>): Calls {
  const invoke: Invoke = (kernel, doubles, operands, integers) => {
    checkSizes(kernel, operands, integers);
    return unchecked(kernel, doubles, operands, integers);
  };
  const recurrentMemory = remembered((sizes): RecurrentMemory => {
    const [packed, cache, forwardScratch, backwardScratch] = Array.from({ length: MEMORY_KINDS }, (_, kind) =>
      invoke('recurrent_memory', [], [], [...sizes, kind]),
    ) as [number, number, number, number];
    return { packed, cache, forwardScratch, backwardScratch };
  });
  const memoryOf = (shape: RecurrentShape, ragged: boolean) =>
    recurrentMemory([...shapeNumbers(shape).slice(0, 5), Number(ragged)]);
  const gemmMemory = remembered(sizes => invoke('gemm_memory', [], [], sizes));
  let scratch = memory.allocate(0);

  function scratchOf(floats: number): Slice {
    if (scratch.length < floats) {
      memory.release(scratch);
      scratch = memory.allocate(floats);
    }
    return { data: scratch, offset: 0 };
  }

  function forwardOperands(call: RecurrentForward): Operand[] {
    const { y, hN, cN, cache, scratch } = call;
    const needed = memoryOf(call.shape, call.lengths !== null);
    requireRoom('packed', call.weights.packed, needed.packed);
    if (cache) requireRoom('cache', cache, needed.cache);
    requireRoom('scratch', scratch, needed.forwardScratch);
    return [...inputsOf(call, call.x), y, hN, cN, cache, scratch];
  }

  function backwardOperands(call: RecurrentBackward): Operand[] {
    const { cache, scratch, dy, dhN, dcN, dx, dWeightIh, dWeightHh, dBiasIh, dBiasHh, dh0, dc0 } = call;
    const needed = memoryOf(call.shape, call.lengths !== null);
    requireRoom('packed', call.weights.packed, needed.packed);
    requireRoom('cache', cache, needed.cache);
    requireRoom('scratch', scratch, needed.backwardScratch);
    const {
      hiddenGradNorm = null,
      cellGradNorm = null,
      gateMean = null,
      gateSaturation = null,
    } = call.report ?? {};
    const gradients = [dx, dWeightIh, dWeightHh, dBiasIh, dBiasHh, dh0, dc0];
    const report = [hiddenGradNorm, cellGradNorm, gateMean, gateSaturation];
    // with lengths the kernels have x and y in the cache
    const sequences = call.lengths ? [...inputsOf(call, null), null] : [...inputsOf(call, call.x), call.y];
    return [...sequences, cache, scratch, dy, dhN, dcN, ...gradients, ...report];
  }

  return {
    cells: CELLS,
    recurrentMemory: memoryOf,
    recurrentForward(call) {
      invoke('recurrent_forward', [], forwardOperands(call), callNumbers(call));
    },
    recurrentBackward(call) {
      invoke('recurrent_backward', [], backwardOperands(call), callNumbers(call));
    },
    lstmVariantForward(call) {
      const operands = [...fieldsOf(call), ...forwardOperands(call)];
      invoke('lstm_variant_forward', [call.zoneout], operands, callNumbers(call).slice(1));
    },
    lstmVariantBackward(call) {
      const sizes = shapeNumbers(call.shape).slice(1, 5);
      const room = invoke('lstm_variant_memory', [], [], [...sizes, Number(call.lengths !== null)]);
      const own = [...fieldsOf(call), call.dPeephole, scratchOf(room)];
      const operands = [...own, ...backwardOperands(call)];
      invoke('lstm_variant_backward', [call.zoneout], operands, callNumbers(call).slice(1));
    },
    gemm({ m, n, k, a, transA, b, transB, bias, c, accumulate }) {
      const sizes = [m, n, k, Number(transA), Number(transB)];
      const lent = scratchOf(gemmMemory(sizes));
      invoke('gemm', [], [a, b, bias, c, lent], [...sizes, Number(accumulate)]);
    },
    columnSums(rows, width, a, out) {
      invoke('column_sums', [], [a, out], [rows, width]);
    },
    softmaxCrossEntropy({ rows, classes, logits, targets, weights, labelSmoothing, dLogits }) {
      const operands = [logits, targets, weights, dLogits];
      return invoke('softmax_cross_entropy', [labelSmoothing], operands, [rows, classes]);
    },
    denseCrossEntropy(call) {
      const { x, weight, bias, targets, weights, dx, dWeight, dBias } = call;
      const sizes = [call.rows, call.inputs, call.outputs];
      const flags = [weights !== null, dx !== null || dWeight !== null || dBias !== null].map(Number);
      const lent = scratchOf(invoke('dense_cross_entropy_memory', [], [], [...sizes, ...flags]));
      const operands = [x, weight, bias, targets, weights, dx, dWeight, dBias, lent];
      return invoke('dense_cross_entropy', [call.labelSmoothing], operands, sizes);
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
      return invoke('adam_step', doubles, operands, [count]);
    },
    sgdStep({ count, parameter, gradient, learningRate, momentumBuffer, momentum, nesterov }) {
      const operands = [parameter, gradient, momentumBuffer];
      return invoke('sgd_step', [learningRate, momentum], operands, [count, Number(nesterov)]);
    },
    rmspropStep(call) {
      const { count, parameter, gradient, squareAverage, momentumBuffer } = call;
      const doubles = [call.learningRate, call.decay, call.momentum, call.epsilon];
      return invoke('rmsprop_step', doubles, [parameter, gradient, squareAverage, momentumBuffer], [count]);
    },
    ...sequenceCalls(invoke, scratchOf),
    ...variantCalls(invoke, CELLS, scratchOf),
  };
}

/** Sizes hold for one engine and its threads: memory measured for another one is refused, not written beyond. */
function requireRoom(what: string, { data, offset }: Slice, floats: number): void {
  if (offset >= 0 && data.length - offset >= floats) return;
  throw new Error(
    `A recurrent call was lent ${data.length - offset} numbers of ${what}, but this engine needs ${floats}.`,
  );
}

/** The answer to sizes that were asked for before: a step asks for the same ones again. */
function remembered<T>(ask: (sizes: readonly number[]) => T): (sizes: readonly number[]) => T {
  const known: { sizes: readonly number[]; answer: T }[] = [];
  return sizes => {
    for (const one of known) if (equal(one.sizes, sizes)) return one.answer;
    const answer = ask(sizes);
    if (known.length >= REMEMBERED_SIZES) known.length = 0;
    known.push({ sizes, answer });
    return answer;
  };
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Of the structs' numbers: cell, seq_len, batch, input_size, hidden_size, reverse. */
function shapeNumbers({ cell, seqLen, batch, inputSize, hiddenSize, reverse }: RecurrentShape): number[] {
  return [CELLS.indexOf(cell), seqLen, batch, inputSize, hiddenSize, Number(reverse)];
}

function callNumbers({ shape, weights }: RecurrentCall): number[] {
  return [...shapeNumbers(shape), weights.version | 0];
}

function fieldsOf({ peephole, updateMask, zoneoutH, zoneoutC }: LstmFields): Operand[] {
  return [peephole, updateMask, zoneoutH, zoneoutC];
}

function inputsOf({ weights, lengths, h0, c0 }: RecurrentCall, x: Slice | null): Operand[] {
  const { weightIh, weightHh, biasIh, biasHh, packed } = weights;
  return [weightIh, weightHh, biasIh, biasHh, packed, x, lengths, h0, c0];
}
