// The last states of a recurrent layer as tensors: an encoder learns through the states that a decoder starts in, as in
// PyTorch, fused on every engine and step by step.
import assert from 'node:assert/strict';
import {
  add,
  mul,
  type Scalar,
  sum,
  type Tensor,
  type Tensor3D,
  tensor,
  tidy,
  type Variable,
  variable,
} from '@tensorflow/tfjs-core';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import type { EngineName } from '../../../../src/runs/format.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { recurrent } from '../../../../src/trainer/engine/kernels/recurrent.ts';
import type { RecurrentCell } from '../../../../src/trainer/engine/provider.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import type { Cell } from '../../../../src/trainer/layers/cell.ts';
import { makeCell } from '../../../../src/trainer/layers/cells.ts';
import { type RunnerWeights, runSteps } from '../../../../src/trainer/layers/recurrent.ts';
import { assertClose, type GoldenTensor, readGolden } from './golden.ts';

interface StatesCase {
  name: string;
  cell: Exclude<RecurrentCell, 'gru-reset-before'>;
  lengths: number[] | null;
  throughOutputs: boolean;
  inputs: Record<string, GoldenTensor>;
  hN: GoldenTensor;
  cN?: GoldenTensor;
  y: GoldenTensor;
  dy: GoldenTensor;
  dyEncoder: GoldenTensor;
  gradients: Record<string, GoldenTensor>;
}

type Run = (
  golden: StatesCase,
  x: Tensor3D,
  weights: Record<string, Tensor>,
  start: { h: Tensor; c?: Tensor },
  lengths: Int32Array | null,
) => { y: Tensor3D; h: Tensor; c?: Tensor };

const fused: Run = ({ cell }, x, weights, { h, c }, lengths) => {
  const { weightIh, weightHh, biasIh, biasHh } = weights as Record<string, Tensor> & {
    weightIh: Tensor;
    weightHh: Tensor;
  };
  const { y, hN, cN, last } = recurrent(
    { x, weightIh, weightHh, biasIh, biasHh, h0: h, c0: c },
    { cell, lengths, lastStates: true },
  );
  assert.deepEqual([...last!.h.dataSync()], [...hN], 'the copy handed over and the tensor');
  assert.equal(last!.c === null, cN === null);
  return { y, h: last!.h, c: last!.c ?? undefined };
};

const stepwise: Run = ({ cell }, x, weights, { h, c }, lengths) => {
  const options = {
    lengths,
    state: null,
    initial: { h, c } as Parameters<typeof runSteps>[3]['initial'],
    lastStates: true,
    inputGradient: true,
  };
  const { y, last } = runSteps(stepsOf(cell), x, weights as unknown as RunnerWeights, options);
  return { y, h: last!.h, c: last!.c };
};

function stepsOf(cell: StatesCase['cell']): Cell {
  const kind = cell.startsWith('rnn') ? 'rnn' : cell === 'lstm' ? 'lstm' : 'gru';
  const activation = cell === 'rnn-relu' ? { activation: 'relu' } : {};
  const layers = [{ type: kind, units: 1, ...activation }];
  const [layer] = experimentSchema.parse({ data: { task: 'adding' }, model: { layers } }).model.layers;
  assert.ok(layer && 'recurrentInit' in layer);
  return makeCell(layer, 'pytorch');
}

const tensorOf = ({ shape, data }: GoldenTensor) => tensor(data, shape);

function checkCase(golden: StatesCase, run: Run): void {
  const names = Object.keys(golden.inputs);
  const variables = names.map(name => variable(tensorOf(golden.inputs[name]!)));
  const of = (name: string) => variables[names.indexOf(name)]!;
  const weights = (prefix: string) =>
    Object.fromEntries(
      names.filter(name => name.startsWith(prefix)).map(name => [name.slice(prefix.length), of(name)]),
    );
  const lengths = golden.lengths && Int32Array.from(golden.lengths);
  const seen: Record<string, Float32Array> = {};
  const { gradients } = gradientsOf(() => {
    const start = { h: of('h0') as Tensor, c: names.includes('c0') ? (of('c0') as Tensor) : undefined };
    const source = of('source') as unknown as Tensor3D;
    const encoded = run(golden, source, weights('encoder.'), start, lengths);
    const target = of('target') as unknown as Tensor3D;
    const { y } = run(golden, target, weights('decoder.'), { h: encoded.h, c: encoded.c }, null);
    Object.assign(seen, { y: y.dataSync(), hN: encoded.h.dataSync() });
    if (encoded.c) seen.cN = encoded.c.dataSync() as Float32Array;
    const loss = sum(mul(y, tensorOf(golden.dy)));
    if (!golden.throughOutputs) return loss as Scalar;
    return add(loss, sum(mul(encoded.y, tensorOf(golden.dyEncoder)))) as Scalar;
  }, variables as Variable[]);
  for (const what of ['y', 'hN', 'cN'] as const) {
    assert.equal(what in seen, what in golden, what);
    if (seen[what]) assertClose(seen[what], golden[what]!.data, what);
  }
  for (const [i, name] of names.entries())
    assertClose(gradients[i]!.dataSync(), golden.gradients[name]!.data, name);
}

describe('the last states of a recurrent layer, through which an encoder learns', () => {
  const engines: [EngineName, number, string, Run][] = [
    ['reference', 1, 'fused', fused],
    ['reference', 1, 'step by step', stepwise],
    ['native', 2, 'fused', fused],
    ['wasm', 2, 'fused', fused],
  ];
  for (const [engine, threads, how, run] of engines)
    describe(`${engine}, ${how}`, () => {
      before(async () => {
        await startEngine(engine, threads);
      });
      after(async () => {
        await startEngine('reference', null);
      });
      for (const golden of readGolden<StatesCase>('states'))
        it(golden.name, () => tidy(() => checkCase(golden, run)));
    });
});
