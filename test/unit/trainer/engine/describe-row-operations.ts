// The part of describeProvider about formulas, norms of rows and short convolutions: formulas against float64 arithmetic, the
// others against the reference at random shapes. What a provider leaves to the reference is skipped.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Expression, f, formula } from '../../../../src/trainer/engine/formula.ts';
import type { Provider, SequenceOperations, Slice } from '../../../../src/trainer/engine/provider.ts';
import { referenceOperations } from '../../../../src/trainer/engine/reference/sequence-operations.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { assertClose, deep, SEED } from './golden.ts';
import { Memory, read } from './memory.ts';

const logistic = (x: number) => 1 / (1 + Math.exp(-x));

/** Each verb on x and y, and the same in float64. */
const VERBS: Record<
  string,
  [(x: Expression, y: Expression) => Expression, (x: number, y: number) => number]
> = {
  affine: [x => f.affine(x, 3, -0.5), x => 3 * x - 0.5],
  add: [(x, y) => f.add(x, y), (x, y) => x + y],
  sub: [(x, y) => f.sub(x, y), (x, y) => x - y],
  mul: [(x, y) => f.mul(x, y), (x, y) => x * y],
  div: [(x, y) => f.div(x, f.add(f.mul(y, y), 0.3)), (x, y) => x / (y * y + 0.3)],
  exp: [x => f.exp(x), x => Math.exp(x)],
  sigmoid: [x => f.sigmoid(x), logistic],
  tanh: [x => f.tanh(x), x => Math.tanh(x)],
  softplus: [x => f.softplus(x), x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))],
  sqrt: [x => f.sqrt(f.mul(x, x)), x => Math.abs(x)],
  relu: [x => f.relu(x), x => Math.max(x, 0)],
  'at most': [x => f.atMost(x, 0.4), x => Math.min(x, 0.4)],
  step: [x => f.step(x), x => (x < 0 ? 0 : 1)],
};

export function describeRowOperations(name: string, provided: () => Provider): void {
  const own = (...names: (keyof SequenceOperations)[]) =>
    names.every(each => provided()[each])
      ? (Object.fromEntries(
          names.map(each => [each, provided()[each]!.bind(provided())]),
        ) as unknown as SequenceOperations)
      : null;

  describe('formulas', () => {
    for (const [verb, [make, expected]] of Object.entries(VERBS))
      it(`${verb}: of numbers and of rows, at every length`, function () {
        const operations = own('formula');
        if (!operations) return this.skip();
        for (const [count, width] of [
          [1, 1],
          [35, 5],
          [257, 257],
          [780, 130],
          [40_000, 3],
        ] as const) {
          const memory = new Memory(provided());
          const random = randomStream(SEED, 'formula', count);
          const drawn = (size: number) => Float32Array.from({ length: size }, () => 2 * random.normal());
          const [x, y] = [drawn(count), drawn(width)];
          const out = memory.slot(count);
          operations.formula({
            program: formula(2, (x, y) => [make(x, y)]).forward,
            count,
            width,
            inputs: [
              { slice: memory.slot(count, x), row: false },
              { slice: memory.slot(width, y), row: true },
            ],
            outputs: [out],
          });
          const wanted = Array.from(x, (value, i) => expected(value, y[i % width]!));
          assertClose(read(out, count), wanted, verb, 1e-6);
          memory.check();
        }
      });

    it('softplus of very negative numbers keeps its relative precision', function () {
      const operations = own('formula');
      if (!operations) return this.skip();
      const memory = new Memory(provided());
      const x = [-80, -40, -20, -12, -6, -3];
      const [from, out] = [memory.slot(6, x), memory.slot(6)];
      const program = formula(1, x => [f.softplus(x)]).forward;
      operations.formula({
        program,
        count: 6,
        width: 1,
        inputs: [{ slice: from, row: false }],
        outputs: [out],
      });
      read(out, 6).forEach((value, i) => {
        const exact = Math.log1p(Math.exp(x[i]!));
        assert.ok(Math.abs(value / exact - 1) < 1e-6, `softplus(${x[i]}) = ${value}`);
      });
      memory.check();
    });

    it('NaN passes every verb but the step', function () {
      const operations = own('formula');
      if (!operations) return this.skip();
      for (const [verb, [make]] of Object.entries(VERBS)) {
        if (verb === 'step') continue;
        const memory = new Memory(provided());
        const [x, y, out] = [memory.slot(2, [Number.NaN, 1]), memory.slot(2, [1, 1]), memory.slot(2)];
        const inputs = [x, y].map(slice => ({ slice, row: false }));
        const program = formula(2, (x, y) => [make(x, y)]).forward;
        operations.formula({ program, count: 2, width: 2, inputs, outputs: [out] });
        assert.deepEqual(Array.from(read(out, 2), Number.isNaN), [true, false], verb);
        memory.check();
      }
    });
  });

  if (name === 'reference') return;
  describe('norms of rows and short convolutions against the reference, on random shapes', () => {
    const size = (max: number) => fc.integer({ min: 1, max });
    const alike = (
      operations: SequenceOperations,
      call: (
        operations: SequenceOperations,
        slot: (size: number) => Slice,
        given: (...sizes: number[]) => Slice[],
      ) => void,
      seed: number,
    ) => {
      const results = [operations, referenceOperations].map(each => {
        const memory = new Memory(provided());
        const random = randomStream(seed, 'rows', 0);
        const made: [Slice, number][] = [];
        const slot = (count: number) => {
          const place = memory.slot(count);
          made.push([place, count]);
          return place;
        };
        const given = (...sizes: number[]) =>
          sizes.map(count =>
            memory.slot(
              count,
              Array.from({ length: count }, () => random.normal()),
            ),
          );
        call(each, slot, given);
        const values = made.map(([place, count]) => read(place, count));
        memory.check();
        return values;
      });
      results[0]!.forEach((values, i) => {
        assertClose(values, results[1]![i]!, `result ${i}`, 2e-5, 0.1);
      });
    };

    it('norms of rows', function () {
      const operations = own('rowNorm', 'rowNormBackward');
      if (!operations) return this.skip();
      const shapes = fc.record({
        rows: size(300),
        width: size(140),
        weighted: fc.boolean(),
        mean: fc.boolean(),
      });
      const property = fc.property(shapes, fc.nat(), ({ rows, width, weighted, mean }, seed) => {
        alike(
          operations,
          (operations, slot, given) => {
            const [x, dy, weights] = given(rows * width, rows * width, width);
            const [y, inverse, dx, dWeight] = [rows * width, rows, rows * width, width].map(slot);
            const weight = weighted ? weights! : null;
            const shape = {
              rows,
              width,
              share: mean ? 1 / width : 1,
              epsilon: 1e-5,
              x: x!,
              weight,
              inverse: inverse!,
            };
            operations.rowNorm({ ...shape, y: y! });
            operations.rowNormBackward({ ...shape, dy: dy!, dx: dx!, dWeight: dWeight! });
          },
          seed,
        );
      });
      fc.assert(property, { seed: SEED, numRuns: deep(12) });
    });

    it('short convolutions', function () {
      const operations = own('shortConvolution', 'shortConvolutionBackward');
      if (!operations) return this.skip();
      const shapes = fc.record({
        seqLen: size(40),
        batch: size(4),
        width: size(70),
        kernelSize: fc.integer({ min: 2, max: 6 }),
        silu: fc.boolean(),
      });
      const property = fc.property(shapes, fc.nat(), (shape, seed) => {
        const { seqLen, batch, width, kernelSize } = shape;
        const numbers = seqLen * batch * width;
        alike(
          operations,
          (operations, slot, given) => {
            const earlier = (kernelSize - 1) * batch * width;
            const [x, before, weight, bias, dy] = given(numbers, earlier, width * kernelSize, width, numbers);
            const call = { ...shape, x: x!, before: before!, weight: weight!, bias: bias! };
            operations.shortConvolution({ ...call, y: slot(numbers) });
            const [dx, dWeight, dBias] = [numbers, width * kernelSize, width].map(slot);
            operations.shortConvolutionBackward({
              ...call,
              dy: dy!,
              dx: dx!,
              dWeight: dWeight!,
              dBias: dBias!,
            });
          },
          seed,
        );
      });
      fc.assert(property, { seed: SEED, numRuns: deep(12) });
    });

    it('state spaces of channels', function () {
      const operations = own('channelStatesKept', 'channelStates', 'channelStatesBackward');
      if (!operations) return this.skip();
      const shapes = fc.record({
        seqLen: size(50),
        batch: size(3),
        width: size(40),
        states: size(9),
        ragged: fc.boolean(),
        start: fc.boolean(),
      });
      const property = fc.property(shapes, fc.nat(), ({ ragged, start, ...shape }, seed) => {
        const { seqLen, batch, width, states } = shape;
        const [numbers, numbersOfStates] = [seqLen * batch * width, 2 * width * states];
        const ofLengths = Int32Array.from({ length: batch }, (_, b) => (seqLen + 7 * b) % (seqLen + 1));
        const lengths = ragged ? { data: ofLengths, offset: 0 } : null;
        alike(
          operations,
          (operations, slot, given) => {
            const [u, dy, a, c, h0] = given(
              numbers,
              numbers,
              numbersOfStates,
              numbersOfStates,
              batch * numbersOfStates,
            );
            // |a| < 1
            for (let i = 0; i < numbersOfStates; i++)
              a!.data[a!.offset + i] = 0.65 * Math.tanh(a!.data[a!.offset + i]!);
            const kept = { data: provided().allocate(operations.channelStatesKept(shape)), offset: 0 };
            const call = { ...shape, u: u!, a: a!, c: c!, lengths, kept };
            const [y, hN] = [slot(numbers), slot(batch * numbersOfStates)];
            operations.channelStates({ ...call, h0: start ? h0! : null, y, hN });
            const [du, da, dc] = [numbers, numbersOfStates, numbersOfStates].map(slot);
            operations.channelStatesBackward({
              ...call,
              dy: dy!,
              du: du!,
              da: da!,
              dc: dc!,
              gradNorm: slot(seqLen),
            });
          },
          seed,
        );
      });
      fc.assert(property, { seed: SEED, numRuns: deep(12) });
    });
  });
}
