// Random calls of every function of the kernels: what the check of sizes lets through stays inside of its operands, the rest
// is refused in one sentence. Half of the calls are sound, with arrays that end where they must; of the others, sizes,
// indices and operands are wrong or missing. scripts/sanitize.mjs runs it too, on an addon that sees a step beyond an array.
import assert from 'node:assert/strict';
import process from 'node:process';
import { f, formula } from '../../src/trainer/engine/formula.ts';
import { loadNative } from '../../src/trainer/engine/native/provider.ts';
import type { IntSlice, Provider, Slice } from '../../src/trainer/engine/provider.ts';
import { GATES, gateBlocks } from '../../src/trainer/engine/provider.ts';
import { type VariantCell, variantSizes } from '../../src/trainer/engine/variants.ts';
import { loadWasm } from '../../src/trainer/engine/wasm/provider.ts';
import { CASES, plain, type Random, randomOf, SEED } from './cases.ts';

/** Numbers behind an array, which nobody may write; a sanitizer guards its arrays itself. */
const GUARD = process.env['UNROLL_TEST_ADDON'] ? 0 : 16;
const WRONG_SIZES = [0, 1, 64, 1000, 2 ** 20, 2 ** 31 - 1, 2 ** 31, -1, 0.5, Number.NaN];
/** Around the widths of vectors and blocks, so that their loops and their tails both run. */
const WIDE_SIZES = [15, 16, 17, 31, 32, 33, 64, 65];
const PROGRAMS = [
  formula(2, (z, c) => [f.sub(1, f.sigmoid(z!)), f.mul(f.tanh(z!), c!)]),
  formula(3, (a, b, c) => [f.div(f.softplus(a!), f.affine(f.mul(b!, b!), 1, 1)), f.silu(c!)]),
].flatMap(made => [
  { inputs: made.inputs, program: made.forward },
  { inputs: made.inputs + made.outputs.length, program: made.backward() },
]);

type Full = Required<Provider>;

/** What one call is drawn from. */
function drawing(provider: Full, random: Random, sound: boolean) {
  const isWrong = (share: number) => !sound && random.chance(share);
  // a few drawn values, repeated
  const pattern = Array.from({ length: 7 }, () => random.pick([0, 1, -1, 0.5, 1e30, Number.NaN]));
  const room = (wanted: number) => (wanted >= 0 && wanted < 1e6 ? Math.floor(wanted) : random.int(64));
  // of every few unsound calls one lacks a single operand, so that what needs another one is found
  let left = sound ? -1 : random.int(60);
  const isLeft = () => left-- === 0;
  // at most two wide sizes a call keep every operand below a million numbers
  let wide = random.chance(0.3) ? 2 : 0;
  const wideOr = (small: number) =>
    wide > 0 && random.chance(0.5) && wide-- > 0 ? random.pick(WIDE_SIZES) : small;
  const guards: Float32Array[] = [];
  const guarded = (length: number) => {
    const all = new Float32Array(length + GUARD).fill(Math.PI, length);
    guards.push(all.subarray(length));
    return all.subarray(0, length);
  };
  const floats = (wanted: number): Slice => {
    if (isLeft() || isWrong(0.02)) return null as never;
    const offset = isWrong(0.03) ? -1 : random.chance(0.8) ? 0 : random.int(5);
    const length = Math.max(0, room(wanted) + offset + (isWrong(0.04) ? random.pick([-7, -1, 1]) : 0));
    const data = random.chance(0.2) ? provider.allocate(length) : guarded(length);
    for (let i = 0; i < length; i++) data[i] = pattern[i % 7]!;
    return { data, offset };
  };
  const ints = (wanted: number, limit: number, least = 0): IntSlice => {
    if (isLeft() || isWrong(0.02)) return null as never;
    const length = Math.max(0, room(wanted) - (isWrong(0.04) ? 1 : 0));
    const data = Int32Array.from({ length }, () =>
      isWrong(0.03) ? random.pick([-1, 1e9, limit]) : least + random.int(Math.max(1, limit - least)),
    );
    return { data, offset: 0 };
  };
  const orNull = <T>(make: () => T): T | null => (random.chance(0.5) ? null : make());
  return {
    provider,
    isKept: () => guards.every(guard => guard.every(value => value === Math.fround(Math.PI))),
    ...{ floats, ints, orNull, isWrong },
    size: () => (isWrong(0.05) ? random.pick(WRONG_SIZES) : wideOr(random.int(7))),
    some: () => (isWrong(0.05) ? random.pick(WRONG_SIZES) : wideOr(1 + random.int(6))),
    flag: () => random.chance(0.5),
    pick: random.pick,
    int: random.int,
    maybe: (wanted: number) => orNull(() => floats(wanted)),
    /** memory that only a provider lends */
    lent: (wanted: number): Slice => ({
      data: provider.allocate(isWrong(0.05) ? Math.max(0, room(wanted) - 1) : room(wanted)),
      offset: isWrong(0.02) ? -1 : 0,
    }),
  };
}

type Drawing = ReturnType<typeof drawing>;

function recurrent(d: Drawing, cell = d.pick(d.provider.cells)) {
  const [T, B, I, H] = [d.some(), d.size(), d.size(), d.size()];
  const shape = { cell, seqLen: T, batch: B, inputSize: I, hiddenSize: H, reverse: d.flag() };
  const G = gateBlocks(cell);
  const lengths = d.orNull(() => d.ints(B, T + 1));
  const memory = d.provider.recurrentMemory(shape, lengths !== null);
  const isLstm = cell === 'lstm';
  const weights = {
    weightIh: d.floats(G * H * I),
    weightHh: d.floats(G * H * H),
    biasIh: d.maybe(G * H),
    biasHh: d.maybe(G * H),
    packed: d.lent(memory.packed),
    version: 1 + d.int(3),
  };
  const start = { h0: d.maybe(B * H), c0: isLstm ? d.maybe(B * H) : null };
  const forward = {
    ...{ shape, weights, x: d.floats(T * B * I), lengths, ...start, y: d.floats(T * B * H) },
    ...{ hN: d.floats(B * H), cN: isLstm ? d.floats(B * H) : null },
    scratch: d.lent(memory.forwardScratch),
  };
  const gates = GATES[cell].length;
  const backward = () => ({
    ...{ dy: d.maybe(T * B * H), dhN: d.maybe(B * H), dcN: isLstm ? d.maybe(B * H) : null },
    ...{ dx: d.maybe(T * B * I), dWeightIh: d.floats(G * H * I), dWeightHh: d.floats(G * H * H) },
    dBiasIh: weights.biasIh && d.floats(G * H),
    dBiasHh: weights.biasHh && d.floats(G * H),
    ...{ dh0: d.maybe(B * H), dc0: isLstm ? d.maybe(B * H) : null },
    report: d.orNull(() => reportOf(d, T, gates, isLstm)),
    scratch: d.lent(memory.backwardScratch),
  });
  return { T, B, H, forward, cache: d.lent(memory.cache), backward };
}

function reportOf(d: Drawing, T: number, gates: number, hasCells: boolean) {
  return {
    hiddenGradNorm: d.floats(T),
    cellGradNorm: hasCells ? d.floats(T) : null,
    gateMean: gates > 0 ? d.floats(gates * T) : null,
    gateSaturation: gates > 0 ? d.floats(gates * T) : null,
  };
}

function lstmFields(d: Drawing, { T, B, H }: { T: number; B: number; H: number }) {
  const [updateMask, zoneoutH, zoneoutC] = [0, 1, 2].map(() => d.maybe(T * B * H)) as [
    Slice | null,
    Slice | null,
    Slice | null,
  ];
  return { peephole: d.maybe(3 * H), updateMask, zoneoutH, zoneoutC, zoneout: d.pick([0, 0.25]) };
}

/** `gru-reset-before` has none. */
const VARIANT_CELLS: readonly VariantCell[] = [
  'rnn-tanh',
  'rnn-relu',
  'rnn-sigmoid',
  'lstm',
  'gru-reset-after',
  's-lstm',
];

function variant(d: Drawing) {
  const cell = d.pick(VARIANT_CELLS);
  const { cellStates, slots, blocks } = variantSizes(cell);
  const [T, B, H] = [d.size(), d.size(), d.size()];
  const isLstm = cell === 'lstm';
  const hasNorms = isLstm && d.flag();
  const all = T * B * H;
  const ofCell = (wanted: number) => (cellStates > 0 ? d.floats(cellStates * wanted) : null);
  const call = {
    shape: { cell, seqLen: T, batch: B, hiddenSize: H, reverse: d.flag() },
    weightHh: d.floats(blocks * H * H),
    biasHh: blocks === 3 ? d.maybe(blocks * H) : null,
    lengths: d.orNull(() => d.ints(B, T + 1)),
    ...{ h0: d.maybe(B * H), c0: cellStates > 0 ? d.maybe(cellStates * B * H) : null },
    peephole: isLstm ? d.maybe(3 * H) : null,
    gains: hasNorms ? d.floats(12 * H) : null,
    gainCell: hasNorms ? d.floats(H) : null,
    biasCell: hasNorms ? d.floats(H) : null,
    ...{ stateMask: d.maybe(B * H), updateMask: d.maybe(all), zoneoutH: d.maybe(all) },
    ...{ zoneoutC: cellStates > 0 ? d.maybe(all) : null, zoneout: d.pick([0, 0.25]) },
  };
  const made = {
    ...{ y: d.floats(all), gates: d.floats(slots * all), cells: ofCell(all) },
    normed: hasNorms ? d.floats(T * B * (4 * H + 3)) : null,
  };
  return { T, B, H, all, blocks, hasNorms, isLstm, cellStates, ofCell, call, made };
}

function attention(d: Drawing) {
  const [Q, K, B, kvHeads, headSize] = [d.size(), d.size(), d.size(), d.some(), d.some()];
  const heads = kvHeads * (1 + d.int(3));
  const [D, E] = [heads * headSize, kvHeads * headSize];
  const [qStride, kvStride] = [D + (d.flag() ? 2 * E : 0), 2 * E + (d.flag() ? D : 0)];
  const isRelative = Q <= K && d.flag();
  const isPlain = isRelative || d.flag();
  const rows = (count: number, stride: number, width: number) =>
    count > 0 ? (count - 1) * stride + width : 0;
  const [q, kv] = [() => d.floats(rows(Q * B, qStride, D)), () => d.floats(rows(K * B, kvStride, 2 * E))];
  const call = {
    ...{ queries: Q, keys: K, batch: B, heads, kvHeads, headSize, qStride, kvStride },
    ...{ causal: isRelative || d.flag(), offset: isRelative ? K - Q : d.int(3), window: d.int(4) },
    ...{ dilation: isPlain ? 1 : d.some(), stride: isPlain ? 0 : d.size(), globals: isPlain ? 0 : d.size() },
    starts: d.orNull(() => d.ints(B, K + 1)),
    slopes: d.maybe(heads),
    qRelative: isRelative ? d.floats(Q * B * D) : null,
    relative: isRelative ? d.floats(K * D) : null,
    ...{ q: q(), kv: kv() },
    lengths: d.orNull(() => d.ints(B, K + 1)),
    queryLengths: d.orNull(() => d.ints(B, Q + 1)),
    out: d.floats(Q * B * D),
  };
  return { Q, K, B, D, heads, isRelative, call, q, kv };
}

function convolution(d: Drawing) {
  const [T, B, groups, kernelSize, stride] = [d.size(), d.size(), d.some(), d.some(), d.some()];
  const [I, O] = [groups * (1 + d.int(2)), groups * (1 + d.int(2))];
  const outputLen = d.flag() ? T : d.size();
  const shape = {
    ...{ seqLen: T, outputLen, batch: B, inputSize: I, outputSize: O, kernelSize, dilation: d.some() },
    ...{
      ahead: d.int(9) - 4,
      stride,
      groups,
      activation: d.pick([null, 'relu', 'tanh', 'sigmoid'] as const),
    },
  };
  return { shape, x: T * B * I, weight: (O * I * kernelSize) / groups, bias: O, y: outputLen * B * O };
}

function scan(d: Drawing) {
  const [T, B, D] = [d.size(), d.size(), d.size()];
  const [complex, constant] = [d.flag(), d.flag()];
  const R = complex ? 2 * D : D;
  const shape = { seqLen: T, batch: B, width: D, complex, constant, reverse: d.flag() };
  return { shape, T, all: T * B * R, state: B * R, a: constant ? R : T * B * R };
}

function gated(d: Drawing) {
  const [T, B, D] = [d.size(), d.size(), d.size()];
  const all = T * B * D;
  const call = {
    ...{ seqLen: T, batch: B, width: D, positive: d.flag() },
    ...{ forget: d.floats(all), input: d.maybe(all), hidden: d.floats(all) },
    ...{ lengths: d.orNull(() => d.ints(B, T + 1)), h0: d.maybe(B * D), h: d.floats(all) },
  };
  return { T, all, state: B * D, call };
}

function selective(d: Drawing) {
  const [T, B, D, N, chunk] = [d.some(), d.size(), d.size(), d.size(), d.some()];
  const [all, ofStates, state] = [T * B * D, T * B * N, B * D * N];
  const call = {
    ...{ seqLen: T, batch: B, width: D, states: N, reverse: d.flag(), chunk },
    ...{ x: d.floats(all), delta: d.floats(all), a: d.floats(D * N) },
    ...{ b: d.floats(ofStates), c: d.floats(ofStates), skip: d.maybe(D) },
    lengths: d.orNull(() => d.ints(B, T + 1)),
  };
  return { T, D, N, all, ofStates, state, kept: Math.ceil(T / chunk) * state, call };
}

function channels(d: Drawing) {
  const [T, B, D, N] = [d.size(), d.size(), d.some(), d.size()];
  const shape = { seqLen: T, batch: B, width: D, states: N };
  const a = 2 * D * N;
  const call = {
    ...{ ...shape, u: d.floats(T * B * D), a: d.floats(a), c: d.floats(a) },
    lengths: d.orNull(() => d.ints(B, T + 1)),
  };
  return { T, all: T * B * D, a, state: B * a, kept: d.provider.channelStatesKept(shape), call };
}

function memory(d: Drawing) {
  const [T, B, H, K, V, chunk] = [d.some(), d.size(), d.size(), d.some(), d.some(), d.some()];
  const update = d.pick(['add', 'delta', 'general'] as const);
  const decayOf = d.pick(['none', 'head', 'channel'] as const);
  const normalised = update === 'add' && d.flag();
  const hasBonus = update === 'add' && !normalised && d.flag();
  const [heads, state] = [T * B * H, B * H * (V + Number(normalised)) * K];
  const [keys, values] = [heads * K, heads * V];
  const decay = decayOf === 'channel' ? keys : heads;
  const call = {
    ...{ seqLen: T, batch: B, heads: H, keySize: K, valueSize: V, update, decayOf, normalised },
    ...{ reverse: d.flag(), chunk, q: d.floats(keys), k: d.floats(keys), v: d.floats(values) },
    decay: decayOf === 'none' ? null : d.floats(decay),
    strength: d.maybe(heads),
    a: update === 'general' ? d.floats(keys) : null,
    b: update === 'general' ? d.floats(keys) : null,
    bonus: hasBonus ? d.floats(H * K) : null,
    floor: normalised ? d.maybe(heads) : null,
    lengths: d.orNull(() => d.ints(B, T + 1)),
  };
  return { T, H, K, keys, values, heads, decay, state, kept: Math.ceil(T / chunk) * state, call };
}

/** A call of each function of a provider. What a backward pass reads as its forward pass left it, any numbers may be. */
const CALLS: Readonly<Record<string, (d: Drawing) => void>> = {
  recurrentMemory: d => void recurrent(d),
  recurrentForward(d) {
    const { forward, cache } = recurrent(d);
    d.provider.recurrentForward({ ...forward, cache: d.flag() ? cache : null });
  },
  // the cache is the provider's own: only its forward pass writes it
  recurrentBackward(d) {
    const { forward, cache, backward } = recurrent(d);
    d.provider.recurrentForward({ ...forward, cache });
    d.provider.recurrentBackward({ ...forward, cache, ...backward() });
  },
  lstmVariantForward(d) {
    const made = recurrent(d, 'lstm');
    d.provider.lstmVariantForward({ ...made.forward, ...lstmFields(d, made), cache: made.cache });
  },
  lstmVariantBackward(d) {
    const { forward, cache, backward, ...sizes } = recurrent(d, 'lstm');
    const fields = lstmFields(d, sizes);
    d.provider.lstmVariantForward({ ...forward, ...fields, cache });
    const dPeephole = fields.peephole && d.floats(3 * sizes.H);
    d.provider.lstmVariantBackward({ ...forward, ...fields, cache, ...backward(), dPeephole });
  },
  variantForward(d) {
    const { all, blocks, B, H, ofCell, call, made } = variant(d);
    const isKept = d.flag();
    const kept = isKept ? made : { ...made, gates: null, cells: null, normed: null };
    d.provider.variantForward({
      ...{ ...call, ...kept, projected: d.floats(blocks * all) },
      ...{ hN: d.floats(B * H), cN: ofCell(B * H), read: isKept ? d.floats(all) : null },
    });
  },
  variantBackward(d) {
    const { T, B, H, all, blocks, hasNorms, isLstm, cellStates, call, made } = variant(d);
    const dProjected = d.floats(blocks * all);
    d.provider.variantBackward({
      ...{ ...call, ...made, projected: d.floats(blocks * all), dy: d.floats(all), dhN: d.maybe(B * H) },
      dcN: cellStates > 0 ? d.maybe(cellStates * B * H) : null,
      dProjected,
      dHidden: blocks === 3 || hasNorms ? d.floats(blocks * all) : dProjected,
      dPeephole: call.peephole && d.floats(3 * H),
      dGains: hasNorms ? d.floats(12 * H) : null,
      dGainCell: hasNorms ? d.floats(H) : null,
      dBiasCell: hasNorms ? d.floats(H) : null,
      ...{ dh0: d.maybe(B * H), dc0: cellStates > 0 ? d.maybe(cellStates * B * H) : null },
      report: d.orNull(() => reportOf(d, T, blocks > 1 ? blocks : 0, isLstm)),
    });
  },
  gemm(d) {
    const [m, n, k] = [d.size(), d.size(), d.size()];
    const flags = { transA: d.flag(), transB: d.flag(), accumulate: d.flag() };
    const [a, b, bias, c] = [d.floats(m * k), d.floats(k * n), d.maybe(n), d.floats(m * n)];
    d.provider.gemm({ m, n, k, a, b, bias, c, ...flags });
  },
  columnSums(d) {
    const [rows, width] = [d.size(), d.size()];
    d.provider.columnSums(rows, width, d.floats(rows * width), d.floats(width));
  },
  softmaxCrossEntropy(d) {
    const [rows, classes] = [d.size(), d.some()];
    const [logits, dLogits] = [d.floats(rows * classes), d.maybe(rows * classes)];
    const call = { rows, classes, logits, targets: d.ints(rows, classes), weights: d.maybe(rows) };
    d.provider.softmaxCrossEntropy({ ...call, labelSmoothing: d.pick([0, 0.1]), dLogits });
  },
  denseCrossEntropy(d) {
    const [rows, inputs, outputs] = [d.size(), d.size(), d.some()];
    d.provider.denseCrossEntropy({
      ...{ rows, inputs, outputs, x: d.floats(rows * inputs), weight: d.floats(outputs * inputs) },
      ...{ bias: d.maybe(outputs), targets: d.ints(rows, outputs), weights: d.maybe(rows) },
      ...{ labelSmoothing: d.pick([0, 0.1]), dx: d.maybe(rows * inputs) },
      ...{ dWeight: d.maybe(outputs * inputs), dBias: d.maybe(outputs) },
    });
  },
  embedding(d) {
    const [rows, width, symbols] = [d.size(), d.some(), d.some()];
    const [table, out] = [d.floats(symbols * width), d.floats(rows * width)];
    d.provider.embedding({ rows, width, ids: d.ints(rows, symbols), table, out });
  },
  embeddingBackward(d) {
    const [rows, width, symbols] = [d.size(), d.some(), d.some()];
    const [dTable, dOut] = [d.floats(symbols * width), d.floats(rows * width)];
    d.provider.embeddingBackward({ rows, width, ids: d.ints(rows, symbols), dOut, dTable });
  },
  sumOfSquares(d) {
    const count = d.size();
    d.provider.sumOfSquares(count, d.floats(count));
  },
  scale(d) {
    const count = d.size();
    d.provider.scale(count, d.floats(count), 0.5);
  },
  adamStep(d) {
    const count = d.size();
    const numbers = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, step: 1 };
    const [parameter, gradient] = [d.floats(count), d.floats(count)];
    const moments = { firstMoment: d.floats(count), secondMoment: d.floats(count) };
    d.provider.adamStep({ count, parameter, gradient, ...moments, ...numbers });
  },
  sgdStep(d) {
    const count = d.size();
    const [parameter, gradient, momentumBuffer] = [d.floats(count), d.floats(count), d.maybe(count)];
    const numbers = { learningRate: 0.1, momentum: momentumBuffer ? 0.9 : 0, nesterov: d.flag() };
    d.provider.sgdStep({ count, parameter, gradient, momentumBuffer, ...numbers });
  },
  rmspropStep(d) {
    const count = d.size();
    const [squareAverage, momentumBuffer] = [d.floats(count), d.maybe(count)];
    const numbers = { learningRate: 0.1, decay: 0.99, momentum: momentumBuffer ? 0.9 : 0, epsilon: 1e-8 };
    const [parameter, gradient] = [d.floats(count), d.floats(count)];
    d.provider.rmspropStep({ count, parameter, gradient, squareAverage, momentumBuffer, ...numbers });
  },
  copyColumns(d) {
    const [rows, width] = [d.size(), d.size()];
    const [fromStride, toStride] = [width + d.int(3), width + d.int(3)];
    const room = (stride: number) => (rows > 0 ? (rows - 1) * stride + width : 0);
    const [from, to] = [d.floats(room(fromStride)), d.floats(room(toStride))];
    d.provider.copyColumns({ rows, width, from, fromStride, to, toStride });
  },
  add(d) {
    const count = d.size();
    d.provider.add(count, d.floats(count), d.floats(count), d.floats(count));
  },
  formula(d) {
    const { inputs, program } = d.pick(PROGRAMS);
    const [rows, width] = [d.size(), d.some()];
    const count = rows * width;
    const steps = program.steps.map(value => (d.isWrong(0.02) ? d.int(50) - 2 : value));
    d.provider.formula({
      ...{ program: { ...program, steps }, count, width },
      inputs: Array.from({ length: inputs }, () => {
        const row = d.flag();
        return { slice: d.floats(row ? width : count), row };
      }),
      outputs: Array.from({ length: program.outputs }, () => d.floats(count)),
    });
  },
  activation(d) {
    const [count, kind] = [d.size(), d.pick(['relu', 'gelu', 'tanh', 'sigmoid'] as const)];
    d.provider.activation({ kind, count, x: d.floats(count), y: d.floats(count) });
  },
  activationBackward(d) {
    const [count, kind] = [d.size(), d.pick(['relu', 'gelu', 'tanh', 'sigmoid'] as const)];
    const [x, y, dy, dx] = [d.floats(count), d.floats(count), d.floats(count), d.floats(count)];
    d.provider.activationBackward({ kind, count, x, y, dy, dx });
  },
  dropout(d) {
    const count = d.size();
    const stream = { key0: d.int(9), key1: d.int(9), counterLow: d.int(9), counterHigh: 0 };
    d.provider.dropout({ count, rate: 0.5, stream, x: d.floats(count), y: d.floats(count) });
  },
  layerNorm(d) {
    const [rows, width] = [d.size(), d.size()];
    const [x, y] = [d.floats(rows * width), d.floats(rows * width)];
    const [weight, bias, isKept] = [d.floats(width), d.floats(width), d.flag()];
    const kept = () => (isKept ? d.floats(rows) : null);
    const call = { rows, width, epsilon: 1e-5, x, weight, bias, y };
    d.provider.layerNorm({ ...call, mean: kept(), inverseDeviation: kept() });
  },
  layerNormBackward(d) {
    const [rows, width] = [d.size(), d.size()];
    d.provider.layerNormBackward({
      ...{ rows, width, x: d.floats(rows * width), weight: d.floats(width) },
      ...{ mean: d.floats(rows), inverseDeviation: d.floats(rows), dy: d.floats(rows * width) },
      ...{ dx: d.maybe(rows * width), dWeight: d.floats(width), dBias: d.floats(width) },
    });
  },
  rowNorm(d) {
    const [rows, width] = [d.size(), d.size()];
    const [x, y] = [d.floats(rows * width), d.floats(rows * width)];
    const call = { rows, width, share: 1, epsilon: 1e-5, x, weight: d.maybe(width), y };
    d.provider.rowNorm({ ...call, inverse: d.floats(rows) });
  },
  rowNormBackward(d) {
    const [rows, width] = [d.size(), d.size()];
    const [x, dy, dx] = [d.floats(rows * width), d.floats(rows * width), d.floats(rows * width)];
    const [weight, inverse] = [d.maybe(width), d.floats(rows)];
    const dWeight = weight && d.maybe(width);
    d.provider.rowNormBackward({ rows, width, share: 1, x, weight, inverse, dy, dx, dWeight });
  },
  shortConvolution(d) {
    const [T, B, D, K] = [d.size(), d.size(), d.size(), d.some()];
    const [x, y, before] = [d.floats(T * B * D), d.floats(T * B * D), d.floats((K - 1) * B * D)];
    const shape = { seqLen: T, batch: B, width: D, kernelSize: K, silu: d.flag() };
    d.provider.shortConvolution({ ...shape, x, before, weight: d.floats(D * K), bias: d.floats(D), y });
  },
  shortConvolutionBackward(d) {
    const [T, B, D, K] = [d.size(), d.size(), d.size(), d.some()];
    const [x, dy, dx] = [d.floats(T * B * D), d.floats(T * B * D), d.floats(T * B * D)];
    d.provider.shortConvolutionBackward({
      ...{ seqLen: T, batch: B, width: D, kernelSize: K, silu: d.flag() },
      ...{ x, before: d.floats((K - 1) * B * D), weight: d.floats(D * K), bias: d.floats(D) },
      ...{ dy, dx, dWeight: d.floats(D * K), dBias: d.floats(D) },
    });
  },
  attention(d) {
    const { Q, K, B, heads, call } = attention(d);
    const logSumExp = d.maybe(B * heads * Q);
    d.provider.attention({ ...call, logSumExp, weights: d.maybe(B * heads * Q * K) });
  },
  attentionBackward(d) {
    const { Q, K, B, D, heads, isRelative, call, q, kv } = attention(d);
    d.provider.attentionBackward({
      ...{ ...call, logSumExp: d.floats(B * heads * Q), dOut: d.floats(Q * B * D), dQ: q(), dKv: kv() },
      dQRelative: isRelative ? d.floats(Q * B * D) : null,
      dRelative: isRelative ? d.floats(B * K * D) : null,
    });
  },
  convolution(d) {
    const { shape, x, weight, bias, y } = convolution(d);
    const call = { x: d.floats(x), weight: d.floats(weight), bias: d.floats(bias), y: d.floats(y) };
    d.provider.convolution({ ...shape, ...call });
  },
  convolutionBackward(d) {
    const { shape, x, weight, bias, y } = convolution(d);
    const read = { x: d.floats(x), weight: d.floats(weight), y: d.floats(y), dy: d.floats(y) };
    const made = { dx: d.maybe(x), dWeight: d.floats(weight), dBias: d.floats(bias) };
    d.provider.convolutionBackward({ ...shape, ...read, ...made });
  },
  ctc(d) {
    const [T, B, C, maxLabels] = [d.size(), d.size(), 1 + d.some(), d.size()];
    d.provider.ctc({
      ...{ seqLen: T, batch: B, classes: C, maxLabels, logits: d.floats(T * B * C) },
      ...{ lengths: d.orNull(() => d.ints(B, T + 1)), labels: d.ints(B * maxLabels, C, 1) },
      ...{ labelLengths: d.ints(B, maxLabels + 1), losses: d.floats(B) },
      ...{ dLogits: d.maybe(T * B * C), scale: 0.5 },
    });
  },
  scan(d) {
    const { shape, all, state, a } = scan(d);
    const lengths = d.orNull(() => d.ints(shape.batch, shape.seqLen + 1));
    const [h0, h, hN] = [d.maybe(state), d.floats(all), d.floats(state)];
    d.provider.scan({ ...shape, a: d.floats(a), b: d.floats(all), lengths, h0, h, hN });
  },
  scanBackward(d) {
    const { shape, T, all, state, a } = scan(d);
    const lengths = d.orNull(() => d.ints(shape.batch, T + 1));
    d.provider.scanBackward({
      ...{ ...shape, a: d.floats(a), lengths, h0: d.maybe(state), h: d.floats(all), dh: d.floats(all) },
      ...{ dhN: d.maybe(state), db: d.floats(all), da: d.maybe(a), dh0: d.maybe(state) },
      gradNorm: d.maybe(T),
    });
  },
  gatedScan(d) {
    const { state, call } = gated(d);
    d.provider.gatedScan({ ...call, hN: d.floats(state) });
  },
  gatedScanBackward(d) {
    const { T, all, state, call } = gated(d);
    d.provider.gatedScanBackward({
      ...{ ...call, dh: d.floats(all), dhN: d.maybe(state), dForget: d.floats(all) },
      ...{ dInput: call.input && d.floats(all), dHidden: d.floats(all), dh0: d.maybe(state) },
      gradNorm: d.maybe(T),
    });
  },
  selectiveScan(d) {
    const { all, state, kept, call } = selective(d);
    const [h0, y, hN] = [d.maybe(state), d.floats(all), d.floats(state)];
    d.provider.selectiveScan({ ...call, h0, y, hN, kept: d.maybe(kept) });
  },
  selectiveScanBackward(d) {
    const { T, D, N, all, ofStates, state, kept, call } = selective(d);
    d.provider.selectiveScanBackward({
      ...{ ...call, kept: d.floats(kept), dy: d.floats(all), dhN: d.maybe(state) },
      ...{ dx: d.floats(all), dDelta: d.floats(all), da: d.floats(D * N) },
      ...{ db: d.floats(ofStates), dc: d.floats(ofStates), dSkip: call.skip && d.floats(D) },
      ...{ dh0: d.maybe(state), gradNorm: d.maybe(T) },
    });
  },
  channelStatesKept: d => void channels(d),
  channelStates(d) {
    const { all, state, kept, call } = channels(d);
    const [h0, y, hN] = [d.maybe(state), d.floats(all), d.floats(state)];
    d.provider.channelStates({ ...call, h0, y, hN, kept: d.orNull(() => d.lent(kept)) });
  },
  channelStatesBackward(d) {
    const { T, all, a, kept, call } = channels(d);
    const made = { du: d.floats(all), da: d.floats(a), dc: d.floats(a), gradNorm: d.maybe(T) };
    d.provider.channelStatesBackward({ ...call, kept: d.lent(kept), dy: d.floats(all), ...made });
  },
  matrixMemory(d) {
    const { values, state, kept, call } = memory(d);
    const [s0, o, sN] = [d.maybe(state), d.floats(values), d.floats(state)];
    d.provider.matrixMemory({ ...call, s0, o, sN, kept: d.maybe(kept) });
  },
  matrixMemoryBackward(d) {
    const { T, H, K, keys, values, heads, decay, state, kept, call } = memory(d);
    d.provider.matrixMemoryBackward({
      ...{ ...call, kept: d.floats(kept), do: d.floats(values), dsN: d.maybe(state) },
      ...{ dq: d.floats(keys), dk: d.floats(keys), dv: d.floats(values) },
      dDecay: call.decay && d.maybe(decay),
      dStrength: call.strength && d.floats(heads),
      da: call.a && d.floats(keys),
      db: call.b && d.floats(keys),
      dBonus: call.bonus && d.floats(H * K),
      ...{ ds0: d.maybe(state), gradNorm: d.maybe(T) },
    });
  },
};

/** Of a provider, these compute nothing. */
const OTHERS = ['allocate', 'release', 'close', 'timeAlone'];

const addon = process.env['UNROLL_TEST_ADDON'];
const LOADS: Readonly<Record<string, () => Promise<Provider | string>>> = {
  native: () => loadNative(2, { file: addon }),
  ...(addon ? {} : { wasm: () => loadWasm(2) }),
};

describe('kernel calls', () => {
  for (const [name, load] of Object.entries(LOADS))
    describe(name, () => {
      let provider: Full;
      before(async () => {
        const loaded = await load();
        assert.ok(typeof loaded !== 'string', String(loaded));
        provider = loaded as Full;
      });
      after(() => provider?.close());

      it('draws calls of every function', () => {
        const functions = Object.entries(provider).filter(([, value]) => typeof value === 'function');
        const names = functions.map(([key]) => key).filter(key => !OTHERS.includes(key));
        assert.deepEqual(Object.keys(CALLS).sort(), names.sort());
      });

      const each = Math.ceil((CASES * 0.15) / Object.keys(CALLS).length);
      for (const [kind, call] of Object.entries(CALLS))
        it(`${kind}: ${each} cases of seed ${SEED}`, () => {
          for (let index = 0; index < each; index++) {
            const sound = index % 2 === 0;
            const drawn = drawing(provider, randomOf(`kernel calls, ${kind}`, index), sound);
            try {
              call(drawn);
            } catch (cause) {
              const place = `seed ${SEED}, case ${index}: ${(cause as Error).stack}`;
              assert.ok(cause instanceof Error && !sound, place);
              assert.doesNotThrow(() => plain(cause.message), place);
            }
            assert.ok(drawn.isKept(), `seed ${SEED}, case ${index}: an operand was written beyond its end`);
          }
        }).timeout(0);
    });
});
