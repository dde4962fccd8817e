// Models with an encoder against PyTorch: a decoder that starts in the encoder's last states learns through them.
import assert from 'node:assert/strict';
import { reshape, type Tensor2D, tensor, variableGrads } from '@tensorflow/tfjs-core';
import { countModel } from '../../../../src/experiment/parameters.ts';
import {
  type Experiment,
  type ExperimentInput,
  experimentSchema,
} from '../../../../src/experiment/schema.ts';
import { softmaxCrossEntropy } from '../../../../src/trainer/engine/losses.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import type { Batch } from '../../../../src/trainer/layers/batch.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { encodedOf } from '../../../../src/trainer/layers/evaluate.ts';
import type { Model, ModelSizes } from '../../../../src/trainer/layers/model.ts';
import { stepper } from '../../../../src/trainer/layers/stepper.ts';
import { assertClose, type GoldenTensor, readGolden } from '../engine/golden.ts';

interface EncoderCase {
  name: string;
  encoder: ExperimentInput['model']['layers'];
  layers: ExperimentInput['model']['layers'];
  source: GoldenTensor;
  lengths: number[];
  input: GoldenTensor;
  targets: GoldenTensor;
  vocabularies: [source: number, target: number];
  weights: Record<string, GoldenTensor>;
  outputs: GoldenTensor;
  /** (batch, steps, source steps) */
  attention: GoldenTensor | null;
  loss: GoldenTensor;
  gradients: Record<string, GoldenTensor>;
}

/** Luong's concat is the additive score by another name. */
function renamed(golden: EncoderCase): EncoderCase[] {
  const layers = golden.layers.map(layer =>
    layer.type === 'attention' && layer.score === 'additive' ? { ...layer, score: 'concat' as const } : layer,
  );
  const isAny = layers.some((layer, at) => layer !== golden.layers[at]);
  return isAny ? [{ ...golden, name: `${golden.name}, as concat`, layers }] : [];
}

function experimentOf({ encoder, layers }: EncoderCase): Experiment {
  return experimentSchema.parse({
    data: { task: 'adding', length: 4 },
    model: { encoder, layers },
  } satisfies ExperimentInput);
}

function sizesOf({ vocabularies: [source, target] }: EncoderCase): ModelSizes {
  return {
    input: { kind: 'tokens', vocabulary: target },
    source: { kind: 'tokens', vocabulary: source },
    outputs: target,
  };
}

function build(golden: EncoderCase): Model {
  const { weights } = golden;
  const model = buildModel(experimentOf(golden), sizesOf(golden), 1);
  assert.deepEqual([...model.variables.keys()], Object.keys(weights).sort());
  for (const [name, variable] of model.variables) {
    const fresh = tensor(weights[name]!.data, weights[name]!.shape);
    variable.assign(fresh);
    fresh.dispose();
  }
  return model;
}

function batchOf({ source, lengths, input, targets }: EncoderCase): Batch {
  return {
    seqLen: input.shape[0]!,
    batch: input.shape[1]!,
    input: Int32Array.from(input.data),
    targets: Int32Array.from(targets.data),
    lengths: null,
    source: {
      seqLen: source.shape[0]!,
      input: Int32Array.from(source.data),
      lengths: Int32Array.from(lengths),
    },
    continues: false,
  };
}

for (const engine of ['reference', 'native'] as const)
  describe(`models with an encoder against PyTorch (${engine})`, () => {
    before(() => startEngine(engine, 1));

    for (const golden of readGolden<EncoderCase>('encoders').flatMap(own => [own, ...renamed(own)]))
      it(golden.name, () => {
        const model = build(golden);
        const batch = batchOf(golden);
        let outputs: Float32Array = new Float32Array(0);
        const weights: Float32Array[] = [];
        const watch = {
          attention: (_: string, __: number, told: Float32Array) => weights.push(told.slice()),
        };
        const { value, grads } = variableGrads(() => {
          const pass = { training: true, step: 1 };
          const result = model.forward(tensor(golden.input.data, golden.input.shape, 'int32'), {
            ...pass,
            lengths: null,
            state: null,
            encoded: encodedOf(model, batch, pass),
            outputs: 'every-step',
            ...(golden.attention ? { watch } : {}),
          });
          outputs = Float32Array.from(result.outputs.dataSync());
          const rows = reshape(result.outputs, [-1, golden.vocabularies[1]]) as Tensor2D;
          return softmaxCrossEntropy(rows, batch.targets as Int32Array, null);
        }, [...model.variables.values()]);
        assertClose(outputs, golden.outputs.data, 'outputs', 1e-5);
        if (golden.attention) assertClose(weights[0]!, golden.attention.data, 'attention', 1e-5);
        assertClose([value.dataSync()[0]!], golden.loss.data, 'loss', 1e-5);
        for (const [name, { name: key, size }] of model.variables) {
          // a source that nobody looks at has no gradient
          const gradient = grads[key]?.dataSync() ?? new Float32Array(size);
          assertClose(gradient, golden.gradients[name]!.data, name, 1e-5);
        }
        const counted = countModel(experimentOf(golden), sizesOf(golden)).total;
        assert.equal(
          counted,
          [...model.variables.values()].reduce((sum, { size }) => sum + size, 0),
        );
        model.dispose();
      });

    for (const golden of readGolden<EncoderCase>('encoders').filter(
      ({ name }, at) => at === 0 || /attention/.test(name),
    ))
      it(`go step by step to the same outputs, and fork: ${golden.name}`, () => {
        const model = build(golden);
        const batch = batchOf(golden);
        const encoded = encodedOf(model, batch, { training: false, step: 0 });
        const [steps, rows, width] = golden.outputs.shape as [number, number, number];
        const walker = stepper(model, rows, encoded);
        const at = (t: number) => Int32Array.from(golden.input.data.slice(t * rows, (t + 1) * rows));
        const wanted = (t: number) => golden.outputs.data.slice(t * rows * width, (t + 1) * rows * width);
        for (let t = 0; t < steps - 1; t++) assertClose(walker.step(at(t)), wanted(t), `step ${t}`, 1e-5);
        // two beams of the last sequence, and the first one, after which each goes its own way
        const order = [2, 2, 0];
        const last = at(steps - 1);
        const forked = walker.fork(order).step(Int32Array.from(order, row => last[row]!));
        const expected = order.flatMap(row => wanted(steps - 1).slice(row * width, (row + 1) * width));
        assertClose(forked, expected, 'fork', 1e-5);
        assertClose(walker.step(last), wanted(steps - 1), 'the one that was forked', 1e-5);
        model.dispose();
      });
  });
