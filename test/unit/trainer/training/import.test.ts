// Weights that PyTorch and Keras wrote (test/golden/weights_import.py, weights_h5.py), taken into the matching experiment: what it says is
// what the other framework said. GRU forms are never mixed, and what does not fit is told with its shapes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tensor, tidy } from '@tensorflow/tfjs-core';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../../src/runs/safetensors.ts';
import { readHdf5, writeHdf5 } from '../../../../src/trainer/data/hdf5.ts';
import { exportRun } from '../../../../src/trainer/export/export-run.ts';
import { openFinishedRun } from '../../../../src/trainer/inference/finished-run.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { writeWeights } from '../../../../src/trainer/layers/weights.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { beginWith } from '../../../../src/trainer/training/import/start.ts';
import { checkpointFile, trainNew, useWorkspace, workspaceFolder } from './runs.ts';

interface Golden {
  file: string;
  shape: number[];
  input: number[];
  outputs: number[];
}

const golden = JSON.parse(readFileSync('test/golden/weights_import.json', 'utf8')) as Record<string, Golden>;

type Layers = ExperimentInput['model']['layers'];
type Convention = NonNullable<ExperimentInput['model']['convention']>;

const language: Layers = [
  { type: 'embedding', dim: 4 },
  { type: 'lstm', units: 5, layers: 2 },
  { type: 'dense' },
];
const bothWays: Layers = [
  { type: 'gru', units: 3, bidirectional: true },
  { type: 'layer-norm' },
  { type: 'rnn', units: 4 },
  { type: 'dense' },
];
const models: Record<string, { layers: Layers; conventions: Convention[]; report: RegExp }> = {
  torch_lstm: {
    layers: language,
    conventions: ['pytorch', 'keras'],
    report: /layers\.1, level 2 \(lstm\) begins with "rnn l1"/,
  },
  torch_both_ways: {
    layers: bothWays.map(layer => (layer.type === 'rnn' ? { ...layer, activation: 'relu' } : layer)),
    conventions: ['pytorch'],
    report: /layers\.2 \(rnn\) begins with "second l0": it has no biases, which begin at 0\./,
  },
  torch_convolution: {
    layers: [
      { type: 'conv1d', units: 4 },
      { type: 'batch-norm' },
      { type: 'conv1d', units: 4 },
      { type: 'dense' },
    ],
    conventions: ['pytorch'],
    report: /layers\.2 \(conv1d\) begins with "conv2"\./,
  },
  keras_lstm: {
    layers: language,
    conventions: ['keras', 'pytorch'],
    report: /level 2 \(lstm\) begins with "lstm_1"/,
  },
  keras_both_ways: {
    layers: bothWays,
    conventions: ['keras', 'pytorch'],
    report: /layers\.3 \(dense\) begins with "time_distributed"\./,
  },
  keras_gru_before: {
    layers: [{ type: 'gru', units: 4, resetAfter: false }, { type: 'dense' }],
    conventions: ['tfjs', 'pytorch'],
    report: /layers\.0 \(gru\) begins with "gru"/,
  },
  keras_gru_after: {
    layers: [{ type: 'gru', units: 4 }, { type: 'dense' }],
    conventions: ['pytorch', 'keras'],
    report: /layers\.0 \(gru\) begins with "gru"/,
  },
  keras_convolution: {
    layers: [{ type: 'conv1d', units: 4, activation: 'relu' }, { type: 'batch-norm' }, { type: 'dense' }],
    conventions: ['keras'],
    report: /layers\.1 \(batch-norm\) begins with "batch_normalization"\./,
  },
};

function experimentOf(layers: Layers, isText: boolean, convention: Convention = 'pytorch') {
  return experimentSchema.parse({
    data: isText ? { task: 'char-lm', path: 'text.txt' } : { task: 'adding', length: 7 },
    model: { layers, convention },
    training: { batchSize: 4, steps: 2, ...(isText ? { seqLen: 8 } : {}) },
  });
}

function place() {
  return { base: workspaceFolder(), workspace: workspaceFolder(), allowedPaths: [] };
}

const zeros = { shape: [2], data: new Float32Array(2) };

const fileOf = (name: string) => resolve('test/golden/weights_import', golden[name]!.file);

describe('weights of other programs', () => {
  useWorkspace();

  for (const [name, { layers, conventions, report }] of Object.entries(models))
    for (const convention of conventions)
      it(`say what they said there: ${name}, ${convention}`, async () => {
        const { shape, input, outputs } = golden[name]!;
        const isText = shape.length === 2;
        const experiment = experimentOf(layers, isText, convention);
        const beginning = await beginWith(fileOf(name), experiment, place());
        assert.match(beginning.report.join('\n'), report);
        const { sizes } = await openTask(experiment, place());
        const model = buildModel(experiment, sizes, 1);
        writeWeights(model, decodeSafetensors(Buffer.from(beginning.files.get('weights.safetensors')!)));
        const said = tidy(() => {
          const x = tensor(
            isText ? Int32Array.from(input) : Float32Array.from(input),
            shape,
            isText ? 'int32' : 'float32',
          );
          const options = {
            training: false,
            step: 0,
            lengths: null,
            state: null,
            outputs: 'every-step',
          } as const;
          return Array.from(model.forward(x, options).outputs.dataSync());
        });
        model.dispose();
        assert.equal(said.length, outputs.length);
        for (const [at, wanted] of outputs.entries())
          assert.ok(
            Math.abs(said[at]! - wanted) <= 1e-5 * Math.max(1, Math.abs(wanted)),
            `${said[at]}, not ${wanted}`,
          );
      });

  it('are refused where the GRU has the other form, whoever wrote them', async () => {
    const gru = (resetAfter: boolean): Layers => [{ type: 'gru', units: 4, resetAfter }, { type: 'dense' }];
    const begin = (name: string, layers: Layers) =>
      beginWith(fileOf(name), experimentOf(layers, false), place());
    await assert.rejects(
      begin('keras_gru_after', gru(false)),
      /^InputError: layers\.0 is a GRU, one that resets before the recurrent product, and "gru" in keras_gru_after\.weights\.h5 is one that resets after .*two functions.*Set "resetAfter": true in the layer\.$/,
    );
    await assert.rejects(begin('keras_gru_before', gru(true)), /Set "resetAfter": false in the layer/);
    const both = bothWays.map(layer => (layer.type === 'gru' ? { ...layer, resetAfter: false } : layer));
    await assert.rejects(
      begin('torch_both_ways', both),
      /"first l0" in torch_both_ways\.safetensors is one that resets after/,
    );
    // Unroll's own names are the same for both forms: the header tells
    const { folder } = await trainNew({
      ...experimentOf(gru(false), false),
      name: 'before',
    } as ExperimentInput);
    await exportRun(folder, 'safetensors', join(folder, 'out'));
    const own = join(folder, 'out', 'model.safetensors');
    await assert.rejects(
      beginWith(own, experimentOf(gru(true), false), place()),
      /layers\.0 is a GRU, one that resets after .* is one that resets before/,
    );
    const taken = await beginWith(own, experimentOf(gru(false), false), place());
    assert.deepEqual(taken.report, ['Every weight of model.safetensors has the name that it has here.']);
    const checkpoint = join(openFinishedRun(folder).folder, 'checkpoints');
    const copy = join(workspaceFolder(), 'weights.safetensors');
    writeFileSync(copy, checkpointFile(folder, 'weights.safetensors'));
    writeFileSync(join(workspaceFolder(), 'state.json'), '{}');
    await assert.rejects(
      beginWith(copy, experimentOf(gru(true), false), place()),
      /is a checkpoint of a run, which does not tell the form of its GRU; `unroll export RUN --format safetensors`/,
      checkpoint,
    );
  });

  it('come back as they were from a Keras archive and from PyTorch', async () => {
    const layers: Layers = [
      { type: 'conv1d', units: 4 },
      { type: 'gru', units: 3, layers: 2, bidirectional: true },
      { type: 'layer-norm' },
      { type: 'dense' },
    ];
    const experiment = experimentOf(layers, false);
    const { folder } = await trainNew({ ...experiment, name: 'there' } as ExperimentInput);
    const { weights } = openFinishedRun(folder);
    await exportRun(folder, 'pytorch', join(folder, 'torch'));
    const torch = await beginWith(join(folder, 'torch', 'model.safetensors'), experiment, place());
    assert.deepEqual(
      Buffer.from(torch.files.get('weights.safetensors')!),
      Buffer.from(encodeSafetensors(weights)),
    );
    await exportRun(folder, 'keras', join(folder, 'keras'));
    const bytes = readFileSync(join(folder, 'keras', 'model.keras'));
    const begin = bytes.indexOf('\x89HDF\r\n\x1a\n', 0, 'latin1');
    const file = join(folder, 'there.weights.h5');
    writeFileSync(file, bytes.subarray(begin));
    const keras = await beginWith(file, experiment, place());
    assert.deepEqual(
      Buffer.from(keras.files.get('weights.safetensors')!),
      Buffer.from(encodeSafetensors(weights)),
    );
  });

  it('of the older files of Keras, whose variables have names, are the same', async () => {
    for (const name of ['keras_lstm', 'keras_both_ways', 'keras_convolution']) {
      const { layers, conventions } = models[name]!;
      const experiment = experimentOf(layers, golden[name]!.shape.length === 2, conventions[0]);
      const weightsOf = async (file: string) => {
        const { files } = await beginWith(file, experiment, place());
        return Buffer.from(files.get('weights.safetensors')!).toString('base64');
      };
      const expected = await weightsOf(fileOf(name));
      const saved = resolve('test/golden/weights_import', `${name}.h5`);
      assert.equal(await weightsOf(saved), expected);
      // Keras 2 put the number of an output behind each name, and save_weights no folder before it
      const arrays = await readHdf5(readFileSync(saved), saved);
      const old = new Map(
        [...arrays].map(([path, array]) => [`${path.replace('model_weights/', '')}:0`, array]),
      );
      const file = join(workspaceFolder(), 'old.h5');
      writeFileSync(file, await writeHdf5(new Map([...old, ['optimizer_weights/m/kernel:0', zeros]])));
      assert.equal(await weightsOf(file), expected);
      const { origin } = await beginWith(file, experiment, place());
      assert.deepEqual(origin.left, ['optimizer_weights/m/kernel:0']);
    }
  });

  it('are known again: file, digest, and what was taken and left', async () => {
    const file = fileOf('torch_convolution');
    const { origin } = await beginWith(
      file,
      experimentOf(models['torch_convolution']!.layers, false),
      place(),
    );
    const bytes = readFileSync(file);
    assert.deepEqual(origin, {
      file,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      taken: [
        { to: 'layers.0', from: 'conv1', tensors: ['conv1.bias', 'conv1.weight'] },
        {
          to: 'layers.1',
          from: 'norm',
          tensors: ['norm.bias', 'norm.running_mean', 'norm.running_var', 'norm.weight'],
        },
        { to: 'layers.2', from: 'conv2', tensors: ['conv2.bias', 'conv2.weight'] },
        { to: 'layers.3', from: 'head', tensors: ['head.bias', 'head.weight'] },
      ],
      left: ['norm.num_batches_tracked'],
    });
    const lstm = await beginWith(fileOf('torch_lstm'), experimentOf(language, true), place());
    assert.deepEqual(lstm.origin.taken[2], {
      to: 'layers.1, level 2',
      from: 'rnn l1',
      tensors: ['rnn.bias_hh_l1', 'rnn.bias_ih_l1', 'rnn.weight_hh_l1', 'rnn.weight_ih_l1'],
    });
    assert.deepEqual(lstm.origin.left, []);
  });

  it('of an encoder and a decoder go to the half that their names tell', async () => {
    const experiment = experimentSchema.parse({
      data: { task: 'reverse', length: 4, symbols: 6 },
      model: {
        encoder: [
          { type: 'embedding', dim: 4 },
          { type: 'gru', units: 5 },
        ],
        layers: [{ type: 'embedding', dim: 4 }, { type: 'gru', units: 5 }, { type: 'dense' }],
      },
      training: { batchSize: 4, steps: 2 },
    });
    const own = buildModel(experiment, (await openTask(experiment, place())).sizes, 5);
    const named = new Map(
      [...own.variables].map(([name, variable]) => [
        name
          .replace(/^encoder\.(0|1)/, (_, at) => `encoder.${at === '0' ? 'embed' : 'rnn'}`)
          .replace(/^layers\.(\d)/, (_, at) => `decoder.${['embed', 'rnn', 'out'][Number(at)]}`),
        { shape: variable.shape, data: variable.dataSync() as Float32Array },
      ]),
    );
    const file = join(workspaceFolder(), 'pair.safetensors');
    writeFileSync(file, encodeSafetensors(named));
    const begun = await beginWith(file, experiment, place());
    const weights = decodeSafetensors(Buffer.from(begun.files.get('weights.safetensors')!));
    for (const [name, variable] of own.variables)
      assert.deepEqual([...weights.get(name)!.data], [...variable.dataSync()], name);
    assert.deepEqual(
      begun.origin.taken.map(({ to, from }) => `${to} ${from}`),
      [
        'encoder.0 encoder.embed',
        'encoder.1 encoder.rnn l0',
        'layers.0 decoder.embed',
        'layers.1 decoder.rnn l0',
        'layers.2 decoder.out',
      ],
    );
    own.dispose();
    const stray = new Map([...named].map(([name, tensor]) => [name.replace('decoder.out', 'out'), tensor]));
    writeFileSync(file, encodeSafetensors(stray));
    await assert.rejects(
      beginWith(file, experiment, place()),
      /each module's name tells its half .*; "out" in pair\.safetensors does not\.$/,
    );
  });

  it('that do not fit are refused with their shapes', async () => {
    const begin = (name: string, layers: Layers, isText = true) =>
      beginWith(fileOf(name), experimentOf(layers, isText), place());
    const wide = language.map(layer => (layer.type === 'lstm' ? { ...layer, units: 6 } : layer));
    await assert.rejects(
      begin('torch_lstm', wide),
      /torch_lstm\.safetensors holds no module that fits layers\.1, level 1 \(lstm\), which needs .*weight_ih_l0 \[24,4\].*; there is "out" \(\[10\], \[10,5\]\), "rnn l0" \(\[20,4\], \[20,5\]\)/,
    );
    const short = language.map(layer => (layer.type === 'lstm' ? { ...layer, layers: 1 } : layer));
    await assert.rejects(
      begin('keras_lstm', short),
      /holds more than this model has: "lstm_1" \(\[20,5\], \[20,5\]\)/,
    );
    const peephole = language.map(layer => (layer.type === 'lstm' ? { ...layer, peephole: true } : layer));
    await assert.rejects(
      begin('torch_lstm', peephole),
      /holds nothing for layers\.1\.peephole_l0, layers\.1\.peephole_l1/,
    );
    const file = join(workspaceFolder(), 'weights.pt');
    copyFileSync(fileOf('torch_lstm'), file);
    await assert.rejects(
      beginWith(file, experimentOf(language, true), place()),
      /neither safetensors nor HDF5 .*safetensors\.torch\.save_file/,
    );
    const cut = join(workspaceFolder(), 'cut.safetensors');
    writeFileSync(cut, readFileSync(fileOf('torch_lstm')).subarray(0, 900));
    await assert.rejects(
      beginWith(cut, experimentOf(language, true), place()),
      /^DataError: cut\.safetensors: Not a valid/,
    );
  });
});
