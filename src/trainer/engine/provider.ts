// The provider interface (frozen): every heavy computation, as plain functions over (typed array, offset,
// shape). A native (Node-API) or WASM provider implements this file and changes none.
//
// Legend of shapes: T seqLen, B batch, I inputSize, H hiddenSize, O outputs, G gates of the cell (rnn 1, gru 3, lstm 4),
// N rows, C classes, V vocabulary, D width. All arrays are row-major; sequences are time-major (T, B, …).
//
// Rules, said once:
// 1. Memory is the caller's. A provider keeps no pointer after a call, except that it may remember inside
//    `packed` what it wrote there. No operand overlaps another unless said.
// 2. Whatever a function writes it OVERWRITES, parameter gradients included. The two exceptions: `gemm` with
//    `accumulate`, and `embeddingBackward`; both ADD. Optimizer steps update their operands in place.
// 3. Sizes have been checked by the caller (engine/kernels); a provider may trust them. Cells it cannot compute
//    are missing from `cells`. What fails nonetheless throws an Error with a sentence; it never exits the process.
// 4. Same inputs, instruction set and thread count give the same bits: reductions run in a fixed order.
//    Providers agree with the reference within 1e-5 of the largest value, not bit by bit.
// 5. Threads are the provider's own business; a call returns when its work is done.
// 6. NaN and infinity pass through; nothing is clamped or flushed on purpose.

import type { StreamKey } from '../random.ts';
import type { RecurrentCell, RecurrentReportOut } from './cells.ts';
import type { Program } from './formula.ts';
import type { GatedScanOperations, RecurrenceOperations } from './recurrences.ts';
import type { IntSlice, Slice } from './slices.ts';
import type { LstmFields, VariantOperations } from './variants.ts';

export type { RecurrentCell, RecurrentReportOut } from './cells.ts';
export type { IntSlice, Slice } from './slices.ts';

export const GATES: Readonly<Record<RecurrentCell, readonly string[]>> = {
  'rnn-tanh': [],
  'rnn-relu': [],
  lstm: ['i', 'f', 'g', 'o'],
  'gru-reset-after': ['r', 'z', 'n'],
  'gru-reset-before': ['r', 'z', 'n'],
  'rnn-sigmoid': [],
  'rnn-leaky-relu': [],
  'rnn-linear': [],
};

/** Blocks of H rows in weightIh, weightHh and the biases: G of the legend. */
export function gateBlocks(cell: RecurrentCell): number {
  return Math.max(1, GATES[cell].length);
}

export interface RecurrentShape {
  readonly cell: RecurrentCell;
  readonly seqLen: number;
  readonly batch: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** read each sequence from its last valid step to its first; outputs keep the places of their inputs */
  readonly reverse: boolean;
}

export interface RecurrentWeights {
  /** (G·H, I) */
  readonly weightIh: Slice;
  /** (G·H, H) */
  readonly weightHh: Slice;
  /** (G·H) each; null: absent, which is zero */
  readonly biasIh: Slice | null;
  readonly biasHh: Slice | null;
  /**
   * A place of `recurrentMemory(…).packed` floats that belongs to these weights, zeroed when new and touched
   * by nobody but the provider: for weights in its own layout. It need be written again only when `version`
   * differs from that of the last call with this place. Versions are whole numbers from 1 to 2^32-1.
   */
  readonly packed: Slice;
  readonly version: number;
}

/** Sizes in floats of what the caller lends to a recurrent call. */
export interface RecurrentMemory {
  readonly packed: number;
  /** from forward to its backward: gates, states and what else the backward pass wants; opaque to the caller */
  readonly cache: number;
  /** contents mean nothing between calls */
  readonly forwardScratch: number;
  readonly backwardScratch: number;
}

/** What forward and backward share. */
export interface RecurrentCall {
  readonly shape: RecurrentShape;
  readonly weights: RecurrentWeights;
  /** (T, B, I) */
  readonly x: Slice;
  /** (B) valid steps of each sequence, 0…T; null: all T. What stands beyond them is never read. */
  readonly lengths: IntSlice | null;
  /** (B, H) state to start in; null: zeros. c0 for the LSTM only. */
  readonly h0: Slice | null;
  readonly c0: Slice | null;
}

export interface RecurrentForward extends RecurrentCall {
  /** (T, B, H) hidden states, zero beyond a sequence's length */
  readonly y: Slice;
  /** (B, H) states after the last step read; cN for the LSTM only */
  readonly hN: Slice;
  readonly cN: Slice | null;
  /** null: no backward pass will follow */
  readonly cache: Slice | null;
  readonly scratch: Slice;
}

export interface RecurrentBackward extends RecurrentCall {
  /** as the forward call left it */
  readonly y: Slice;
  /** as the forward call left it; may be used up */
  readonly cache: Slice;
  readonly scratch: Slice;
  /** gradients of the loss with respect to y, hN, cN; null: zero. dy beyond a sequence's length is not read. */
  readonly dy: Slice | null;
  readonly dhN: Slice | null;
  readonly dcN: Slice | null;
  /** (T, B, I), zero beyond a sequence's length; null: not wanted, and then not computed */
  readonly dx: Slice | null;
  readonly dWeightIh: Slice;
  readonly dWeightHh: Slice;
  readonly dBiasIh: Slice | null;
  readonly dBiasHh: Slice | null;
  readonly dh0: Slice | null;
  readonly dc0: Slice | null;
  readonly report: RecurrentReportOut | null;
}

/** c (M, N) = op(a) (M, K) · op(b) (K, N) + bias (N), added to c when `accumulate`. */
export interface Gemm {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Slice;
  /** a is stored (K, M) */
  readonly transA: boolean;
  readonly b: Slice;
  /** b is stored (N, K) */
  readonly transB: boolean;
  /** (N); null: none */
  readonly bias: Slice | null;
  readonly c: Slice;
  readonly accumulate: boolean;
}

/**
 * Mean cross-entropy of softmax(logits) and its gradient in one pass:
 * L = Σ_n w_n ((1-ε) (-log p_n,target) + ε mean_c(-log p_n,c)) / Σ_n w_n, ε = labelSmoothing.
 * Rows of weight 0 are not looked at and get a zero gradient. With no weight at all L is 0.
 */
export interface SoftmaxCrossEntropy {
  readonly rows: number;
  readonly classes: number;
  /** (N, C) */
  readonly logits: Slice;
  /** (N) in 0…C-1 where the weight is not 0 */
  readonly targets: IntSlice;
  /** (N) mask or weights; null: ones */
  readonly weights: Slice | null;
  readonly labelSmoothing: number;
  /** (N, C) ∂L/∂logits; null: not wanted. May be the place of `logits`. */
  readonly dLogits: Slice | null;
}

/**
 * The last dense layer with the cross-entropy of its logits, which are kept by nobody: logits = x weightᵀ + bias, and L of
 * `SoftmaxCrossEntropy`. Rows of weight 0 are not looked at, neither their x, and get a zero dx. Gradients that are
 * null are not computed.
 */
export interface DenseCrossEntropy {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  /** (N, H) */
  readonly x: Slice;
  /** (O, H), PyTorch's layout */
  readonly weight: Slice;
  /** (O); null: none */
  readonly bias: Slice | null;
  /** (N) in 0…O-1 where the weight is not 0 */
  readonly targets: IntSlice;
  /** (N) mask or weights; null: ones */
  readonly weights: Slice | null;
  readonly labelSmoothing: number;
  /** (N, H) */
  readonly dx: Slice | null;
  /** (O, H) */
  readonly dWeight: Slice | null;
  /** (O) */
  readonly dBias: Slice | null;
}

/** out (N, D) = table[ids] */
export interface Embedding {
  readonly rows: number;
  readonly width: number;
  /** (N) in 0…V-1 */
  readonly ids: IntSlice;
  /** (V, D) */
  readonly table: Slice;
  readonly out: Slice;
}

/** dTable[ids] += dOut, row after row: repeated ids add up in order. */
export interface EmbeddingBackward {
  readonly rows: number;
  readonly width: number;
  readonly ids: IntSlice;
  readonly dOut: Slice;
  readonly dTable: Slice;
}

/** What every optimizer step has: p and g of `count` numbers. The gradient is left as it was. */
export interface OptimizerCall {
  readonly count: number;
  readonly parameter: Slice;
  readonly gradient: Slice;
  readonly learningRate: number;
}

/**
 * torch.optim.Adam (weightDecay 0) and AdamW (decoupled decay, first p *= 1 - lr·weightDecay):
 * m = β1 m + (1-β1) g, v = β2 v + (1-β2) g², p -= lr/(1-β1^step) · m / (√v/√(1-β2^step) + ε).
 */
export interface AdamStep extends OptimizerCall {
  readonly firstMoment: Slice;
  readonly secondMoment: Slice;
  /** 1 at the first update */
  readonly step: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** torch.optim.SGD: b = μ b + g, p -= lr · (nesterov ? g + μ b : b). */
export interface SgdStep extends OptimizerCall {
  /** null when momentum is 0 */
  readonly momentumBuffer: Slice | null;
  readonly momentum: number;
  readonly nesterov: boolean;
}

/** torch.optim.RMSprop, not centred: s = α s + (1-α) g², u = g/(√s + ε), b = μ b + u, p -= lr · (μ > 0 ? b : u). */
export interface RmspropStep extends OptimizerCall {
  readonly squareAverage: Slice;
  /** null when momentum is 0 */
  readonly momentumBuffer: Slice | null;
  readonly decay: number;
  readonly momentum: number;
  readonly epsilon: number;
}

/** to (N, D) = from (N, D), each in rows of a stride of its own: columns cut out of a matrix or put into one. */
export interface CopyColumns {
  readonly rows: number;
  readonly width: number;
  readonly from: Slice;
  readonly fromStride: number;
  readonly to: Slice;
  readonly toStride: number;
}

/** `gelu` is x Φ(x) with the exact Φ (torch.nn.GELU's default), not its tanh approximation. */
export type ActivationKind = 'relu' | 'gelu' | 'tanh' | 'sigmoid';

/** Those whose slope is known from y, so that x need not be kept. */
export type OutputActivation = Exclude<ActivationKind, 'gelu'>;

/** A program of element-wise verbs over `count` numbers (formula.ts). No output is the place of another operand. */
export interface FormulaCall {
  readonly program: Program;
  readonly count: number;
  /** numbers of an input that is a row, which begins again at its end */
  readonly width: number;
  readonly inputs: readonly { readonly slice: Slice; readonly row: boolean }[];
  readonly outputs: readonly Slice[];
}

/** y = φ(x), element by element; y may be the place of x. */
export interface Activation {
  readonly kind: ActivationKind;
  readonly count: number;
  readonly x: Slice;
  readonly y: Slice;
}

/** dx = dy φ'(x). gelu reads x and not y, the others read y and not x. dx may be the place of dy. */
export interface ActivationBackward extends Activation {
  readonly dy: Slice;
  readonly dx: Slice;
}

/**
 * y = x ⊙ mask, where the mask is 0 if uniform number i of the stream is below `rate`, else 1 / (1 - rate) in float32: to
 * the bit the same with every provider. y may be the place of x. Its gradient is the same function of dy.
 */
export interface Dropout {
  readonly count: number;
  readonly rate: number;
  readonly stream: StreamKey;
  readonly x: Slice;
  readonly y: Slice;
}

/** y = (x - mean) / √(variance + ε) ⊙ weight + bias over each row, the variance being the biased one. */
export interface LayerNorm {
  readonly rows: number;
  readonly width: number;
  readonly epsilon: number;
  /** (N, D) */
  readonly x: Slice;
  /** (D) each */
  readonly weight: Slice;
  readonly bias: Slice;
  readonly y: Slice;
  /** (N) mean and 1/√(variance + ε) of each row, for the backward pass; null: not wanted */
  readonly mean: Slice | null;
  readonly inverseDeviation: Slice | null;
}

export interface LayerNormBackward {
  readonly rows: number;
  readonly width: number;
  readonly x: Slice;
  readonly weight: Slice;
  /** as the forward call left them */
  readonly mean: Slice;
  readonly inverseDeviation: Slice;
  readonly dy: Slice;
  /** null: not wanted */
  readonly dx: Slice | null;
  readonly dWeight: Slice;
  readonly dBias: Slice;
}

/** y = weight ⊙ x / √(share Σ x² + ε) of each row: with a share of 1 / D by its root mean square, with 1 by its length. */
export interface RowNorm {
  readonly rows: number;
  readonly width: number;
  readonly share: number;
  readonly epsilon: number;
  /** (N, D) */
  readonly x: Slice;
  /** (D); null: ones */
  readonly weight: Slice | null;
  readonly y: Slice;
  /** (N) the factor of each row, for the backward pass */
  readonly inverse: Slice;
}

export interface RowNormBackward {
  readonly rows: number;
  readonly width: number;
  readonly share: number;
  readonly x: Slice;
  readonly weight: Slice | null;
  /** as the forward call left it */
  readonly inverse: Slice;
  readonly dy: Slice;
  readonly dx: Slice;
  /** null: not wanted */
  readonly dWeight: Slice | null;
}

export interface ShortConvolutionShape {
  readonly seqLen: number;
  readonly batch: number;
  readonly width: number;
  readonly kernelSize: number;
  /** φ(s) = s σ(s), or s */
  readonly silu: boolean;
}

/** y_t = φ(bias + Σ_k weight[:, k] ⊙ x_{t-(K-1)+k}): of each channel by itself */
export interface ShortConvolution extends ShortConvolutionShape {
  /** (T, B, D) */
  readonly x: Slice;
  /** (K-1, B, D): what comes before the first step */
  readonly before: Slice;
  /** (D, K) */
  readonly weight: Slice;
  /** (D) */
  readonly bias: Slice;
  readonly y: Slice;
}

export interface ShortConvolutionBackward extends ShortConvolutionShape {
  readonly x: Slice;
  readonly before: Slice;
  readonly weight: Slice;
  readonly bias: Slice;
  readonly dy: Slice;
  readonly dx: Slice;
  readonly dWeight: Slice;
  readonly dBias: Slice;
}

/**
 * Which keys s a query at place t sees; its place is its step and `offset`. Any of window, stride and globals lets it see
 * a key; with none of these, all are seen. `causal` holds for all.
 */
export interface AttentionMask {
  /** s ≤ t only */
  readonly causal: boolean;
  /** keys that come before the first query: those of a cache */
  readonly offset: number;
  /** |t - s| < window · dilation, t - s a multiple of `dilation` (≥ 1); 0: no window */
  readonly window: number;
  readonly dilation: number;
  /** t - s a multiple of `stride`; 0: none */
  readonly stride: number;
  /** the first ones are seen by all and see all */
  readonly globals: number;
}

export interface AttentionShape extends AttentionMask {
  /** steps of the queries, and of the keys and values */
  readonly queries: number;
  readonly keys: number;
  readonly batch: number;
  readonly heads: number;
  /** heads of keys and values, a divisor of `heads`: each serves `heads / kvHeads` heads of queries that stand together */
  readonly kvHeads: number;
  /** numbers of one head: D = heads · headSize, E = kvHeads · headSize */
  readonly headSize: number;
  /** how far two sequences of a step are apart in q and kv: D and 2·E, or D + 2·E where they stand side by side */
  readonly qStride: number;
  readonly kvStride: number;
}

/** What is added to the scores of keys by how far they are from their query, and keys that no query sees. */
export interface AttentionTerms {
  /** (B) the first key of each sequence that is there, 0…T_k; null: 0 */
  readonly starts: IntSlice | null;
  /** (heads) m of -m |t - s| (ALiBi, Press et al. 2021); null: none */
  readonly slopes: Slice | null;
  /**
   * u (T_q, B, D) of u_t · r_(t-s) / √headSize (Dai et al. 2019); null: none. Causal masks without dilation, stride and
   * globals, whose last query stands at the last key.
   */
  readonly qRelative: Slice | null;
  /** r (T_k, D), by distance from 0 on */
  readonly relative: Slice | null;
}

/**
 * softmax(QKᵀ/√headSize) V by heads (Vaswani et al. 2017), row by row, so that memory is linear in T: the scores are
 * never stored, and the backward pass computes them again. A query that sees no key gives zeros.
 */
export interface Attention extends AttentionShape, AttentionTerms {
  /** (T_q, B, D): each step's queries, its heads side by side */
  readonly q: Slice;
  /** (T_k, B, 2·E): keys and values side by side */
  readonly kv: Slice;
  /** (B) valid keys of each sequence, 0…T_k; null: all. What stands beyond them is never read. */
  readonly lengths: IntSlice | null;
  /** (B) valid queries, 0…T_q; null: all */
  readonly queryLengths: IntSlice | null;
  /** (T_q, B, D), zero beyond a sequence's queries */
  readonly out: Slice;
  /** (B, heads, T_q) log Σ exp of each row's scores, for the backward pass; null: not wanted */
  readonly logSumExp: Slice | null;
  /** (B, heads, T_q, T_k) the share of each key; null: not wanted */
  readonly weights: Slice | null;
}

export interface AttentionBackward extends AttentionShape, AttentionTerms {
  readonly q: Slice;
  readonly kv: Slice;
  readonly lengths: IntSlice | null;
  readonly queryLengths: IntSlice | null;
  /** as the forward call left them */
  readonly out: Slice;
  readonly logSumExp: Slice;
  /** (T_q, B, D), not read beyond a sequence's queries */
  readonly dOut: Slice;
  /** as q and kv, zero beyond a sequence's queries and keys */
  readonly dQ: Slice;
  readonly dKv: Slice;
  /** (T_q, B, D) and (B, T_k, D), of each sequence by itself; null where they are not given */
  readonly dQRelative: Slice | null;
  readonly dRelative: Slice | null;
}

/**
 * A dilated convolution over time: step t of the output reads the steps t·stride + ahead - j·dilation of the input, j = 0 …
 * kernelSize-1, of which those that are not there are zero. `ahead` 0: it looks only back.
 */
export interface ConvolutionShape {
  /** steps of the input, and of the output */
  readonly seqLen: number;
  readonly outputLen: number;
  readonly batch: number;
  readonly inputSize: number;
  readonly outputSize: number;
  readonly kernelSize: number;
  readonly dilation: number;
  readonly ahead: number;
  readonly stride: number;
  /** inputs and outputs are cut into so many parts, each of which sees its own alone */
  readonly groups: number;
  /** φ of the sums; null: they stay as they are */
  readonly activation: OutputActivation | null;
}

/** y_t = φ(bias + Σ_j weight[:, :, kernelSize-1-j] x_{t·stride + ahead - j·dilation}) */
export interface Convolution extends ConvolutionShape {
  /** (T, B, I) */
  readonly x: Slice;
  /** (O, I / groups, kernelSize), PyTorch's layout: the last tap reads the latest step */
  readonly weight: Slice;
  /** (O) */
  readonly bias: Slice;
  /** (T_out, B, O) */
  readonly y: Slice;
}

export interface ConvolutionBackward extends ConvolutionShape {
  readonly x: Slice;
  readonly weight: Slice;
  /** as the forward call left it; not read without an activation */
  readonly y: Slice;
  readonly dy: Slice;
  /** (T, B, I); null: not wanted, and then not computed */
  readonly dx: Slice | null;
  readonly dWeight: Slice;
  readonly dBias: Slice;
}

/**
 * The loss of connectionist temporal classification (Graves et al. 2006) and its gradient in one pass. Class 0 is the
 * blank. Where no alignment gives the labels, the loss is infinite and the gradient zero.
 */
export interface Ctc {
  readonly seqLen: number;
  readonly batch: number;
  readonly classes: number;
  /** columns of `labels` */
  readonly maxLabels: number;
  /** (T, B, C) */
  readonly logits: Slice;
  /** (B) valid steps of each sequence, 0…T; null: all T */
  readonly lengths: IntSlice | null;
  /** (B, maxLabels), of which the first `labelLengths` are read: 1…C-1 */
  readonly labels: IntSlice;
  /** (B) */
  readonly labelLengths: IntSlice;
  /** (B) -log p(labels), in nats */
  readonly losses: Slice;
  /** (T, B, C) gradient of the sum of the losses, times `scale`; zero beyond a length; null: not wanted */
  readonly dLogits: Slice | null;
  readonly scale: number;
}

/** What layers beside the recurrent ones take. A provider may leave any of it to the reference's functions. */
export interface SequenceOperations extends RecurrenceOperations {
  copyColumns(call: CopyColumns): void;
  /** out = a + b; out may be the place of either */
  add(count: number, a: Slice, b: Slice, out: Slice): void;
  formula(call: FormulaCall): void;
  activation(call: Activation): void;
  activationBackward(call: ActivationBackward): void;
  dropout(call: Dropout): void;
  layerNorm(call: LayerNorm): void;
  layerNormBackward(call: LayerNormBackward): void;
  rowNorm(call: RowNorm): void;
  rowNormBackward(call: RowNormBackward): void;
  shortConvolution(call: ShortConvolution): void;
  shortConvolutionBackward(call: ShortConvolutionBackward): void;
  attention(call: Attention): void;
  attentionBackward(call: AttentionBackward): void;
  convolution(call: Convolution): void;
  convolutionBackward(call: ConvolutionBackward): void;
  ctc(call: Ctc): void;
}

/** recurrentForward and recurrentBackward of an LSTM with such fields; a report's ∂L/∂c_t is of c after zoneout. */
export interface LstmVariantOperations {
  lstmVariantForward(call: RecurrentForward & LstmFields): void;
  lstmVariantBackward(call: RecurrentBackward & LstmFields & { readonly dPeephole: Slice | null }): void;
}

export interface Provider
  extends Partial<SequenceOperations>,
    Partial<VariantOperations>,
    Partial<LstmVariantOperations>,
    Partial<GatedScanOperations> {
  readonly name: 'native' | 'wasm' | 'reference';
  /** for people and run.json, e.g. "avx2", "simd128", "javascript" */
  readonly instructionSet: string;
  readonly threads: number;
  /** cells with a fused implementation here; the others run as compositions of tensor operations */
  readonly cells: readonly RecurrentCell[];

  /**
   * A zeroed array in memory that this provider reaches without copying (WASM: a view of its own heap). Operands
   * may stand in any array; caches, packed weights and scratch come from here.
   */
  allocate(floats: number): Float32Array;
  /** Gives back what `allocate` gave; the array must not be used again. */
  release(array: Float32Array): void;

  /** `ragged`: calls will give lengths */
  recurrentMemory(shape: RecurrentShape, ragged: boolean): RecurrentMemory;
  recurrentForward(call: RecurrentForward): void;
  recurrentBackward(call: RecurrentBackward): void;

  gemm(call: Gemm): void;
  /** out (D) = sum over the rows of a (N, D): the gradient of a bias */
  columnSums(rows: number, width: number, a: Slice, out: Slice): void;

  /** returns the loss */
  softmaxCrossEntropy(call: SoftmaxCrossEntropy): number;
  /** returns the loss */
  denseCrossEntropy(call: DenseCrossEntropy): number;

  embedding(call: Embedding): void;
  embeddingBackward(call: EmbeddingBackward): void;

  /** Σ a², summed in float64 and in order: the global norm is the root of the sum over tensors */
  sumOfSquares(count: number, a: Slice): number;
  /** a *= factor */
  scale(count: number, a: Slice, factor: number): void;

  /** All three return Σ |p| after the update, summed roughly: NaN or infinite where a number of p is. */
  adamStep(call: AdamStep): number;
  sgdStep(call: SgdStep): number;
  rmspropStep(call: RmspropStep): number;

  /**
   * Since it was started: of the time of calls that threads share, the part in which one did all of the work, since others
   * had their processors.
   */
  timeAlone?(): number;

  /** Ends its threads, so that the process can end; nothing may be called after. */
  close(): void;
}
