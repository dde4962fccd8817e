// Transformer-XL against an implementation in PyTorch that gathers the keys of each query one by one: two segments, the
// second of which learns nothing of the first though it sees it; and the same outputs however a sequence is cut.
import assert from 'node:assert/strict';
import {
  add,
  mul,
  type Scalar,
  sum,
  type Tensor,
  tensor,
  grads as tfGrads,
  tidy,
} from '@tensorflow/tfjs-core';
import { countModel } from '../../../../src/experiment/parameters.ts';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { Model, ModelSizes } from '../../../../src/trainer/layers/model.ts';
import type { State } from '../../../../src/trainer/layers/state.ts';
import { stepper } from '../../../../src/trainer/layers/stepper.ts';
import { assertClose, type GoldenTensor, readGolden } from '../engine/golden.ts';

interface XlCase {
  name: string;
  layers: ExperimentInput['model']['layers'];
  input: GoldenTensor;
  /** steps of the first segment */
  cut: number;
  dy: GoldenTensor;
  outputs: GoldenTensor;
  weights: Record<string, GoldenTensor>;
  gradients: Record<string, GoldenTensor>;
  inputGradient: GoldenTensor;
}

function experimentOf({ layers, input }: XlCase) {
  return experimentSchema.parse({ data: { task: 'adding', length: input.shape[0]! }, model: { layers } });
}

function sizesOf({ input, outputs }: XlCase): ModelSizes {
  return { input: { kind: 'vectors', features: input.shape[2]! }, outputs: outputs.shape[2]! };
}

function build(golden: XlCase): Model {
  const model = buildModel(experimentOf(golden), sizesOf(golden), 1);
  assert.deepEqual([...model.variables.keys()], Object.keys(golden.weights).sort());
  for (const [name, variable] of model.variables) {
    const fresh = tensor(golden.weights[name]!.data, golden.weights[name]!.shape);
    variable.assign(fresh);
    fresh.dispose();
  }
  return model;
}

/** Steps `from` … `to`-1. */
function steps({ shape, data }: GoldenTensor, from: number, to: number): Tensor {
  const [, B, D] = shape as [number, number, number];
  return tensor(data.slice(from * B * D, to * B * D), [to - from, B, D]);
}

function forward(model: Model, x: Tensor, state: State | null, lengths: Int32Array | null = null) {
  return model.forward(x, { training: true, step: 1, lengths, state, outputs: 'every-step' });
}

const GOLDEN = readGolden<XlCase>('transformer_xl');

for (const engine of ['reference', 'native'] as const)
  describe(`Transformer-XL against PyTorch (${engine})`, () => {
    before(() => startEngine(engine, 1));

    for (const golden of GOLDEN) {
      const [T] = golden.input.shape as [number];
      const { cut } = golden;

      it(`${golden.name}: two segments`, () => {
        const model = build(golden);
        const first = tidy(() => {
          const { outputs, state } = forward(model, steps(golden.input, 0, cut), null);
          return { outputs: Float32Array.from(outputs.dataSync()), state };
        });
        const { length } = first.outputs;
        assertClose(first.outputs, golden.outputs.data.slice(0, length), 'first segment', 1e-5);
        const second = () => forward(model, steps(golden.input, cut, T), first.state).outputs;
        const told = tidy(() => Float32Array.from(second().dataSync()));
        assertClose(told, golden.outputs.data.slice(length), 'second segment', 1e-5);
        const loss = () => sum(mul(second(), steps(golden.dy, cut, T))) as Scalar;
        const { gradients } = gradientsOf(loss, [...model.variables.values()]);
        for (const [place, name] of [...model.variables.keys()].entries())
          assertClose(gradients[place]!.dataSync(), golden.gradients[name]!.data, name, 1e-5);
        assert.equal(
          countModel(experimentOf(golden), sizesOf(golden)).total,
          [...model.variables.values()].reduce((total, { size }) => total + size, 0),
        );
        model.dispose();
      });

      it(`${golden.name}: no gradient goes to the first segment, though the second sees it`, () => {
        const model = build(golden);
        const loss = (...[x, y]: Tensor[]) => {
          const { outputs, state } = forward(model, x!, null);
          const other = forward(model, y!, state).outputs;
          return add(sum(mul(outputs, 0)), sum(mul(other, steps(golden.dy, cut, T)))) as Scalar;
        };
        const [ofFirst, ofSecond] = tfGrads(loss)([steps(golden.input, 0, cut), steps(golden.input, cut, T)]);
        assert.ok(ofFirst!.dataSync().every(value => value === 0));
        assertClose(
          ofSecond!.dataSync(),
          golden.inputGradient.data.slice(ofFirst!.size),
          'second segment',
          1e-5,
        );
        const moved = mul(steps(golden.input, 0, cut), -1);
        const secondOf = (x: Tensor) =>
          forward(model, steps(golden.input, cut, T), forward(model, x, null).state).outputs.dataSync();
        const [one, other] = [secondOf(steps(golden.input, 0, cut)), secondOf(moved)];
        assert.ok(one.some((value, i) => Math.abs(value - other[i]!) > 1e-3));
        model.dispose();
      });

      it(`${golden.name}: the same however it is cut, and step by step`, () => {
        const model = build(golden);
        const [, B, D] = golden.input.shape as [number, number, number];
        const O = golden.outputs.shape[2]!;
        for (const size of [1, 2, 3, 5, T]) {
          let state: State | null = null;
          const told: number[] = [];
          for (let t = 0; t < T; t += size) {
            const result = tidy(() => {
              const { outputs, state: after } = forward(
                model,
                steps(golden.input, t, Math.min(T, t + size)),
                state,
              );
              return { values: [...outputs.dataSync()], after };
            });
            told.push(...result.values);
            state = result.after;
          }
          assertClose(told, golden.outputs.data, `parts of ${size}`, 1e-5);
        }
        const walker = stepper(model, B);
        for (let t = 0; t < T; t++) {
          const row = Float32Array.from(golden.input.data.slice(t * B * D, (t + 1) * B * D));
          const wanted = golden.outputs.data.slice(t * B * O, (t + 1) * B * O);
          assertClose(walker.step(row), wanted, `step ${t}`, 1e-5);
        }
        model.dispose();
      });

      it(`${golden.name}: sequences that ended at different steps go on as each alone`, () => {
        const model = build(golden);
        const [, B, D] = golden.input.shape as [number, number, number];
        if (B < 2) return model.dispose();
        const half = Math.floor(T / 2);
        const lengths = Int32Array.from({ length: B }, (_, b) => half - b);
        const of = (x: GoldenTensor, b: number, from: number, to: number) =>
          tensor(
            Array.from({ length: to - from }, (_, t) => {
              const at = ((from + t) * B + b) * D;
              return x.data.slice(at, at + D);
            }).flat(),
            [to - from, 1, D],
          );
        tidy(() => {
          const { state } = forward(model, steps(golden.input, 0, half), null, lengths);
          const together = forward(model, steps(golden.input, half, T), state).outputs;
          for (let b = 0; b < B; b++) {
            const before = forward(model, of(golden.input, b, 0, lengths[b]!), null).state;
            const alone = forward(model, of(golden.input, b, half, T), before).outputs.dataSync();
            const [rows, , O] = together.shape;
            const all = together.dataSync();
            const own = Array.from({ length: rows }, (_, t) => [
              ...all.subarray((t * B + b) * O, (t * B + b + 1) * O),
            ]).flat();
            assertClose(own, alone, `sequence ${b}`, 1e-5);
          }
        });
        model.dispose();
      });
    }
  });
