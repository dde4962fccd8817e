// Transformer layers against PyTorch, in every variant: outputs, the gradient of every weight, and the same outputs step
// by step where a step sees only what came before.
import assert from 'node:assert/strict';
import { mul, type Scalar, sum, tensor, tidy } from '@tensorflow/tfjs-core';
import { countModel } from '../../../../src/experiment/parameters.ts';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { Encoded, Model, ModelSizes } from '../../../../src/trainer/layers/model.ts';
import { stepper } from '../../../../src/trainer/layers/stepper.ts';
import { assertClose, type GoldenTensor, readGolden } from '../engine/golden.ts';

interface LayerCase {
  name: string;
  layers: ExperimentInput['model']['layers'];
  encoder: ExperimentInput['model']['layers'] | null;
  input: GoldenTensor;
  lengths: number[] | null;
  source: GoldenTensor | null;
  sourceLengths: number[] | null;
  dy: GoldenTensor;
  outputs: GoldenTensor;
  weights: Record<string, GoldenTensor>;
  gradients: Record<string, GoldenTensor>;
}

function experimentOf({ layers, encoder, input }: LayerCase) {
  return experimentSchema.parse({
    data: { task: 'adding', length: input.shape[0]! },
    model: { ...(encoder ? { encoder } : {}), layers },
  });
}

function sizesOf({ input, outputs, source }: LayerCase): ModelSizes {
  const vectors = (of: GoldenTensor) => ({ kind: 'vectors', features: of.shape[2]! }) as const;
  return {
    input: vectors(input),
    outputs: outputs.shape[2]!,
    ...(source ? { source: vectors(source) } : {}),
  };
}

function build(golden: LayerCase): Model {
  const model = buildModel(experimentOf(golden), sizesOf(golden), 1);
  assert.deepEqual([...model.variables.keys()], Object.keys(golden.weights).sort());
  for (const [name, variable] of model.variables) {
    const { data, shape } = golden.weights[name]!;
    assert.deepEqual(variable.shape, shape, name);
    const fresh = tensor(data, shape);
    variable.assign(fresh);
    fresh.dispose();
  }
  return model;
}

const lengthsOf = (lengths: number[] | null) => lengths && Int32Array.from(lengths);

function encodedOf(model: Model, { source, sourceLengths }: LayerCase, training: boolean): Encoded | null {
  if (!source) return null;
  const options = { training, step: 1, lengths: lengthsOf(sourceLengths) };
  return model.encode(tensor(source.data, source.shape), options);
}

function outputsOf(model: Model, golden: LayerCase) {
  return model.forward(tensor(golden.input.data, golden.input.shape), {
    training: true,
    step: 1,
    lengths: lengthsOf(golden.lengths),
    state: null,
    encoded: encodedOf(model, golden, true),
    outputs: 'every-step',
  }).outputs;
}

/** Zeros beyond a sequence's length, where nothing is told. */
function validOf(values: ArrayLike<number>, { lengths, outputs }: LayerCase): Float32Array {
  const [, B, O] = outputs.shape as [number, number, number];
  return Float32Array.from(values, (value, i) =>
    lengths && Math.floor(i / O / B) >= lengths[Math.floor(i / O) % B]! ? 0 : value,
  );
}

for (const engine of ['reference', 'native'] as const)
  describe(`Transformer layers against PyTorch (${engine})`, () => {
    before(() => startEngine(engine, 1));

    for (const golden of [
      ...readGolden<LayerCase>('transformer_layers'),
      ...readGolden<LayerCase>('transformer_decoders'),
    ]) {
      it(golden.name, () => {
        const model = build(golden);
        const outputs = tidy(() => Float32Array.from(outputsOf(model, golden).dataSync()));
        assertClose(validOf(outputs, golden), golden.outputs.data, 'outputs', 1e-5);
        const { gradients } = gradientsOf(
          () => sum(mul(outputsOf(model, golden), tensor(golden.dy.data, golden.dy.shape))) as Scalar,
          [...model.variables.values()],
        );
        for (const [place, name] of [...model.variables.keys()].entries())
          assertClose(gradients[place]!.dataSync(), golden.gradients[name]!.data, name, 1e-5);
        assert.equal(
          countModel(experimentOf(golden), sizesOf(golden)).total,
          [...model.variables.values()].reduce((total, { size }) => total + size, 0),
        );
        model.dispose();
      });

      if (!seesAll(golden))
        it(`goes step by step to the same outputs, forks, and goes on behind its context: ${golden.name}`, () => {
          const model = build(golden);
          assert.equal(model.caches, true);
          const encoded = encodedOf(model, golden, false);
          const [T, B, D] = golden.input.shape as [number, number, number];
          const O = golden.outputs.shape[2]!;
          const step = (t: number, rows = [...Array(B).keys()]) =>
            Float32Array.from(
              rows.flatMap(b => golden.input.data.slice(((t % T) * B + b) * D, ((t % T) * B + b + 1) * D)),
            );
          const wanted = (t: number, rows = [...Array(B).keys()]) =>
            rows.flatMap(b => golden.outputs.data.slice((t * B + b) * O, (t * B + b + 1) * O));
          const alive = (t: number) =>
            [...Array(B).keys()].filter(b => !golden.lengths || t < golden.lengths[b]!);
          const walker = stepper(model, B, encoded);
          for (let t = 0; t < T - 1; t++) {
            const made = walker.step(step(t));
            const rows = alive(t);
            const told = rows.flatMap(b => [...made.subarray(b * O, (b + 1) * O)]);
            assertClose(told, wanted(t, rows), `step ${t}`, 2e-5);
          }
          const last = alive(T - 1);
          const order = [...last, last[0]!];
          assertClose(walker.fork(order).step(step(T - 1, order)), wanted(T - 1, order), 'fork', 2e-5);
          walker.step(step(T - 1));
          // behind the context the newest steps are read anew
          const newest = Array.from({ length: T }, (_, i) => [...step(i + 1)]).flat();
          const anew = tidy(() =>
            model
              .forward(tensor(newest, [T, B, D]), {
                ...{ training: false, step: 0, lengths: null, state: null, encoded },
                outputs: 'last-step',
              })
              .outputs.dataSync()
              .slice(),
          );
          assertClose(walker.step(step(T)), anew, 'behind the context', 2e-5);
          model.dispose();
        });
    }
  });

function seesAll({ layers }: LayerCase): boolean {
  return (layers[0] as { causal?: boolean }).causal === false;
}
