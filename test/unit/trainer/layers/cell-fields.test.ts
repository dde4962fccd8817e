// What the fields of recurrent layers change in a cell, against PyTorch's autograd: outputs, last states, every gradient
// and the norms of the gradient at each step, by the engine's kernels and by the cell's own steps.
import assert from 'node:assert/strict';
import {
  add,
  mul,
  type Scalar,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  grads as tfGrads,
  tidy,
} from '@tensorflow/tfjs-core';
import { type Convention, experimentSchema, type RecurrentLayer } from '../../../../src/experiment/schema.ts';
import type { RecurrentReport } from '../../../../src/trainer/engine/kernels/recurrent.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { blocksOf, type Cell } from '../../../../src/trainer/layers/cell.ts';
import { makeCell } from '../../../../src/trainer/layers/cells.ts';
import {
  type RunnerOptions,
  type RunnerWeights,
  runSequence,
  runSteps,
} from '../../../../src/trainer/layers/recurrent.ts';
import type { SequenceMasks } from '../../../../src/trainer/layers/recurrent-masks.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { assertClose, type GoldenTensor, readGolden, SEED } from '../engine/golden.ts';

interface CellCase {
  name: string;
  layer: object;
  convention: Convention;
  lengths: number[] | null;
  reverse: boolean;
  zoneout: number | null;
  inputs: Record<string, GoldenTensor>;
  masks: Record<string, GoldenTensor>;
  results: Record<string, GoldenTensor>;
  given: Record<string, GoldenTensor>;
  gradients: Record<string, GoldenTensor>;
}

const tensorOf = ({ data, shape }: GoldenTensor) => tensor(data, shape, 'float32');

function layerOf(fields: object): RecurrentLayer {
  const { layers } = experimentSchema.parse({ data: { task: 'adding' }, model: { layers: [fields] } }).model;
  return layers[0] as RecurrentLayer;
}

function masksOf({ masks, zoneout }: CellCase): SequenceMasks | null {
  const at = <T extends Tensor>(name: string) => (masks[name] ? (tensorOf(masks[name]) as T) : null);
  if (Object.keys(masks).length === 0 && zoneout === null) return null;
  return {
    input: at<Tensor2D>('input'),
    recurrent: at<Tensor2D>('recurrent'),
    update: at<Tensor3D>('update'),
    zoneout:
      zoneout === null ? null : { rate: zoneout, h: at<Tensor3D>('zoneoutH'), c: at<Tensor3D>('zoneoutC') },
  };
}

function weightsOf(tensors: Record<string, Tensor>): RunnerWeights {
  const { weightIh, weightHh, biasIh, biasHh = null, weightHr = null, peephole = null } = tensors;
  const { normIh: input, normHh: hidden, normC: cellWeight, normCBias: cellBias } = tensors;
  const norms = input && hidden && { input, hidden, cellWeight, cellBias };
  return { weightIh, weightHh, biasIh, biasHh, weightHr, peephole, norms } as unknown as RunnerWeights;
}

function check(golden: CellCase, run: typeof runSteps): void {
  const cell = makeCell(layerOf(golden.layer), golden.convention);
  const names = Object.keys(golden.inputs);
  const found: Record<string, Float32Array> = {};
  const loss = (...inputs: Tensor[]) => {
    const tensors = Object.fromEntries(names.map((name, i) => [name, inputs[i]!]));
    const { x, h0, c0 } = tensors;
    const result = run(cell, x as Tensor3D, weightsOf(tensors), {
      lengths: golden.lengths && Int32Array.from(golden.lengths),
      state: null,
      initial: h0 ? ({ h: h0, ...(c0 ? { c: c0 } : {}) } as { h: Tensor2D; c?: Tensor2D }) : null,
      lastStates: true,
      reverse: golden.reverse,
      inputGradient: true,
      report: ({ hiddenGradNorm }) => {
        found['gradNorm'] = hiddenGradNorm.slice();
      },
      masks: masksOf(golden),
    });
    const results: Record<string, Tensor | undefined> = {
      y: result.y,
      hN: result.last!.h,
      cN: result.last!.c,
    };
    for (const name of Object.keys(golden.results))
      found[name] = Float32Array.from(results[name]!.dataSync() as Float32Array);
    return Object.entries(golden.given)
      .map(([name, given]) => sum(mul(results[name]!, tensorOf(given))))
      .reduce((total, one) => add(total, one)) as Scalar;
  };
  const gradients = tfGrads(loss)(names.map(name => tensorOf(golden.inputs[name]!)));
  names.forEach((name, i) => {
    assertClose(gradients[i]!.dataSync(), golden.gradients[name]!.data, `gradient of ${name}`, 2e-5);
  });
  for (const [name, { data }] of Object.entries(golden.results)) assertClose(found[name]!, data, name);
  if (golden.gradients['gradNorm'])
    assertClose(found['gradNorm']!, golden.gradients['gradNorm'].data, 'norms by step', 2e-5);
}

describe('fields of a recurrent layer', () => {
  after(() => startEngine('reference', null));
  const cases = readGolden<CellCase>('cells');

  for (const engine of ['reference', 'wasm', 'native'] as const)
    for (const golden of cases)
      it(`${golden.name}: ${engine}`, async () => {
        await startEngine(engine, 2);
        tidy(() => check(golden, runSequence));
      });

  for (const golden of cases)
    it(`${golden.name}: its own steps`, async () => {
      await startEngine('reference', null);
      tidy(() => check(golden, runSteps));
    });
});

describe('the kernel of cells with fields', () => {
  before(() => startEngine('native', 2));
  after(() => startEngine('reference', null));
  const random = randomStream(SEED, 'cells', 0);
  const numbers = (...shape: number[]) =>
    tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * 0.4),
      shape,
    );

  interface Found {
    report: RecurrentReport;
    arrays: Record<string, Float32Array>;
  }

  /** y, its last state, all gradients and the report of one layer. */
  function look(
    cell: Cell,
    inputs: Record<string, Tensor>,
    run: typeof runSteps,
    options: Partial<RunnerOptions>,
  ): Found {
    const names = Object.keys(inputs);
    let report: RecurrentReport | null = null;
    const arrays: Record<string, Float32Array> = {};
    const gradients = tfGrads((...given: Tensor[]) => {
      const tensors = Object.fromEntries(names.map((name, i) => [name, given[i]!]));
      const result = run(cell, tensors['x'] as Tensor3D, weightsOf(tensors), {
        lengths: null,
        state: null,
        inputGradient: true,
        report: told => {
          const copies = Object.entries(told).map(([name, rows]) => [name, rows.slice()]);
          report = Object.fromEntries(copies) as RecurrentReport;
        },
        ...options,
      });
      arrays['y'] = Float32Array.from(result.y.dataSync() as Float32Array);
      arrays['hN'] = result.state.h;
      const factors = Float32Array.from({ length: result.y.size }, (_, i) => Math.sin(1 + i));
      return sum(mul(result.y, tensor(factors, result.y.shape))) as Scalar;
    })(names.map(name => inputs[name]!));
    names.forEach((name, i) => {
      arrays[`gradient of ${name}`] = Float32Array.from(gradients[i]!.dataSync() as Float32Array);
    });
    return { report: report!, arrays };
  }

  function drawn(cell: Cell, batch: number, seqLen: number, units: number): Record<string, Tensor> {
    const rows = blocksOf(cell) * units;
    return {
      x: numbers(seqLen, batch, 3),
      weightIh: numbers(rows, 3),
      weightHh: numbers(rows, units),
      biasIh: numbers(rows),
      biasHh: numbers(rows),
    };
  }

  for (const lengths of [null, Int32Array.of(7, 2, 0, 5, 6)])
    for (const type of ['lstm', 'gru', 'rnn'])
      it(`that change nothing is the plain kernel, with its report: ${type}, lengths ${lengths}`, () => {
        tidy(() => {
          const cell = makeCell(layerOf({ type, units: 20 }), 'pytorch');
          const inputs = drawn(cell, 5, 7, 20);
          const plain = look(cell, inputs, runSequence, { lengths });
          const ones = tensor(new Float32Array(7 * 5 * 20).fill(1), [7, 5, 20]) as Tensor3D;
          const masks = { input: null, recurrent: null, update: ones, zoneout: null };
          const changed = look(cell, inputs, runSequence, { lengths, masks });
          for (const [name, values] of Object.entries(plain.arrays))
            assertClose(changed.arrays[name]!, values, name);
          assert.deepEqual(Object.keys(changed.report).sort(), Object.keys(plain.report).sort());
          for (const [name, rows] of Object.entries(plain.report))
            assertClose(changed.report[name as keyof RecurrentReport]!, rows, name);
        });
      });

  for (const units of [1, 16, 37, 70])
    it(`is its own steps at ${units} units`, () => {
      tidy(() => {
        const cell = makeCell(layerOf({ type: 'lstm', units }), 'pytorch');
        const inputs = {
          ...drawn(cell, 4, 6, units),
          peephole: numbers(3 * units),
          normIh: numbers(4 * units),
          normHh: numbers(4 * units),
          normC: numbers(units),
          normCBias: numbers(units),
        };
        const half = (...shape: number[]) =>
          tensor(
            Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * random.int(2)),
            shape,
          );
        const masks: SequenceMasks = {
          input: half(4, 3) as Tensor2D,
          recurrent: half(4, units) as Tensor2D,
          update: half(6, 4, units) as Tensor3D,
          zoneout: { rate: 0.5, h: half(6, 4, units) as Tensor3D, c: half(6, 4, units) as Tensor3D },
        };
        const options = { masks, lengths: Int32Array.of(3, 6, 1, 6), reverse: true };
        const [kernel, steps] = [runSequence, runSteps].map(run => look(cell, inputs, run, options));
        for (const [name, values] of Object.entries(steps!.arrays))
          assertClose(kernel!.arrays[name]!, values, name, 2e-5);
        assertClose(kernel!.report.hiddenGradNorm, steps!.report.hiddenGradNorm, 'norms', 2e-5);
      });
    });

  // sizes at which threads share out the sequences, or the units of all of them; at 16, 128 and 256 rows stand in place
  for (const [units, batch, lengths] of [
    [16, 4, null],
    [37, 4, [3, 6, 1, 6]],
    [70, 5, null],
    [128, 1, null],
    [200, 3, [6, 2, 0]],
    [256, 3, null],
  ] as const)
    for (const expected of [false, true])
      it(`or that of a plain LSTM is its own steps: ${units} units, ${batch} sequences, ${expected ? 'expected zoneout' : 'masks'}`, () => {
        tidy(() => {
          const cell = makeCell(layerOf({ type: 'lstm', units }), 'pytorch');
          const inputs = { ...drawn(cell, batch, 6, units), peephole: numbers(3 * units) };
          const half = () =>
            tensor(
              Float32Array.from({ length: 6 * batch * units }, () => 2 * random.int(2)),
              [6, batch, units],
            ) as Tensor3D;
          const masks: SequenceMasks = {
            input: null,
            recurrent: null,
            update: expected ? null : half(),
            zoneout: { rate: 0.3, h: expected ? null : half(), c: expected ? null : half() },
          };
          const state = () => numbers(batch, units).dataSync() as Float32Array;
          for (const reverse of [false, true]) {
            const options = {
              masks,
              lengths: lengths && Int32Array.from(lengths),
              reverse,
              state: { h: state(), c: state() },
            };
            const [kernel, steps] = [runSequence, runSteps].map(run => look(cell, inputs, run, options));
            for (const [name, values] of Object.entries(steps!.arrays))
              assertClose(kernel!.arrays[name]!, values, name, 2e-5);
            assertClose(kernel!.report.hiddenGradNorm, steps!.report.hiddenGradNorm, 'norms', 2e-5);
          }
        });
      });
});
