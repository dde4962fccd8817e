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
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { makeCell } from '../../../../src/trainer/layers/cells.ts';
import type { SequenceMasks } from '../../../../src/trainer/layers/masks.ts';
import { type RunnerWeights, runSequence, runSteps } from '../../../../src/trainer/layers/recurrent.ts';
import { assertClose, type GoldenTensor, readGolden } from '../engine/golden.ts';

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

  it('are proved where they say so', () => {
    assert.ok(cases.length >= 21);
  });
});
