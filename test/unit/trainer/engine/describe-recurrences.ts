// The part of describeProvider about linear recurrences: golden values of naive PyTorch loops, and random shapes against
// the reference. A provider's missing operations are skipped.
import fc from 'fast-check';
import type { Provider } from '../../../../src/trainer/engine/provider.ts';
import type { MemoryUpdate, RecurrenceOperations } from '../../../../src/trainer/engine/recurrences.ts';
import { referenceOperations } from '../../../../src/trainer/engine/reference/sequence-operations.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { assertClose, deep, type GoldenTensor, readGolden, SEED } from './golden.ts';
import { Memory } from './memory.ts';
import { type GoldenRecurrence, type RecurrenceCase, runRecurrence } from './recurrence-cases.ts';

/** Gradients of about 1 that cancel leave rounding. */
const CANCELLED = 0.1;

const needs: Record<RecurrenceCase['operation'], (keyof RecurrenceOperations)[]> = {
  scan: ['scan', 'scanBackward'],
  selective: ['selectiveScan', 'selectiveScanBackward'],
  memory: ['matrixMemory', 'matrixMemoryBackward'],
};

export function describeRecurrences(name: string, provided: () => Provider): void {
  const operationsOf = (operation: RecurrenceCase['operation']): RecurrenceOperations | null => {
    const provider = provided();
    const own = needs[operation].map(each => [each, provider[each]?.bind(provider)] as const);
    return own.every(([, run]) => run) ? (Object.fromEntries(own) as unknown as RecurrenceOperations) : null;
  };

  describe('linear recurrences against PyTorch', () => {
    for (const golden of readGolden<GoldenRecurrence>('recurrences')) {
      // exponential gates become plain ones before a provider sees them
      if (golden.operation === 'memory' && golden.exponential) continue;
      it(`${golden.operation}: ${golden.name}`, function () {
        const operations = operationsOf(golden.operation);
        if (!operations) return this.skip();
        const expected = { ...golden.results, ...golden.gradients };
        for (const chunk of [3, 64]) {
          const memory = new Memory(provided());
          const ours = runRecurrence(operations, golden, memory, chunk);
          for (const [what, values] of Object.entries(ours)) assertClose(values, expected[what]!.data, what);
          memory.check();
        }
      });
    }
  });

  if (name === 'reference') return;
  describe('linear recurrences against the reference, on random shapes', () => {
    const check = <Shape extends Drawn>(
      operation: RecurrenceCase['operation'],
      shapes: fc.Arbitrary<Shape>,
      make: (shape: Shape, draw: Draw) => object,
      numRuns = deep(12),
      what = '',
    ) =>
      it(`${operation} ${what}`, function () {
        const operations = operationsOf(operation);
        if (!operations) return this.skip();
        const property = fc.property(
          shapes,
          fc.nat(),
          fc.integer({ min: 1, max: 40 }),
          (shape, seed, chunk) => {
            const random = randomStream(seed, 'recurrences', 0);
            const draw: Draw = (dimensions, map = each => each) => ({
              shape: dimensions,
              data: Array.from({ length: dimensions.reduce((a, b) => a * b, 1) }, () =>
                Math.fround(map(random.normal())),
              ),
            });
            const lengths = shape.ragged
              ? Array.from({ length: shape.batch }, (_, b) => (shape.seqLen + b * 7) % (shape.seqLen + 1))
              : null;
            const one = {
              ...make(shape, draw),
              operation,
              lengths,
              reverse: shape.reverse,
            } as RecurrenceCase;
            const memory = new Memory(provided());
            const ours = runRecurrence(operations, one, memory, chunk);
            const expected = runRecurrence(referenceOperations, one, memory, chunk);
            for (const [what, values] of Object.entries(expected))
              assertClose(ours[what]!, values, what, 2e-5, CANCELLED);
            memory.check();
          },
        );
        fc.assert(property, { seed: SEED, numRuns });
      });

    const size = (max: number) => fc.integer({ min: 1, max });
    const drawn = { seqLen: size(50), batch: size(5), ragged: fc.boolean(), reverse: fc.boolean() };
    check(
      'scan',
      fc.record({
        ...drawn,
        width: size(90),
        complex: fc.boolean(),
        constant: fc.boolean(),
        start: fc.boolean(),
      }),
      ({ seqLen, batch, width, complex, constant, start }, draw) => {
        const row = complex ? 2 * width : width;
        const whole = [seqLen, batch, row];
        return {
          ...{ complex, constant },
          inputs: {
            a: draw(constant ? [row] : whole, each => Math.tanh(each) * 0.9),
            b: draw(whole),
            h0: start ? draw([batch, row]) : undefined,
          },
          given: { h: draw(whole), hN: start ? draw([batch, row]) : undefined },
        };
      },
      100,
    );
    check(
      'selective',
      fc.record({ ...drawn, width: size(40), states: size(20), start: fc.boolean() }),
      ({ seqLen, batch, width, states, start }, draw) => {
        const [ofChannels, ofStates] = [
          [seqLen, batch, width],
          [seqLen, batch, states],
        ];
        const state = [batch, width, states];
        return {
          inputs: {
            x: draw(ofChannels),
            delta: draw(ofChannels, each => Math.abs(each) / 4),
            a: draw([width, states], each => -Math.abs(each) * 4),
            b: draw(ofStates),
            c: draw(ofStates),
            skip: start ? draw([width]) : undefined,
            h0: start ? draw(state) : undefined,
          },
          given: { y: draw(ofChannels), hN: start ? draw(state) : undefined },
        };
      },
    );
    const memories = fc
      .record({
        ...drawn,
        heads: size(3),
        keySize: size(40),
        valueSize: size(40),
        update: fc.constantFrom<MemoryUpdate>('add', 'delta', 'general'),
        decayOf: fc.constantFrom<'none' | 'head' | 'channel'>('none', 'head', 'channel'),
        reading: fc.constantFrom('plain', 'bonus', 'normalised', 'floor'),
        strength: fc.boolean(),
        start: fc.boolean(),
      })
      .map(shape => (shape.update === 'add' ? shape : { ...shape, reading: 'plain' }));
    type MemoryShape = typeof memories extends fc.Arbitrary<infer Shape> ? Shape : never;
    const memoryOf = (
      { seqLen, batch, heads, keySize, valueSize, update, decayOf, reading, strength, start }: MemoryShape,
      draw: Draw,
    ) => {
      const [ofKeys, ofHeads] = [
        [seqLen, batch, heads * keySize],
        [seqLen, batch, heads],
      ];
      const normalised = reading === 'normalised' || reading === 'floor';
      const state = [batch, heads, normalised ? valueSize + 1 : valueSize, keySize];
      // keys of length about 1, so that no memory grows without bound
      const scaled = (by: number) => (each: number) => (by * each) / Math.sqrt(keySize);
      const gate = (each: number) => 1 / (1 + Math.exp(-each));
      return {
        ...{ heads, keySize, valueSize, update, decayOf, normalised, exponential: false },
        floor: reading === 'floor' ? draw(ofHeads, each => Math.abs(each) + 0.1) : null,
        inputs: {
          q: draw(ofKeys, scaled(1)),
          k: draw(ofKeys, scaled(0.7)),
          v: draw([seqLen, batch, heads * valueSize]),
          decay: decayOf === 'none' ? undefined : draw(decayOf === 'head' ? ofHeads : ofKeys, gate),
          strength: strength ? draw(ofHeads, gate) : undefined,
          a: update === 'general' ? draw(ofKeys, scaled(0.4)) : undefined,
          b: update === 'general' ? draw(ofKeys, scaled(0.4)) : undefined,
          bonus: reading === 'bonus' ? draw([heads * keySize]) : undefined,
          s0: start ? draw(state) : undefined,
        },
        given: {
          o: draw([seqLen, batch, heads * valueSize]),
          sN: start ? draw(state) : undefined,
        },
      };
    };
    check('memory', memories, memoryOf);
    // those that go back in products of whole chunks
    check(
      'memory',
      fc
        .tuple(memories, fc.integer({ min: 72, max: 130 }), fc.integer({ min: 72, max: 130 }))
        .map(([shape, keySize, valueSize]) => ({
          ...shape,
          ...{ keySize, valueSize, update: 'add' as const, decayOf: 'head' as const },
          reading: shape.reading === 'bonus' ? 'normalised' : shape.reading,
        })),
      memoryOf,
      10,
      'of large states',
    );
  });
}

interface Drawn {
  seqLen: number;
  batch: number;
  ragged: boolean;
  reverse: boolean;
}

type Draw = (dimensions: number[], map?: (each: number) => number) => GoldenTensor;
