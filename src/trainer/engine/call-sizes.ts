// The one place that checks the sizes of kernel calls, for every build of the kernels: whole numbers that 32 bits hold,
// operands with room for what they stand for, indices inside of what they index. What passes here cannot read or write
// beyond an operand; what does not throws a sentence.
import { FORMULA_INPUTS, FORMULA_OUTPUTS, FORMULA_REGISTERS, VERBS } from './formula.ts';
import type { IntSlice, Slice } from './slices.ts';

type Operand = Slice | IntSlice | null;
/** Numbers that each operand must have, in the order of the call; null: not known here. */
type Rooms = (number | null)[];

/** Kernels count in 32 bits and round up. */
const MOST = 2 ** 30;
/** of cells in the order of UnrollCell */
const GATES = [1, 1, 4, 3, 3, 1, 1, 1] as const;
const LSTM = 2;
const S_LSTM = 8;
const CELL_STATES = new Set([LSTM, S_LSTM]);

const repeat = (count: number, value: number) => Array<number>(count).fill(value);
const stridden = (rows: number, stride: number, width: number) =>
  rows > 0 ? (rows - 1) * stride + width : 0;

/** Of a cell's blocks of weights, those with a gate of their own to report. */
const gatesOf = (blocks: number) => (blocks > 1 ? blocks : 0);

function recurrentInputs([cell, T, B, I, H]: readonly number[]): Rooms {
  const G = GATES[cell!] ?? 0;
  return [G * H! * I!, G * H! * H!, G * H!, G * H!, null, T! * B! * I!, B!, B! * H!, B! * H!];
}

function attentionRooms(n: readonly number[]) {
  const [queries, keys, B, heads, kvHeads, headSize, qStride, kvStride] = n as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (!(kvHeads > 0) || heads % kvHeads !== 0)
    throw new RangeError(`${heads} heads cannot share ${kvHeads} heads of keys.`);
  const D = heads * headSize;
  return {
    q: stridden(queries * B, qStride, D),
    kv: stridden(keys * B, kvStride, 2 * kvHeads * headSize),
    out: queries * B * D,
    byDistance: keys * D,
    sums: B * heads * queries,
    weights: B * heads * queries * keys,
    B,
    heads,
  };
}

function convolutionRooms(n: readonly number[]): { x: number; weight: number; bias: number; y: number } {
  const [T, out, B, I, O, K, dilation, , , groups] = n as number[];
  if (!(groups! > 0) || I! % groups! !== 0 || O! % groups! !== 0)
    throw new RangeError(
      `A convolution of ${I} inputs and ${O} outputs cannot be cut into ${groups} groups.`,
    );
  const [, , , , , , , , stride] = n as number[];
  if (!(K! >= 1 && dilation! >= 1 && stride! >= 1 && T! >= 0 && out! >= 0 && B! >= 0 && I! >= 0 && O! >= 0))
    throw new RangeError(`A convolution has ${K} taps ${dilation} steps apart and a stride of ${stride}.`);
  return { x: T! * B! * I!, weight: (O! * I! * K!) / groups!, bias: O!, y: out! * B! * O! };
}

/** Of an LSTM's fields inside of a step. */
function lstmFields([T, B, , H]: readonly number[]): Rooms {
  return [3 * H!, ...repeat(3, T! * B! * H!)];
}

/** Operands that both passes of a cell with what its fields change are given; without the projected inputs. */
function variantInputs([cell, T, B, H]: readonly number[]) {
  const isSLstm = cell === S_LSTM;
  const G = cell === LSTM || isSLstm ? 4 : cell === 3 || cell === 4 ? 3 : 1;
  const [all, state, width] = [T! * B!, B! * H!, G * H!];
  const cellState = isSLstm ? 3 * state : state;
  return {
    inputs: [
      width * H!,
      width,
      B!,
      state,
      cellState,
      3 * H!,
      3 * width,
      H!,
      H!,
      state,
      ...repeat(3, all * H!),
    ],
    projected: all * width,
    gates: all * (G === 1 ? 1 : isSLstm ? 5 : 4) * H!,
    cells: T! * cellState,
    cellState,
    normed: all * (width + 3),
    perStep: all * H!,
    state,
    width,
    blocks: G,
  };
}

/** Of scans: numbers of all steps, of one step, of a state, of the operand a. */
function scanRooms([T, B, D, complex, constant]: readonly number[]) {
  const R = D! * (complex ? 2 : 1);
  return { all: T! * B! * R, state: B! * R, a: constant ? R : T! * B! * R };
}

/** Of selective scans. */
function selectiveRooms([T, B, D, N, , chunk]: readonly number[]) {
  requireChunk(chunk!);
  const state = B! * D! * N!;
  return {
    ...{ all: T! * B! * D!, a: D! * N!, ofStates: T! * B! * N!, state },
    kept: Math.ceil(T! / chunk!) * state,
  };
}

/** Of matrix memories: what every pass reads, and what a state has. */
function memoryRooms(n: readonly number[]) {
  const [T, B, H, K, V, update, decayOf, normalised, , chunk] = n as number[];
  requireChunk(chunk!);
  requireNumbers(K!, V!);
  if (!(update! < 3 && decayOf! < 3))
    throw new RangeError(`A memory has no update ${update} with a decay ${decayOf}.`);
  const heads = T! * B! * H!;
  const state = B! * H! * (V! + (normalised ? 1 : 0)) * K!;
  const [keys, values, bonus] = [heads * K!, heads * V!, H! * K!];
  const decay = decayOf === 2 ? keys : heads;
  const inputs = [keys, keys, values, decay, heads, keys, keys, bonus, heads, B!];
  return {
    ...{ keys, values, decay, heads, bonus, state, kept: Math.ceil(T! / chunk!) * state },
    inputs,
  };
}

function requireTaps(taps: number): void {
  if (!(taps >= 1)) throw new RangeError(`A short convolution has ${taps} taps.`);
}

function requireChunk(chunk: number): void {
  if (!(chunk >= 1)) throw new RangeError(`States cannot be kept every ${chunk} steps.`);
}

/** The plan of a memory divides by the numbers of its states. */
function requireNumbers(keys: number, values: number): void {
  if (!(keys >= 1 && values >= 1))
    throw new RangeError(`A memory has no states for keys of ${keys} numbers and values of ${values}.`);
}

/** Without any, these kernels divide by 0, read a last step, or have no place for the norms of gradients. */
function requireAny(what: string, count: number): void {
  if (!(count >= 1)) throw new RangeError(`There is no such pass over ${count} ${what}.`);
}

const ROOMS: Readonly<Record<string, (n: readonly number[]) => Rooms>> = {
  recurrent_forward: n => {
    const [, T, B, , H] = n as number[];
    requireAny('steps', T!);
    return [...recurrentInputs(n), T! * B! * H!, B! * H!, B! * H!, null, null];
  },
  recurrent_backward: n => {
    const [cell, T, B, I, H] = n as number[];
    const G = GATES[cell!] ?? 0;
    const states = repeat(2, B! * H!);
    return [
      ...recurrentInputs(n),
      T! * B! * H!,
      null,
      null,
      T! * B! * H!,
      ...states,
      T! * B! * I!,
      G * H! * I!,
      G * H! * H!,
      G * H!,
      G * H!,
      ...states,
      T!,
      T!,
      ...repeat(2, gatesOf(G) * T!),
    ];
  },
  lstm_variant_forward: n => {
    return [...lstmFields(n), ...ROOMS['recurrent_forward']!([LSTM, ...n])];
  },
  lstm_variant_backward: n => {
    const [, , , H] = n as number[];
    return [...lstmFields(n), 3 * H!, null, ...ROOMS['recurrent_backward']!([LSTM, ...n])];
  },
  variant_forward: n => {
    const { inputs, projected, gates, cells, cellState, normed, perStep, state } = variantInputs(n);
    return [projected, ...inputs, perStep, state, cellState, gates, cells, perStep, normed, null];
  },
  variant_backward: n => {
    const { inputs, projected, gates, cells, cellState, normed, perStep, state, width, blocks } =
      variantInputs(n);
    const [, T, , H] = n as number[];
    return [
      ...[projected, ...inputs, perStep, gates, cells, normed, perStep, state, cellState],
      ...[projected, projected, 3 * H!, 3 * width, H!, H!, state, cellState, T!, T!],
      ...[...repeat(2, gatesOf(blocks) * T!), null],
    ];
  },
  gemm: ([m, n, k]) => [m! * k!, k! * n!, n!, m! * n!, null],
  column_sums: ([rows, width]) => [rows! * width!, width!],
  softmax_cross_entropy: ([rows, classes]) => [rows! * classes!, rows!, rows!, rows! * classes!],
  dense_cross_entropy_memory: ([, , O]) => {
    requireAny('classes', O!);
    return [];
  },
  dense_cross_entropy: ([rows, I, O]) => [
    rows! * I!,
    O! * I!,
    O!,
    rows!,
    rows!,
    rows! * I!,
    O! * I!,
    O!,
    null,
  ],
  embedding: ([rows, width]) => [rows!, null, rows! * width!],
  embedding_backward: ([rows, width]) => [rows!, rows! * width!, null],
  sum_of_squares: ([count]) => [count!],
  scale: ([count]) => [count!],
  adam_step: ([count]) => repeat(4, count!),
  sgd_step: ([count]) => repeat(3, count!),
  rmsprop_step: ([count]) => repeat(4, count!),
  copy_columns: ([rows, width, from, to]) => [stridden(rows!, from!, width!), stridden(rows!, to!, width!)],
  add: ([count]) => repeat(3, count!),
  activation: ([, count]) => repeat(2, count!),
  // gelu reads its input, the others their output
  activation_backward: ([kind, count]) =>
    kind === 1 ? [count!, null, count!, count!] : [null, count!, count!, count!],
  dropout: ([count]) => repeat(2, count!),
  layer_norm: ([rows, width]) => [rows! * width!, width!, width!, rows! * width!, rows!, rows!],
  layer_norm_backward: ([rows, width]) => [
    rows! * width!,
    width!,
    rows!,
    rows!,
    rows! * width!,
    rows! * width!,
    width!,
    width!,
  ],
  attention: n => {
    const { q, kv, out, byDistance, sums, weights, B, heads } = attentionRooms(n);
    return [q, kv, B, B, B, heads, out, byDistance, out, sums, weights, null];
  },
  attention_backward: n => {
    const { q, kv, out, byDistance, sums, B, heads } = attentionRooms(n);
    const read = [q, kv, B, B, B, heads, out, byDistance, out, sums, out];
    return [...read, q, kv, out, B * byDistance, null];
  },
  convolution_memory: n => {
    convolutionRooms(n);
    return [];
  },
  convolution: n => {
    const { x, weight, bias, y } = convolutionRooms(n);
    return [x, weight, bias, y, null];
  },
  convolution_backward: n => {
    const { x, weight, bias, y } = convolutionRooms(n);
    // without an activation the output is not read
    return [x, weight, n.at(-1) === -1 ? null : y, y, x, weight, bias, null];
  },
  formula: ([count, width, steps, rows]) => [
    4 * steps!,
    2 * steps!,
    ...Array.from({ length: FORMULA_INPUTS }, (_, i) => ((rows! >> i) & 1 ? width! : count!)),
    ...repeat(FORMULA_OUTPUTS, count!),
  ],
  row_norm: ([rows, width]) => [rows! * width!, width!, rows! * width!, rows!],
  row_norm_backward: ([rows, width]) => {
    const all = rows! * width!;
    return [all, width!, rows!, all, all, width!];
  },
  short_convolution: ([T, B, D, K]) => {
    requireTaps(K!);
    const all = T! * B! * D!;
    return [all, (K! - 1) * B! * D!, D! * K!, D!, all, K! * D!];
  },
  short_convolution_backward: ([T, B, D, K, silu]) => {
    requireTaps(K!);
    const all = T! * B! * D!;
    const scratch = (3 * K! + 2) * D! + (silu ? all : 0);
    return [all, (K! - 1) * B! * D!, D! * K!, D!, all, all, D! * K!, D!, scratch];
  },
  scan: n => {
    const { all, state, a } = scanRooms(n);
    return [a, all, n[1]!, state, all, state];
  },
  scan_backward: n => {
    const { all, state, a } = scanRooms(n);
    const [T, B, D] = n as number[];
    return [a, B!, state, all, all, state, all, a, state, T!, 2 * D!];
  },
  gated_scan: ([T, B, D]) => {
    const [all, state] = [T! * B! * D!, B! * D!];
    return [all, all, all, B!, state, all, state];
  },
  gated_scan_backward: ([T, B, D]) => {
    const [all, state] = [T! * B! * D!, B! * D!];
    return [all, all, all, B!, state, all, all, state, all, all, all, state, T!, null];
  },
  selective_scan_memory: n => {
    requireChunk(n[4]!);
    return [];
  },
  selective_scan: n => {
    const { all, a, ofStates, state, kept } = selectiveRooms(n);
    return [all, all, a, ofStates, ofStates, n[2]!, n[1]!, state, all, state, kept, null];
  },
  selective_scan_backward: n => {
    requireAny('steps', n[0]!);
    const { all, a, ofStates, state, kept } = selectiveRooms(n);
    const [T, B, D] = n as number[];
    const read = [all, all, a, ofStates, ofStates, D!, B!, kept, all, state];
    return [...read, all, all, a, ofStates, ofStates, D!, state, T!, null];
  },
  channel_states_memory: () => [],
  channel_states: ([T, B, D, N]) => {
    const [all, state] = [T! * B! * D!, 2 * B! * D! * N!];
    return [all, 2 * D! * N!, 2 * D! * N!, B!, state, all, state, null, null];
  },
  channel_states_backward: ([T, B, D, N]) => {
    requireAny('channels', D!);
    const [all, a] = [T! * B! * D!, 2 * D! * N!];
    return [all, a, a, B!, null, all, all, a, a, T!, null];
  },
  matrix_memory_memory: n => {
    requireChunk(n[7]!);
    requireNumbers(n[3]!, n[4]!);
    return [];
  },
  matrix_memory: n => {
    const { inputs, values, state, kept } = memoryRooms(n);
    return [...inputs, state, values, state, kept, null];
  },
  matrix_memory_backward: n => {
    requireAny('steps', n[0]!);
    const { inputs, keys, values, decay, heads, bonus, state, kept } = memoryRooms(n);
    const made = [keys, keys, values, decay, heads, keys, keys, bonus, state, n[0]!, null];
    return [...inputs, kept, values, state, ...made];
  },
  ctc: ([T, B, C, labels]) => {
    // the blank is one
    requireAny('classes', C!);
    return [T! * B! * C!, B!, B! * labels!, B!, B!, T! * B! * C!, null];
  },
};

const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

/** Operands that may be null, by their place; of kernels that are not named here, none. */
const OPTIONAL: Readonly<Record<string, readonly number[]>> = {
  recurrent_forward: [2, 3, 6, 7, 8, 11, 12],
  recurrent_backward: [2, 3, 5, 6, 7, 8, 9, ...span(12, 15), ...span(18, 25)],
  lstm_variant_forward: [...span(0, 3), 6, 7, 10, 11, 12, 15, 16],
  lstm_variant_backward: [...span(0, 4), 8, 9, ...span(11, 15), ...span(18, 21), ...span(24, 31)],
  variant_forward: [...span(2, 13), ...span(16, 20)],
  variant_backward: [0, ...span(2, 13), 16, 17, 19, 20, ...span(23, 32)],
  gemm: [2],
  softmax_cross_entropy: [2, 3],
  dense_cross_entropy: [2, 4, 5, 6, 7],
  sgd_step: [2],
  rmsprop_step: [3],
  activation_backward: [0, 1],
  layer_norm: [4, 5],
  layer_norm_backward: [5],
  row_norm: [1],
  row_norm_backward: [1, 5],
  attention: [...span(2, 7), 9, 10],
  attention_backward: [...span(2, 7), 13, 14],
  convolution_backward: [2, 4],
  formula: span(2, 1 + FORMULA_INPUTS + FORMULA_OUTPUTS),
  scan: [2, 3],
  scan_backward: [1, 2, 5, 7, 8, 9],
  gated_scan: [1, 3, 4],
  gated_scan_backward: [1, 3, 4, 7, 9, 11, 12],
  selective_scan: [5, 6, 7, 10],
  selective_scan_backward: [5, 6, 9, 15, 16, 17],
  channel_states: [3, 4, 7],
  channel_states_backward: [3, 9],
  matrix_memory: [...span(3, 10), 13],
  matrix_memory_backward: [...span(3, 9), 12, ...span(16, 22)],
  ctc: [1, 5],
};

/** Places that are read or written where the first one is not null, or by what the numbers say. */
function alsoNeeded(kernel: string, given: (place: number) => boolean, n: readonly number[]): number[] {
  const beside = (...pairs: [number, number][]) =>
    pairs.flatMap(([one, other]) => (given(one) ? [other] : []));
  switch (kernel) {
    // with lengths the cache has both
    case 'recurrent_backward':
      return given(6) ? [] : [5, 9];
    case 'lstm_variant_backward':
      return given(12) ? [] : [11, 15];
    // all three norms or none
    case 'variant_forward':
      return beside([7, 8], [8, 9], [9, 7]);
    case 'variant_backward':
      return [...beside([7, 8], [8, 9], [9, 7], [7, 17], [7, 0]), ...(CELL_STATES.has(n[0]!) ? [16] : [])];
    case 'attention':
      return beside([6, 7], [7, 6]);
    case 'attention_backward':
      return beside([6, 7], [7, 6], [6, 13], [7, 14]);
    case 'activation_backward':
      return n[0] === 1 ? [0] : [1];
    case 'convolution_backward':
      return n.at(-1) === -1 ? [] : [2];
    case 'gated_scan_backward':
      return beside([1, 9]);
    case 'selective_scan_backward':
      return beside([5, 15]);
    case 'matrix_memory':
    case 'matrix_memory_backward': {
      const general = n[5] === 2 ? [5, 6] : [];
      const gradients: [number, number][] = [
        [4, 17],
        [5, 18],
        [6, 19],
        [7, 20],
      ];
      return [
        ...(n[6]! > 0 ? [3] : []),
        ...general,
        ...(kernel === 'matrix_memory_backward' ? beside(...gradients) : []),
      ];
    }
    default:
      return [];
  }
}

/** Numbers of these may be below 0: an offset, an activation that is none. */
const SIGNED = new Set([
  'attention',
  'attention_backward',
  'convolution_memory',
  'convolution',
  'convolution_backward',
]);

/** Numbers of these are no sizes: streams of random numbers, versions, flags. */
const SIZES: Readonly<Record<string, number>> = {
  dropout: 1,
  recurrent_forward: 5,
  recurrent_backward: 5,
  lstm_variant_forward: 4,
  lstm_variant_backward: 4,
};

/** Operands of a call whose sizes fit together, and the numbers that each must have; -1: it is not given. */
interface Known {
  integers: readonly number[];
  rooms: readonly number[];
}

/** By kernel, the newest first to go: a step asks for the same ones again. */
const known = new Map<string, Known[]>();
const MOST_KNOWN = 16;

/** @throws RangeError naming the kernel and what does not fit */
export function checkSizes(kernel: string, operands: readonly Operand[], integers: readonly number[]): void {
  const counted = SIZES[kernel] ?? integers.length;
  const before = known.get(kernel);
  if (!before?.some(one => fits(one, operands, integers, counted))) {
    checkRooms(kernel, operands, integers, counted);
    remember(kernel, before, operands, integers.slice(0, counted));
  }
  checkIndices(kernel, operands, integers);
}

/** Whether the call has the sizes of one that was in order, and room for them. */
function fits(
  { integers: sizes, rooms }: Known,
  operands: readonly Operand[],
  integers: readonly number[],
  counted: number,
): boolean {
  if (rooms.length !== operands.length || sizes.length !== counted) return false;
  for (let i = 0; i < counted; i++) if (sizes[i] !== integers[i]) return false;
  for (let place = 0; place < rooms.length; place++) {
    const operand = operands[place];
    const room = rooms[place]!;
    if (!operand) {
      if (room >= 0) return false;
    } else if (!(room >= 0 && operand.offset >= 0 && room <= operand.data.length - operand.offset))
      return false;
  }
  return true;
}

function remember(
  kernel: string,
  before: Known[] | undefined,
  operands: readonly Operand[],
  integers: readonly number[],
): void {
  const needed = ROOMS[kernel]?.(integers);
  const rooms = operands.map((operand, place) => (operand ? (needed?.[place] ?? 0) : -1));
  const one = { integers, rooms };
  if (!before) known.set(kernel, [one]);
  else if (before.length < MOST_KNOWN) before.push(one);
  else before[MOST_KNOWN - 1] = one;
}

function checkRooms(
  kernel: string,
  operands: readonly Operand[],
  integers: readonly number[],
  counted: number,
): void {
  for (let i = 0; i < counted; i++) {
    const size = integers[i]!;
    if (!Number.isInteger(size) || size > MOST || size < (SIGNED.has(kernel) ? -MOST : 0))
      throw new RangeError(
        `${kernel}: a size is ${size}, which is no whole number that the kernels can count to.`,
      );
  }
  const needed = ROOMS[kernel]?.(integers);
  if (!needed) return;
  for (const [place, operand] of operands.entries()) {
    if (!operand) continue;
    const { data, offset } = operand;
    const room = needed[place] ?? 0;
    if (!(offset >= 0 && room >= 0 && room <= data.length - offset))
      throw new RangeError(
        `${kernel}: operand ${place} has room for ${data.length - offset} numbers, ${room} are needed.`,
      );
  }
  const optional = OPTIONAL[kernel] ?? [];
  const given = (place: number) => !!operands[place];
  const also = alsoNeeded(kernel, given, integers);
  for (const place of needed.keys())
    if (!given(place) && (!optional.includes(place) || also.includes(place)))
      throw new RangeError(`${kernel}: operand ${place} is not given, and it is needed.`);
}

/** Where the lengths stand among the operands. */
const LENGTHS = {
  scan: 2,
  scan_backward: 1,
  gated_scan: 3,
  gated_scan_backward: 3,
  selective_scan: 6,
  selective_scan_backward: 6,
  channel_states: 3,
  channel_states_backward: 3,
  matrix_memory: 9,
  matrix_memory_backward: 9,
} as const;

function checkIndices(kernel: string, operands: readonly Operand[], integers: readonly number[]): void {
  const [first, second] = integers as [number, number];
  switch (kernel) {
    case 'embedding':
      requireBelow(kernel, operands[0], first, roomOf(operands[1]) / second);
      break;
    case 'embedding_backward':
      requireBelow(kernel, operands[0], first, roomOf(operands[2]) / second);
      break;
    case 'softmax_cross_entropy':
      requireBelow(kernel, operands[1], first, second, operands[2]);
      break;
    case 'dense_cross_entropy':
      requireBelow(kernel, operands[3], first, integers[2]!, operands[4]);
      break;
    case 'recurrent_forward':
    case 'recurrent_backward':
      requireBelow(kernel, operands[6], integers[2]!, integers[1]! + 1);
      break;
    case 'lstm_variant_forward':
      requireBelow(kernel, operands[10], second, first + 1);
      break;
    case 'lstm_variant_backward':
      requireBelow(kernel, operands[12], second, first + 1);
      break;
    case 'variant_forward':
    case 'variant_backward':
      requireBelow(kernel, operands[3], integers[2]!, integers[1]! + 1);
      break;
    case 'attention':
    case 'attention_backward':
      requireBelow(kernel, operands[2], integers[2]!, integers[1]! + 1);
      requireBelow(kernel, operands[3], integers[2]!, integers[0]! + 1);
      requireBelow(kernel, operands[4], integers[2]!, integers[1]! + 1);
      break;
    case 'scan':
    case 'matrix_memory':
    case 'matrix_memory_backward':
    case 'scan_backward':
    case 'gated_scan':
    case 'gated_scan_backward':
    case 'selective_scan':
    case 'selective_scan_backward':
    case 'channel_states':
    case 'channel_states_backward':
      requireBelow(kernel, operands[LENGTHS[kernel]], second, first + 1);
      break;
    case 'formula':
      requirePlaces(operands, integers);
      break;
    case 'ctc': {
      const [T, B, C, most] = integers as [number, number, number, number];
      requireBelow(kernel, operands[1], B, T + 1);
      requireBelow(kernel, operands[3], B, most + 1);
      const [labels, lengths] = [operands[2]!, operands[3]!];
      for (let b = 0; b < B; b++)
        requireBelow(
          kernel,
          { data: labels.data, offset: labels.offset + b * most } as IntSlice,
          lengths.data[lengths.offset + b]!,
          C,
        );
      break;
    }
  }
}

/** Verbs that read two places; the others read the first. */
const OF_TWO = new Set<number>((['add', 'sub', 'mul', 'div'] as const).map(verb => VERBS.indexOf(verb)));

/** A program's steps write to outputs and registers that are there, and read what is there. */
function requirePlaces(operands: readonly Operand[], integers: readonly number[]): void {
  const [, width, steps, rows] = integers as [number, number, number, number];
  if (rows > 0 && width < 1) throw new RangeError(`formula: a row has ${width} numbers.`);
  const { data, offset } = operands[0]!;
  const given = FORMULA_INPUTS + FORMULA_OUTPUTS;
  const isThere = (place: number) =>
    place >= 0 && place < given + FORMULA_REGISTERS && (place >= given || !!operands[2 + place]);
  for (let step = 0; step < steps; step++) {
    const at = offset + 4 * step;
    const [verb, to, a, b] = [data[at]!, data[at + 1]!, data[at + 2]!, data[at + 3]!];
    // a second operand that is not read is looked up all the same
    const reads = isThere(a) && (OF_TWO.has(verb) ? isThere(b) : b >= 0 && b < given + FORMULA_REGISTERS);
    if (!(verb >= 0 && verb < VERBS.length && to >= FORMULA_INPUTS && isThere(to) && reads))
      throw new RangeError(`formula: step ${step} uses a place or a verb that is not there.`);
  }
}

function roomOf(operand: Operand | undefined): number {
  return operand ? operand.data.length - operand.offset : 0;
}

/** The first of whole numbers that is not at least 0 and below the limit; `count`: there is none. */
function firstOutside(data: Float32Array | Int32Array, offset: number, count: number, limit: number): number {
  if (!(data instanceof Int32Array) || !(offset + count <= data.length)) return 0;
  // one comparison for both ends: a negative number is a large one without its sign
  const most = Math.min(Math.floor(limit), 2 ** 31);
  for (let i = 0; i < count; i++) if (!(data[offset + i]! >>> 0 < most)) return i;
  return count;
}

/** `weights`: where they are 0, an index is not looked at. */
function requireBelow(
  kernel: string,
  indices: Operand | undefined,
  count: number,
  limit: number,
  weights?: Operand,
): void {
  if (!indices) return;
  const { data, offset } = indices;
  for (let i = firstOutside(data, offset, count, limit); i < count; i++) {
    const index = data[offset + i]!;
    if (index >= 0 && index + 1 <= limit) continue;
    if (weights && weights.data[weights.offset + i] === 0) continue;
    throw new RangeError(`${kernel}: index ${index} of row ${i} is not below ${Math.floor(limit)}.`);
  }
}
