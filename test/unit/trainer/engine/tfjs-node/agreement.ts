// tfjs-node against the reference within 1e-4: recurrent layers of random shapes with all that they report, and whole
// models of common sizes. Run by suite.test.ts in a process of its own.
import assert from 'node:assert/strict';
import { grads, memory, mul, type Scalar, sum, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { type RecurrentReport, recurrent } from '../../../../../src/trainer/engine/kernels/recurrent.ts';
import { GATES, gateBlocks, type RecurrentCell } from '../../../../../src/trainer/engine/provider.ts';
import { startEngine } from '../../../../../src/trainer/engine/start.ts';
import { assertClose, SEED } from '../golden.ts';

const TOLERANCE = 1e-4;
const cells = Object.keys(GATES) as RecurrentCell[];

interface Case {
  cell: RecurrentCell;
  seqLen: number;
  batch: number;
  inputSize: number;
  hiddenSize: number;
  lengths: Int32Array | null;
  reverse: boolean;
  biases: { ih: boolean; hh: boolean };
  states: boolean;
  seed: number;
}

function wave(shape: number[], salt: number, scale: number): Tensor {
  const size = shape.reduce((product, width) => product * width, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => scale * Math.sin(salt + i * 1.7)),
    shape,
  );
}

/** Everything that comes out of a layer, by name. */
function results(given: Case): Map<string, Float32Array> {
  const { cell, seqLen, batch, inputSize, hiddenSize, lengths, reverse, biases, states, seed } = given;
  const width = gateBlocks(cell) * hiddenSize;
  const out = new Map<string, Float32Array>();
  const put = (name: string, values: ArrayLike<number>) => out.set(name, Float32Array.from(values));
  tidy(() => {
    const inputs: Record<string, Tensor> = {
      x: wave([seqLen, batch, inputSize], seed, 1),
      weightIh: wave([width, inputSize], seed + 1, 1 / Math.sqrt(inputSize)),
      weightHh: wave([width, hiddenSize], seed + 2, 1 / Math.sqrt(hiddenSize)),
      ...(biases.ih && { biasIh: wave([width], seed + 3, 0.5) }),
      ...(biases.hh && { biasHh: wave([width], seed + 4, 0.5) }),
      ...(states && { h0: wave([batch, hiddenSize], seed + 5, 0.8) }),
      ...(states && cell === 'lstm' && { c0: wave([batch, hiddenSize], seed + 6, 1) }),
    };
    const names = Object.keys(inputs);
    const slope = wave([seqLen, batch, hiddenSize], seed + 7, 1);
    const seen: RecurrentReport[] = [];
    const loss = (...operands: Tensor[]): Scalar => {
      const named = Object.fromEntries(names.map((name, at) => [name, operands[at]!]));
      const made = recurrent(named as unknown as Parameters<typeof recurrent>[0], {
        cell,
        reverse,
        lengths,
        onReport: report => seen.push(report),
      });
      put('y', made.y.dataSync());
      put('hN', made.hN);
      if (made.cN) put('cN', made.cN);
      return sum(mul(made.y, slope));
    };
    const gradients = grads(loss)(Object.values(inputs));
    for (const [at, name] of names.entries()) put(`gradient of ${name}`, gradients[at]!.dataSync());
    assert.equal(seen.length, 1);
    for (const [name, values] of Object.entries(seen[0]!)) put(name, values);
  });
  return out;
}

async function compare(given: Case): Promise<void> {
  await startEngine('reference', null);
  const expected = results(given);
  await startEngine('tfjs-node', 2);
  const before = memory().numTensors;
  const actual = results(given);
  assert.equal(memory().numTensors, before, 'tensors left behind');
  assert.deepEqual([...actual.keys()], [...expected.keys()]);
  // saturation counts units beyond a threshold: two at the very border may fall to either side
  const border = 2 / (given.batch * given.hiddenSize);
  for (const [name, values] of expected)
    assertClose(actual.get(name)!, values, name, name === 'gateSaturation' ? border : TOLERANCE);
}

const anyCase: fc.Arbitrary<Case> = fc
  .record({
    cell: fc.constantFrom(...cells),
    seqLen: fc.integer({ min: 1, max: 9 }),
    batch: fc.integer({ min: 1, max: 5 }),
    inputSize: fc.integer({ min: 1, max: 9 }),
    hiddenSize: fc.integer({ min: 1, max: 11 }),
    uneven: fc.boolean(),
    reverse: fc.boolean(),
    biases: fc.record({ ih: fc.boolean(), hh: fc.boolean() }),
    states: fc.boolean(),
    seed: fc.nat(10_000),
  })
  .chain(({ uneven, ...rest }) => {
    const some = fc.array(fc.nat(rest.seqLen), { minLength: rest.batch, maxLength: rest.batch });
    return (uneven ? some : fc.constant(null)).map(lengths => ({
      ...rest,
      lengths: lengths && Int32Array.from(lengths),
    }));
  });

describe('tfjs-node agrees with the reference', () => {
  it('on recurrent layers of random shapes: outputs, states, every gradient, every report', async () => {
    await fc.assert(fc.asyncProperty(anyCase, compare), { seed: SEED, numRuns: 300 });
  });

  for (const cell of cells)
    it(`on a ${cell} layer of 128 units over 64 steps`, () =>
      compare({
        cell,
        seqLen: 64,
        batch: 32,
        inputSize: 64,
        hiddenSize: 128,
        lengths: null,
        reverse: false,
        biases: { ih: true, hh: true },
        states: true,
        seed: 3,
      }));

  it('what stands beyond a sequence is not read', async () => {
    await startEngine('tfjs-node', 2);
    for (const cell of cells) {
      const values = Float32Array.of(0.1, 0.2, 0.4, Number.NaN, Number.POSITIVE_INFINITY, Number.NaN);
      const width = gateBlocks(cell) * 2;
      tidy(() => {
        const loss = (x: Tensor, weightIh: Tensor, weightHh: Tensor): Scalar =>
          sum(recurrent({ x: x as never, weightIh, weightHh }, { cell, lengths: Int32Array.of(2, 1) }).y);
        const operands = [tensor(values, [3, 2, 1]), wave([width, 1], 1, 1), wave([width, 2], 2, 1)];
        for (const gradient of grads(loss as (...x: Tensor[]) => Scalar)(operands))
          assert.ok(gradient.dataSync().every(Number.isFinite), `${cell}: ${gradient.dataSync()}`);
      });
    }
  });
});
