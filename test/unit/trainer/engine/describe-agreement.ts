// A provider against the reference on random shapes: odd sizes, one step, one sequence, empty sequences, units that fill
// no vector, several threads and chunks of steps, and inputs that are tiny, huge or not numbers.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type {
  Provider,
  RecurrentBackward,
  RecurrentCell,
  RecurrentForward,
  RecurrentShape,
  Slice,
} from '../../../../src/trainer/engine/provider.ts';
import { GATES, gateBlocks } from '../../../../src/trainer/engine/provider.ts';
import { referenceProvider } from '../../../../src/trainer/engine/reference/provider.ts';
import { deep, SEED } from './golden.ts';

/** Their states overflow in float32, and not in float64. */
const UNBOUNDED: readonly RecurrentCell[] = ['rnn-relu', 'rnn-leaky-relu', 'rnn-linear'];
const TOLERANCE = 1e-5;

/** Numbers between -scale and scale that depend on the seed alone. */
function random(seed: number, count: number, scale = 1): Float32Array {
  let state = seed * 2654435761 + 12345;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state / 2 ** 31) * scale;
  });
}

/**
 * Closer than the tolerance, measured by the largest value, and that by inputs of about 1: a gradient that has vanished
 * on its way through a hundred steps keeps the rounding of where it came from. NaN where NaN is, infinity where that is.
 */
function assertAgree(
  actual: Float32Array,
  expected: Float32Array,
  what: string,
  tolerance = TOLERANCE,
): void {
  let largest = 0.02;
  for (const value of expected) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  expected.forEach((value, i) => {
    const got = actual[i]!;
    if (Number.isFinite(value) ? Math.abs(got - value) <= tolerance * largest : Object.is(got, value)) return;
    assert.fail(`${what}[${i}] is ${got}, the reference has ${value} (largest ${largest})`);
  });
}

function scaleBy(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i]! *= factor;
}

interface Options {
  lengths: Int32Array | null;
  biases: boolean;
  states: boolean;
  endGradients: boolean;
  dy: boolean;
  dx: boolean;
  report: boolean;
  offset: number;
}

/** Runs both passes; all that they wrote, by name. */
function runRecurrent(
  provider: Provider,
  shape: RecurrentShape,
  options: Options,
  seed: number,
  edit: (x: Float32Array) => void = () => {},
): Record<string, Float32Array> {
  const { cell, seqLen: T, batch: B, inputSize: I, hiddenSize: H } = shape;
  const width = gateBlocks(cell) * H;
  const gates = GATES[cell].length;
  const isLstm = cell === 'lstm';
  const memory = provider.recurrentMemory(shape, options.lengths !== null);
  const written: Record<string, Float32Array> = {};
  const place = (values: Float32Array): Slice => {
    const data = provider.allocate(values.length + options.offset);
    data.set(values, options.offset);
    return { data, offset: options.offset };
  };
  const given = (salt: number, count: number, scale: number, want = true) =>
    want ? place(random(seed + salt, count, scale)) : null;
  const out = (name: string, count: number, want = true): Slice | null => {
    if (!want) return null;
    const slice = place(new Float32Array(count).fill(Number.NaN));
    written[name] = slice.data.subarray(slice.offset);
    return slice;
  };
  const lent = (count: number) => place(new Float32Array(count).fill(Number.NaN));
  const x = random(seed, T * B * I, 1.7);
  edit(x);
  const scale = 1 / Math.sqrt(H);
  const common = {
    shape,
    weights: {
      weightIh: given(1, width * I, scale)!,
      weightHh: given(2, width * H, scale)!,
      biasIh: given(3, width, scale, options.biases),
      biasHh: given(4, width, scale, options.biases),
      packed: place(new Float32Array(memory.packed)),
      version: 7,
    },
    x: place(x),
    lengths: options.lengths && { data: options.lengths, offset: 0 },
    h0: given(5, B * H, 1, options.states),
    c0: given(6, B * H, 1, options.states && isLstm),
  };
  const forward: RecurrentForward = {
    ...common,
    y: out('y', T * B * H)!,
    hN: out('hN', B * H)!,
    cN: out('cN', B * H, isLstm),
    cache: lent(memory.cache),
    scratch: lent(memory.forwardScratch),
  };
  const backward: RecurrentBackward = {
    ...common,
    y: forward.y,
    cache: forward.cache!,
    scratch: lent(memory.backwardScratch),
    dy: given(7, T * B * H, 1, options.dy),
    dhN: given(8, B * H, 1, options.endGradients),
    dcN: given(9, B * H, 1, options.endGradients && isLstm),
    dx: out('dx', T * B * I, options.dx),
    dWeightIh: out('dWeightIh', width * I)!,
    dWeightHh: out('dWeightHh', width * H)!,
    dBiasIh: out('dBiasIh', width, options.biases),
    dBiasHh: out('dBiasHh', width, options.biases),
    dh0: out('dh0', B * H, options.states),
    dc0: out('dc0', B * H, options.states && isLstm),
    report: options.report
      ? {
          hiddenGradNorm: out('hiddenGradNorm', T)!,
          cellGradNorm: out('cellGradNorm', T, isLstm),
          gateMean: out('gateMean', gates * T, gates > 0),
          gateSaturation: out('gateSaturation', gates * T, gates > 0),
        }
      : null,
  };
  provider.recurrentForward(forward);
  provider.recurrentBackward(backward);
  return written;
}

type Sizes = Omit<RecurrentShape, 'cell'>;

const inputSize = fc.integer({ min: 1, max: 37 });
const reverse = fc.boolean();

const anySizes: fc.Arbitrary<Sizes> = fc.record({
  seqLen: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 100, max: 300 })),
  batch: fc.integer({ min: 1, max: 11 }),
  inputSize,
  // whole vectors too, for which rows are read in place
  hiddenSize: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(16, 32, 48, 64, 90)),
  reverse,
});

/** For which threads share out the hidden units: few sequences, or weights too large for a core's cache. */
const sharedSizes: fc.Arbitrary<Sizes> = fc.oneof(
  fc.record({
    seqLen: fc.integer({ min: 250, max: 300 }),
    batch: fc.integer({ min: 1, max: 2 }),
    inputSize,
    hiddenSize: fc.oneof(fc.integer({ min: 129, max: 150 }), fc.constant(128)),
    reverse,
  }),
  fc.record({
    seqLen: fc.integer({ min: 1, max: 9 }),
    batch: fc.integer({ min: 1, max: 5 }),
    inputSize,
    hiddenSize: fc.oneof(fc.integer({ min: 256, max: 270 }), fc.constant(256)),
    reverse,
  }),
);

const flag = fc.boolean();
const anyOptions = fc.record({
  withLengths: flag,
  biases: flag,
  states: flag,
  endGradients: flag,
  dy: flag,
  dx: flag,
  report: flag,
  offset: fc.integer({ min: 0, max: 3 }),
});

async function assertAgreeOn(
  provider: Provider,
  cell: RecurrentCell,
  sizes: fc.Arbitrary<Sizes>,
  runs: { seed: number; numRuns: number },
): Promise<void> {
  const property = fc.property(
    sizes,
    anyOptions,
    fc.nat({ max: 100000 }),
    (drawn, { withLengths, ...flags }, seed) => {
      const shape: RecurrentShape = { cell, ...drawn };
      const lengths = random(seed + 77, shape.batch).map(value =>
        Math.round(Math.abs(value) * 1.2 * shape.seqLen - 0.1 * shape.seqLen),
      );
      const clamped = Int32Array.from(lengths, length => Math.min(Math.max(length, 0), shape.seqLen));
      const options: Options = { ...flags, lengths: withLengths ? clamped : null };
      const expected = runRecurrent(referenceProvider, shape, options, seed);
      const actual = runRecurrent(provider, shape, options, seed);
      for (const [what, values] of Object.entries(expected)) {
        const loose = what === 'gateSaturation' ? 1.01 / shape.hiddenSize : 3 * TOLERANCE;
        assertAgree(actual[what]!, values, what, loose);
      }
    },
  );
  fc.assert(property, runs);
}

export function describeAgreement(name: string, load: (threads: number) => Promise<Provider>): void {
  describe(`provider ${name} agrees with the reference`, () => {
    for (const threads of [1, 2, 3]) {
      for (const cell of Object.keys(GATES) as RecurrentCell[]) {
        it(`${cell}, ${threads} threads, random shapes`, async () => {
          await assertAgreeOn(await load(threads), cell, anySizes, {
            seed: SEED + threads,
            numRuns: deep(4),
          });
        });
        if (threads === 1) continue;
        it(`${cell}, ${threads} threads that share the units`, async () => {
          await assertAgreeOn(await load(threads), cell, sharedSizes, {
            seed: SEED + threads,
            numRuns: deep(2),
          });
        });
      }
    }

    for (const cell of Object.keys(GATES) as RecurrentCell[]) {
      const shape: RecurrentShape = {
        cell,
        seqLen: 5,
        batch: 4,
        inputSize: 3,
        hiddenSize: 19,
        reverse: false,
      };
      const options: Options = {
        lengths: null,
        biases: true,
        states: true,
        endGradients: true,
        dy: true,
        dx: true,
        report: true,
        offset: 0,
      };

      it(`${cell}: tiny inputs (denormal numbers)`, async () => {
        const edit = (x: Float32Array) => scaleBy(x, 1e-41);
        const provider = await load(2);
        const expected = runRecurrent(referenceProvider, shape, options, 5, edit);
        const actual = runRecurrent(provider, shape, options, 5, edit);
        for (const what of ['y', 'hN', 'dx', 'dWeightHh', 'dh0'])
          assertAgree(actual[what]!, expected[what]!, what, 3 * TOLERANCE);
      });

      it(`${cell}: huge inputs saturate as they should`, async function () {
        if (UNBOUNDED.includes(cell)) this.skip();
        const edit = (x: Float32Array) => scaleBy(x, 1e30);
        const provider = await load(2);
        const expected = runRecurrent(referenceProvider, shape, options, 6, edit);
        const actual = runRecurrent(provider, shape, options, 6, edit);
        for (const what of ['y', 'hN', 'dh0']) assertAgree(actual[what]!, expected[what]!, what, 1e-4);
      });

      it(`${cell}: a NaN stays in its sequence on the way forward and reaches its gradients`, async () => {
        const provider = await load(2);
        const edit = (x: Float32Array) => (x[(2 * shape.batch + 1) * shape.inputSize] = Number.NaN);
        const expected = runRecurrent(referenceProvider, shape, options, 8, edit);
        const actual = runRecurrent(provider, shape, options, 8, edit);
        for (const what of ['y', 'hN', 'dx', 'dh0', 'dWeightIh'])
          assertAgree(actual[what]!, expected[what]!, what, 3 * TOLERANCE);
      });

      it(`${cell}: the same call twice gives the same bits`, async () => {
        const provider = await load(2);
        const [first, second] = [0, 1].map(() =>
          runRecurrent(provider, { ...shape, seqLen: 200 }, options, 9),
        );
        assert.deepEqual(first, second);
      });
    }

    it('gemm, long and wide', async () => {
      const size = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 250, max: 600 }));
      for (const threads of [1, 3]) {
        const provider = await load(threads);
        const property = fc.property(
          fc.record({
            m: size,
            n: size,
            // of a weight's gradient, whose sum threads share
            k: fc.oneof(size, fc.integer({ min: 600, max: 1500 })),
            seed: fc.nat({ max: 1000 }),
          }),
          fc.record({
            transA: fc.boolean(),
            transB: fc.boolean(),
            bias: fc.boolean(),
            accumulate: fc.boolean(),
          }),
          ({ m, n, k, seed }, { bias, ...flags }) => {
            const [actual, expected] = [provider, referenceProvider].map(one => {
              const c = { data: random(seed + 3, m * n), offset: 0 };
              one.gemm({
                m,
                n,
                k,
                a: { data: random(seed, m * k), offset: 0 },
                b: { data: random(seed + 1, k * n), offset: 0 },
                bias: bias ? { data: random(seed + 2, n), offset: 0 } : null,
                c,
                ...flags,
              });
              return c.data;
            });
            assertAgree(actual!, expected!, 'c', 2 * TOLERANCE);
          },
        );
        fc.assert(property, { seed: SEED + threads, numRuns: deep(5) });
      }
    });

    it('softmax cross-entropy, embedding, optimizers and sums on random sizes', async () => {
      for (const threads of [1, 3]) {
        const provider = await load(threads);
        const property = fc.property(
          fc.record({
            rows: fc.integer({ min: 1, max: 400 }),
            classes: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 100, max: 300 })),
          }),
          fc.record({ weighted: fc.boolean(), smooth: fc.boolean(), seed: fc.nat({ max: 1000 }) }),
          ({ rows, classes }, { weighted, smooth, seed }) => {
            const [actual, expected] = [provider, referenceProvider].map(one =>
              runRest(one, rows, classes, weighted, smooth ? 0.1 : 0, seed),
            );
            for (const [what, values] of Object.entries(expected!)) assertAgree(actual![what]!, values, what);
          },
        );
        fc.assert(property, { seed: SEED + threads, numRuns: deep(6) });
      }
    });

    it('optimizers, sums and embedding on more numbers than one thread takes alone', async () => {
      for (const threads of [2, 3]) {
        const provider = await load(threads);
        const [actual, expected] = [provider, referenceProvider].map(one =>
          runRest(one, 200, 501, true, 0.1, threads),
        );
        for (const [what, values] of Object.entries(expected!)) assertAgree(actual![what]!, values, what);
      }
    });

    it('dense cross-entropy on random sizes, and with weights too large for a gradient in each thread', async () => {
      for (const threads of [1, 2, 3]) {
        const provider = await load(threads);
        const agree = (sizes: HeadSizes, options: HeadOptions) => {
          const [actual, expected] = [provider, referenceProvider].map(one => runHead(one, sizes, options));
          for (const [what, values] of Object.entries(expected!)) assertAgree(actual![what]!, values, what);
        };
        const sizes = fc.record({
          rows: fc.integer({ min: 0, max: 600 }),
          inputs: fc.integer({ min: 1, max: 90 }),
          outputs: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 60, max: 140 })),
        });
        const options = fc.record({
          weighted: fc.boolean(),
          bias: fc.boolean(),
          smooth: fc.boolean(),
          bad: fc.boolean(),
          seed: fc.nat({ max: 1000 }),
        });
        fc.assert(fc.property(sizes, options, agree), { seed: SEED + threads, numRuns: deep(6) });
        for (const weighted of [true, false])
          for (const large of LARGE_HEADS)
            agree(large, { weighted, bias: true, smooth: weighted, bad: false, seed: 1 });
      }
    });
  });
}

interface HeadSizes {
  rows: number;
  inputs: number;
  outputs: number;
}

/** A weight too large for each thread to have a gradient of its own, and several slabs of rows. */
const LARGE_HEADS: readonly HeadSizes[] = [
  { rows: 1, inputs: 300, outputs: 301 },
  { rows: 3, inputs: 67, outputs: 1003 },
  { rows: 300, inputs: 9, outputs: 7300 },
];

interface HeadOptions {
  weighted: boolean;
  bias: boolean;
  smooth: boolean;
  bad: boolean;
  seed: number;
}

/** Loss and gradients; where weighted, rows without weight hold NaN, and `bad` is NaN in a row that counts. */
function runHead(provider: Provider, { rows, inputs, outputs }: HeadSizes, options: HeadOptions) {
  const { weighted, seed } = options;
  const place = (values: Float32Array): Slice => {
    const data = provider.allocate(values.length + 3).fill(Number.NaN);
    data.set(values, 1);
    return { data, offset: 1 };
  };
  const weights = weighted ? random(seed + 2, rows).map(value => Math.max(0, value)) : null;
  const x = random(seed, rows * inputs, 2).map((value, i) =>
    weights?.[Math.floor(i / inputs)] === 0 ? Number.NaN : value,
  );
  if (options.bad) x[0] = Number.NaN;
  const targets = Int32Array.from(random(seed + 1, rows), value =>
    Math.floor(Math.abs(value) * 0.999 * outputs),
  );
  const gradients = {
    dx: place(new Float32Array(rows * inputs)),
    dWeight: place(new Float32Array(outputs * inputs)),
    dBias: place(new Float32Array(outputs)),
  };
  const loss = provider.denseCrossEntropy({
    rows,
    inputs,
    outputs,
    x: place(x),
    weight: place(random(seed + 3, outputs * inputs, 2 / Math.sqrt(inputs))),
    bias: options.bias ? place(random(seed + 4, outputs)) : null,
    targets: { data: targets, offset: 0 },
    weights: weights && place(weights),
    labelSmoothing: options.smooth ? 0.1 : 0,
    ...gradients,
  });
  const made: Record<string, Float32Array> = { loss: Float32Array.of(loss) };
  for (const [name, { data }] of Object.entries(gradients)) {
    made[name] = data.slice(1, -2);
    assert.ok([data[0], data.at(-1), data.at(-2)].every(Number.isNaN), `${name}: written beside it`);
  }
  return made;
}

function runRest(
  provider: Provider,
  rows: number,
  classes: number,
  weighted: boolean,
  labelSmoothing: number,
  seed: number,
): Record<string, Float32Array> {
  const whole = (data: Float32Array): Slice => ({ data, offset: 0 });
  const count = rows * classes;
  const targets = Int32Array.from(random(seed + 1, rows), value =>
    Math.floor(Math.abs(value) * 0.999 * classes),
  );
  const dLogits = new Float32Array(count);
  const loss = provider.softmaxCrossEntropy({
    rows,
    classes,
    logits: whole(random(seed, count, 20)),
    targets: { data: targets, offset: 0 },
    weights: weighted ? whole(random(seed + 2, rows).map(value => Math.max(0, value))) : null,
    labelSmoothing,
    dLogits: whole(dLogits),
  });
  const out = new Float32Array(rows * 13);
  const ids = { data: targets, offset: 0 };
  provider.embedding({ rows, width: 13, ids, table: whole(random(seed + 3, classes * 13)), out: whole(out) });
  const dTable = random(seed + 4, classes * 13);
  const dOut = whole(random(seed + 5, rows * 13));
  provider.embeddingBackward({ rows, width: 13, ids, dOut, dTable: whole(dTable) });
  const sums = new Float32Array(classes);
  provider.columnSums(rows, classes, whole(random(seed, count)), whole(sums));
  const common = { count, gradient: whole(random(seed + 6, count)), learningRate: 0.01 };
  const start = () => random(seed + 7, count);
  const positive = () => random(seed + 8, count).map(Math.abs);
  const [adam, sgd, rms] = [start(), start(), start()];
  const [first, second, momentum, square] = [start(), positive(), start(), positive()];
  const afterAdam = provider.adamStep({
    ...common,
    parameter: whole(adam),
    firstMoment: whole(first),
    secondMoment: whole(second),
    step: 3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.1,
  });
  const afterSgd = provider.sgdStep({
    ...common,
    parameter: whole(sgd),
    momentumBuffer: whole(momentum),
    momentum: 0.9,
    nesterov: seed % 2 === 0,
  });
  const afterRmsprop = provider.rmspropStep({
    ...common,
    parameter: whole(rms),
    squareAverage: whole(square),
    momentumBuffer: null,
    decay: 0.9,
    momentum: 0,
    epsilon: 1e-3,
  });
  const scaled = start();
  provider.scale(count, whole(scaled), 0.37);
  const squares = Float32Array.of(provider.sumOfSquares(count, whole(start())));
  const sizes = Float32Array.of(afterAdam, afterSgd, afterRmsprop);
  const all = { sizes, out, dTable, sums, adam, first, second, sgd, momentum, rms, square, scaled, squares };
  return { loss: Float32Array.of(loss), dLogits, ...all };
}
