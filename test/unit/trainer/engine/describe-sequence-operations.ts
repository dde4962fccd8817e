// The part of describeProvider about the operations of layers beside the recurrent ones: golden values of PyTorch, and
// random shapes against the reference. What a provider leaves to the reference is skipped.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type ConvolutionPadding,
  convolutionShape,
} from '../../../../src/trainer/engine/kernels/convolution.ts';
import type {
  ActivationKind,
  AttentionMask,
  OutputActivation,
  Provider,
  SequenceOperations,
  Slice,
} from '../../../../src/trainer/engine/provider.ts';
import { referenceOperations } from '../../../../src/trainer/engine/reference/sequence-operations.ts';
import { randomStream, streamKey } from '../../../../src/trainer/random.ts';
import { assertClose, deep, type GoldenTensor, readGolden, SEED } from './golden.ts';
import { Memory, read } from './memory.ts';

interface Common {
  name: string;
  y: GoldenTensor;
  dy: GoldenTensor;
  gradients: Record<string, GoldenTensor>;
}

type SequenceCase = Common &
  (
    | { operation: 'activation'; kind: ActivationKind; x: GoldenTensor }
    | { operation: 'layerNorm'; epsilon: number; x: GoldenTensor; weight: GoldenTensor; bias: GoldenTensor }
    | ({
        operation: 'attention';
        heads: number;
        kvHeads?: number;
        lengths: number[] | null;
        starts?: number[] | null;
        slopes?: GoldenTensor;
        qRelative?: GoldenTensor;
        relative?: GoldenTensor;
        /** beside queries and keys of their own */
        queryLengths?: number[] | null;
        /** (B, heads, T_q, T_k) */
        weights?: GoldenTensor;
        /** all side by side, or queries apart from keys and values */
        qkv?: GoldenTensor;
        q?: GoldenTensor;
        kv?: GoldenTensor;
      } & Partial<AttentionMask>)
    | {
        operation: 'convolution';
        dilation: number;
        /** causal, and one by one, where they are left out */
        padding?: ConvolutionPadding;
        stride?: number;
        groups?: number;
        /** none in PyTorch's cases */
        activation?: OutputActivation | null;
        x: GoldenTensor;
        weight: GoldenTensor;
        bias: GoldenTensor;
      }
  );

type Case<Operation> = Extract<SequenceCase, { operation: Operation }>;

/** What a provider has itself. */
function ownOperations(provider: Provider): Partial<SequenceOperations> {
  const names = Object.keys(referenceOperations) as (keyof SequenceOperations)[];
  return Object.fromEntries(
    names.flatMap(name => (provider[name] ? [[name, provider[name].bind(provider)]] : [])),
  );
}

const needs: Record<SequenceCase['operation'], (keyof SequenceOperations)[]> = {
  activation: ['activation', 'activationBackward'],
  layerNorm: ['layerNorm', 'layerNormBackward'],
  attention: ['attention', 'attentionBackward'],
  convolution: ['convolution', 'convolutionBackward'],
};

export function describeSequenceOperations(name: string, provided: () => Provider): void {
  const own = () => ownOperations(provided());
  const lacks = (names: readonly (keyof SequenceOperations)[]) => names.some(each => !own()[each]);

  describe('operations of other layers against PyTorch', () => {
    for (const golden of [
      ...readGolden<SequenceCase>('sequence'),
      ...readGolden<SequenceCase>('attention'),
      ...readGolden<SequenceCase>('convolution'),
    ]) {
      it(`${golden.operation}: ${golden.name}`, function () {
        if (lacks(needs[golden.operation])) this.skip();
        const memory = new Memory(provided());
        const results = run(own() as SequenceOperations, golden, memory);
        for (const [what, values] of Object.entries(results)) {
          const expected = expectedOf(golden, what);
          if (!expected) continue;
          assertClose(read(values, expected.data.length), expected.data, what);
        }
        memory.check();
      });
    }
  });

  it('columns are cut out and put in, and sums may stand in place of an operand', function () {
    if (lacks(['copyColumns', 'add'])) this.skip();
    const { copyColumns, add } = own() as SequenceOperations;
    const memory = new Memory(provided());
    const from = memory.slot(6, [1, 2, 3, 4, 5, 6]);
    const to = memory.slot(5);
    copyColumns({ rows: 2, width: 2, from, fromStride: 3, to, toStride: 3 });
    assert.deepEqual([...read(to, 5)], [1, 2, Number.NaN, 4, 5]);
    add(6, from, memory.slot(6, [10, 20, 30, 40, 50, Number.NaN]), from);
    assert.deepEqual([...read(from, 6)], [11, 22, 33, 44, 55, Number.NaN]);
    memory.check();
  });

  it('dropout drops where the stream says so, to the bit', function () {
    if (lacks(['dropout'])) this.skip();
    const { dropout } = own() as SequenceOperations;
    // of several threads, and with the last block cut at every place
    for (const count of [1, 2, 63, 64, 65, 66, 67, 20_003])
      for (const [seed, counter, rate] of [[7, 3, 0.25] as const, [0xffff_ffff, 2 ** 40 + 5, 0.9] as const]) {
        const memory = new Memory(provided());
        const random = randomStream(seed, 'dropout/layers.1', counter);
        const x = Float32Array.from({ length: count }, (_, i) => (i % 50 === 49 ? Number.NaN : i - 20.3));
        const kept = Math.fround(1 / (1 - rate));
        const expected = x.map(value => value * (random.uniform() < rate ? 0 : kept));
        const [from, y] = [memory.slot(count, x), memory.slot(count)];
        const call = { count, rate, stream: streamKey(seed, 'dropout/layers.1', counter) };
        dropout({ ...call, x: from, y });
        assert.deepEqual(read(y, count), expected);
        dropout({ ...call, x: from, y: from });
        assert.deepEqual(read(from, count), expected);
        memory.check();
      }
  });

  if (name === 'reference') return;
  describe('operations of other layers against the reference, on random shapes', () => {
    const size = (max: number) => fc.integer({ min: 1, max });
    const check = <Shape extends object>(
      operation: SequenceCase['operation'],
      shapes: fc.Arbitrary<Shape>,
      make: (shape: Shape, draw: (...shape: number[]) => GoldenTensor) => Partial<SequenceCase>,
      what = '',
    ) =>
      it(`${operation} ${what}`, function () {
        if (lacks(needs[operation])) this.skip();
        const property = fc.property(shapes, fc.nat(), (shape, seed) => {
          const random = randomStream(seed, 'operations', 0);
          const draw = (...dimensions: number[]) => {
            const count = dimensions.reduce((a, b) => a * b, 1);
            return {
              shape: dimensions,
              data: Array.from({ length: count }, () => Math.fround(random.normal())),
            };
          };
          const golden = { operation, ...make(shape, draw) } as SequenceCase;
          const memory = new Memory(provided());
          const ours = run(own() as SequenceOperations, golden, memory);
          const expected = run(referenceOperations, golden, memory);
          for (const [what, { data, offset }] of Object.entries(expected)) {
            const count = what === 'weights' ? data.length - offset - 3 : sizeOf(golden, what);
            const wanted = data.slice(offset, offset + count);
            assertAlike(read(ours[what]!, count), wanted, what, operation === 'attention' ? 0.1 : 0.01);
          }
          memory.check();
        });
        fc.assert(property, { seed: SEED, numRuns: deep(12) });
      });

    check(
      'activation',
      fc.record({
        count: size(200),
        kind: fc.constantFrom<ActivationKind>('relu', 'gelu', 'tanh', 'sigmoid'),
      }),
      ({ count, kind }, draw) => {
        const x = draw(count);
        for (let i = 0; i < count; i++) x.data[i] = Math.fround(x.data[i]! * 4);
        return { kind, x, dy: draw(count) };
      },
    );
    // up to two numbers are all mean and variance: what is left of their gradient is rounding
    check(
      'layerNorm',
      fc.record({ rows: size(40), width: fc.integer({ min: 3, max: 150 }) }),
      ({ rows, width }, draw) => ({
        epsilon: 1e-5,
        x: draw(rows, width),
        weight: draw(width),
        bias: draw(width),
        dy: draw(rows, width),
      }),
    );
    check(
      'attention',
      fc.record({
        seqLen: size(40),
        batch: size(4),
        heads: size(4),
        headSize: size(40),
        causal: fc.boolean(),
        window: fc.integer({ min: 0, max: 20 }),
        withLengths: fc.boolean(),
      }),
      ({ seqLen, batch, heads, headSize, causal, window, withLengths }, draw) => ({
        heads,
        causal,
        window,
        lengths: withLengths
          ? Array.from({ length: batch }, (_, b) => (seqLen + b * 7) % (seqLen + 1))
          : null,
        qkv: draw(seqLen, batch, 3 * heads * headSize),
        dy: draw(seqLen, batch, heads * headSize),
      }),
    );
    // keys of several panels, and queries of several blocks
    const masks = fc.record({
      queries: size(90),
      keys: size(200),
      batch: size(2),
      heads: size(2),
      headSize: size(20),
      causal: fc.boolean(),
      offset: fc.integer({ min: 0, max: 120 }),
      window: fc.oneof(fc.constant(0), size(30)),
      dilation: fc.oneof(fc.constant(1), size(5)),
      stride: fc.oneof(fc.constant(0), size(150)),
      globals: fc.oneof(fc.constant(0), size(70)),
      withLengths: fc.boolean(),
    });
    check(
      'attention',
      masks,
      ({ queries, keys, batch, heads, headSize, withLengths, ...mask }, draw) => ({
        ...mask,
        heads,
        lengths: withLengths ? Array.from({ length: batch }, (_, b) => (keys + b * 31) % (keys + 1)) : null,
        queryLengths: withLengths
          ? Array.from({ length: batch }, (_, b) => (queries + b * 11) % (queries + 1))
          : null,
        q: draw(queries, batch, heads * headSize),
        kv: draw(keys, batch, 2 * heads * headSize),
        dy: draw(queries, batch, heads * headSize),
      }),
      'of queries to other keys, under masks',
    );
    check(
      'attention',
      fc.record({
        ...{
          queries: size(90),
          before: size(70),
          batch: size(3),
          kvHeads: size(2),
          group: size(3),
          headSize: size(20),
        },
        window: fc.oneof(fc.constant(0), size(60)),
        starts: fc.integer({ min: 0, max: 80 }),
        terms: fc.constantFrom('none', 'slopes', 'relative', 'both'),
        withLengths: fc.boolean(),
      }),
      ({ queries, before, batch, kvHeads, group, headSize, window, starts, terms, withLengths }, draw) => {
        const [heads, keys] = [kvHeads * group, before + queries];
        const D = heads * headSize;
        const lengths = Array.from({ length: batch }, (_, b) => (queries + b * 11) % (queries + 1));
        const relative = { qRelative: draw(queries, batch, D), relative: draw(keys, D) };
        return {
          ...{ heads, kvHeads, causal: true, offset: before, window },
          lengths: withLengths ? lengths.map(length => before + length) : null,
          queryLengths: withLengths ? lengths : null,
          starts:
            starts > before
              ? null
              : Array.from({ length: batch }, (_, b) => (starts + b * 17) % (before + 1)),
          ...(terms === 'slopes' || terms === 'both' ? { slopes: draw(heads) } : {}),
          ...(terms === 'relative' || terms === 'both' ? relative : {}),
          q: draw(queries, batch, D),
          kv: draw(keys, batch, 2 * kvHeads * headSize),
          dy: draw(queries, batch, D),
        };
      },
      'with shared keys, starts, slopes and relative positions',
    );
    check(
      'attention',
      fc.record({
        ...{ seqLen: size(80), batch: size(2), kvHeads: size(2), group: size(2), headSize: size(9) },
        causal: fc.boolean(),
        mask: fc.constantFrom(
          {},
          { window: 5 },
          { window: 3, dilation: 3 },
          { window: 4, globals: 2 },
          { stride: 7 },
        ),
      }),
      ({ seqLen, batch, kvHeads, group, headSize, causal, mask }, draw) => ({
        ...{ heads: kvHeads * group, kvHeads, causal, ...mask, lengths: null },
        starts: Array.from({ length: batch }, (_, b) => (b * 5) % seqLen),
        slopes: draw(kvHeads * group),
        qkv: draw(seqLen, batch, (group + 2) * kvHeads * headSize),
        dy: draw(seqLen, batch, group * kvHeads * headSize),
      }),
      'of a sequence to itself with shared keys and slopes, under masks',
    );
    // rows of more than one thread's share and of several of its parts, outputs of more than one block of vectors, inputs so
    // wide that they go through one tap after the other
    const convolutions = fc.record({
      seqLen: size(60),
      batch: size(5),
      inputs: fc.oneof(size(40), fc.integer({ min: 60, max: 80 })),
      outputs: fc.oneof(size(40), fc.integer({ min: 60, max: 80 })),
      kernel: size(5),
      dilation: fc.oneof(size(9), fc.constant(1_000_000_000)),
      activation: fc.constantFrom<OutputActivation | null>(null, 'relu', 'tanh', 'sigmoid'),
    });
    type Convolution = typeof convolutions extends fc.Arbitrary<infer Shape> ? Shape : never;
    type Draw = (...shape: number[]) => GoldenTensor;
    const convolutionOf = ({ seqLen, batch, inputs, outputs, kernel, ...rest }: Convolution, draw: Draw) => ({
      ...rest,
      x: draw(seqLen, batch, inputs),
      weight: draw(outputs, inputs, kernel),
      bias: draw(outputs),
      dy: draw(seqLen, batch, outputs),
    });
    check('convolution', convolutions, convolutionOf);
    check(
      'convolution',
      fc.record({
        seqLen: fc.integer({ min: 13, max: 60 }),
        batch: size(4),
        inputs: size(20),
        outputs: fc.oneof(size(8), fc.integer({ min: 60, max: 80 })),
        kernel: size(5),
        dilation: size(3),
        padding: fc.constantFrom<ConvolutionPadding>('causal', 'same', 'valid'),
        stride: size(4),
        groups: size(3),
        activation: fc.constantFrom<OutputActivation | null>(null, 'tanh'),
      }),
      ({ seqLen, batch, inputs, outputs, kernel, ...rest }, draw) => {
        const [I, O] = [inputs * rest.groups, outputs * rest.groups];
        const { outputLen } = convolutionShape([seqLen, batch, I], [O, inputs, kernel], O, {
          ...rest,
          inputGradient: true,
        });
        return {
          ...rest,
          x: draw(seqLen, batch, I),
          weight: draw(O, inputs, kernel),
          bias: draw(O),
          dy: draw(outputLen, batch, O),
        };
      },
      'padded, strided and in groups',
    );
    check(
      'convolution',
      fc.tuple(convolutions, fc.nat()),
      ([shape, place], draw) => {
        const golden = convolutionOf(shape, draw);
        for (const operand of [golden.x, golden.dy])
          [Number.NaN, 1e-40].forEach((value, i) => {
            operand.data[(place + 7 * i) % operand.data.length] = Math.fround(value);
          });
        return golden;
      },
      'with NaN and denormal numbers',
    );
  });
}

/**
 * Close, relative to the largest number or `least`, and no number in the same places. Where a query sees one key its
 * gradients are differences of equal numbers: all of them may be rounding.
 */
function assertAlike(actual: Float32Array, expected: Float32Array, what: string, least: number): void {
  const places = (values: Float32Array) => [...values.keys()].filter(i => Number.isNaN(values[i]));
  assert.deepEqual(places(actual), places(expected), `${what}: NaN`);
  const numbers = (values: Float32Array) => values.filter(value => !Number.isNaN(value));
  const largest = numbers(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0.01);
  assertClose(numbers(actual), numbers(expected), what, (2e-5 * Math.max(largest, least)) / largest);
}

function sizeOf(golden: SequenceCase, what: string): number {
  if (what === 'y') return golden.dy.data.length;
  return (golden as unknown as Record<string, GoldenTensor>)[what]!.data.length;
}

function expectedOf(golden: SequenceCase, what: string): GoldenTensor | undefined {
  if (what === 'y') return golden.y;
  if (what === 'weights') return (golden as Case<'attention'>).weights;
  return golden.gradients[what]!;
}

/** Forward and backward of one case: y, and the gradient of every input by its name. */
function run(operations: SequenceOperations, golden: SequenceCase, memory: Memory): Record<string, Slice> {
  switch (golden.operation) {
    case 'activation':
      return runActivation(operations, golden, memory);
    case 'layerNorm':
      return runLayerNorm(operations, golden, memory);
    case 'attention':
      return runAttention(operations, golden, memory);
    case 'convolution':
      return runConvolution(operations, golden, memory);
  }
}

function runActivation(operations: SequenceOperations, golden: Case<'activation'>, memory: Memory) {
  const { kind, x } = golden;
  const count = x.data.length;
  const call = { kind, count, x: memory.of(x)!, y: memory.slot(count) };
  operations.activation(call);
  const back = { ...call, dy: memory.of(golden.dy)!, dx: memory.slot(count) };
  // what the gradient of a kind does not read must not matter
  const unread = memory.slot(count);
  operations.activationBackward(kind === 'gelu' ? { ...back, y: unread } : { ...back, x: unread });
  return { y: call.y, x: back.dx };
}

function runLayerNorm(operations: SequenceOperations, golden: Case<'layerNorm'>, memory: Memory) {
  const [rows, width] = golden.x.shape as [number, number];
  const common = { rows, width, x: memory.of(golden.x)!, weight: memory.of(golden.weight)! };
  const [mean, inverseDeviation, y] = [memory.slot(rows), memory.slot(rows), memory.slot(rows * width)];
  const forward = { ...common, epsilon: golden.epsilon, bias: memory.of(golden.bias)!, y };
  operations.layerNorm({ ...forward, mean: null, inverseDeviation: null });
  operations.layerNorm({ ...forward, mean, inverseDeviation });
  const dy = memory.of(golden.dy)!;
  const [dWeight, dBias, dx] = [memory.slot(width), memory.slot(width), memory.slot(rows * width)];
  operations.layerNormBackward({ ...common, mean, inverseDeviation, dy, dx: null, dWeight, dBias });
  operations.layerNormBackward({ ...common, mean, inverseDeviation, dy, dx, dWeight, dBias });
  return { y, x: dx, weight: dWeight, bias: dBias };
}

function runAttention(operations: SequenceOperations, golden: Case<'attention'>, memory: Memory) {
  const { heads, kvHeads = heads, lengths, queryLengths = golden.qkv ? lengths : null } = golden;
  const [queries, batch, width] = golden.dy.shape as [number, number, number];
  const keys = (golden.qkv ?? golden.kv!).shape[0]!;
  const beyond = (tensor: GoldenTensor, lengths: number[] | null): Slice => {
    const values = Float32Array.from(tensor.data);
    const [steps] = tensor.shape as [number];
    const each = values.length / (steps * batch);
    lengths?.forEach((length, b) => {
      for (let t = length; t < steps; t++)
        values.fill(Number.NaN, (t * batch + b) * each, (t * batch + b + 1) * each);
    });
    return memory.slot(values.length, values);
  };
  /** Queries, and keys with values, in one array or in two. */
  const operands = (side: Slice | null, q: () => Slice, kv: () => Slice) =>
    side ? { q: side, kv: { data: side.data, offset: side.offset + width } } : { q: q(), kv: kv() };
  const ints = (values: number[] | null) => values && { data: Int32Array.from([-1, ...values]), offset: 1 };
  const { causal = false, offset = 0, window = 0, dilation = 1, stride = 0, globals = 0 } = golden;
  const ofKeys = (2 * width * kvHeads) / heads;
  const beside = width + ofKeys;
  const { qRelative, relative } = golden;
  const common = {
    ...{ queries, keys, batch, heads, kvHeads, headSize: width / heads },
    ...(golden.qkv ? { qStride: beside, kvStride: beside } : { qStride: width, kvStride: ofKeys }),
    ...{ causal, offset, window, dilation, stride, globals },
    lengths: ints(lengths),
    queryLengths: ints(queryLengths),
    starts: ints(golden.starts ?? null),
    slopes: memory.of(golden.slopes),
    qRelative: qRelative ? beyond(qRelative, queryLengths) : null,
    relative: memory.of(relative),
    ...operands(
      golden.qkv ? beyond(golden.qkv, lengths) : null,
      () => beyond(golden.q!, queryLengths),
      () => beyond(golden.kv!, lengths),
    ),
    out: memory.slot(queries * batch * width),
  };
  const logSumExp = memory.slot(batch * heads * queries);
  const weights = memory.slot(batch * heads * queries * keys);
  operations.attention({ ...common, logSumExp, weights });
  operations.attention({ ...common, logSumExp: null, weights: null });
  operations.attention({ ...common, logSumExp, weights: null });
  const side = golden.qkv ? memory.slot(beside * queries * batch) : null;
  const gradients = operands(
    side,
    () => memory.slot(queries * batch * width),
    () => memory.slot(ofKeys * keys * batch),
  );
  const dOut = beyond(golden.dy, queryLengths);
  const dQRelative = qRelative ? memory.slot(queries * batch * width) : null;
  const ofSequences = relative ? memory.slot(batch * keys * width) : null;
  const made = { dQ: gradients.q, dKv: gradients.kv, dQRelative, dRelative: ofSequences };
  operations.attentionBackward({ ...common, logSumExp, dOut, ...made });
  const ofTerms = ofSequences && {
    qRelative: dQRelative!,
    relative: summed(ofSequences, batch, keys * width, memory),
  };
  return { y: common.out, weights, ...(side ? { qkv: side } : gradients), ...ofTerms };
}

function summed({ data, offset }: Slice, rows: number, width: number, memory: Memory): Slice {
  const sums = new Float32Array(width);
  for (let i = 0; i < rows * width; i++) sums[i % width]! += data[offset + i]!;
  return memory.slot(width, sums);
}

function runConvolution(operations: SequenceOperations, golden: Case<'convolution'>, memory: Memory) {
  const [seqLen, batch, inputSize] = golden.x.shape as [number, number, number];
  const outputSize = golden.bias.data.length;
  const options = { ...golden, activation: golden.activation ?? null, inputGradient: true };
  const shape = convolutionShape([seqLen, batch, inputSize], golden.weight.shape, outputSize, options);
  const { activation } = shape;
  const common = { ...shape, x: memory.of(golden.x)!, weight: memory.of(golden.weight)! };
  const y = memory.slot(shape.outputLen * batch * outputSize);
  operations.convolution({ ...common, bias: memory.of(golden.bias)!, y });
  const [dWeight, dBias] = [memory.slot(golden.weight.data.length), memory.slot(outputSize)];
  const [dx, dy] = [memory.slot(golden.x.data.length), memory.of(golden.dy)!];
  // without an activation y is not read
  const back = { ...common, y: activation ? y : memory.slot(0), dy, dWeight, dBias };
  operations.convolutionBackward({ ...back, dx: null });
  operations.convolutionBackward({ ...back, dx });
  return { y, x: dx, weight: dWeight, bias: dBias };
}
