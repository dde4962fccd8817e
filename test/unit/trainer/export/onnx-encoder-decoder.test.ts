// An encoder-decoder as two ONNX graphs says, in ONNX's own runtime, what the run's model says: of given targets, and
// when it writes by itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import type { Decoding } from '../../../../src/trainer/export/decoding.ts';
import type { Reference } from '../../../../src/trainer/export/reference-outputs.ts';
import { loadModel, useFinishedRun } from '../../../../src/trainer/inference/finished-run.ts';
import {
  batchOf,
  decoded,
  encodeWith,
  endsOf,
  type PairArtifact,
} from '../../../../src/trainer/tasks/pair-batches.ts';
import { useWorkspace } from '../training/runs.ts';
import {
  assertClose,
  type Chains,
  EMBEDDING,
  exportedPair,
  type Layer,
  readJson,
  THROUGH_BRIDGES,
} from './encoder-decoders.ts';

const cases: Record<string, Chains> = {
  'GRUs with additive attention': {
    encoder: [EMBEDDING, { type: 'gru', units: 6 }],
    layers: [EMBEDDING, { type: 'gru', units: 6 }, { type: 'attention', units: 5 }, { type: 'dense' }],
  },
  ...THROUGH_BRIDGES,
  'RNNs without attention, of symbols without an embedding': {
    encoder: [{ type: 'rnn', units: 6 }],
    layers: [{ type: 'rnn', units: 6 }, { type: 'dense' }],
  },
  'a decoder that begins in zeros, has a level more, and looks at convolved states': {
    encoder: [
      EMBEDDING,
      { type: 'conv1d', units: 4, kernelSize: 3, padding: 'same', activation: 'relu' },
      { type: 'gru', units: 4, resetAfter: false },
      { type: 'layer-norm' },
    ],
    layers: [
      EMBEDDING,
      { type: 'gru', units: 4, initialState: 'zeros' },
      { type: 'gru', units: 4, layers: 2 },
      { type: 'attention', score: 'concat' },
      { type: 'dense', residual: true, units: 8 },
      { type: 'dense' },
    ],
  },
  'causal convolutions in the decoder, one behind the other': {
    encoder: [EMBEDDING, { type: 'gru', units: 6 }],
    layers: [
      EMBEDDING,
      { type: 'conv1d', units: 5, kernelSize: 3, dilation: 2, activation: 'relu' },
      { type: 'conv1d', units: 6, kernelSize: 1 },
      { type: 'gru', units: 6 },
      { type: 'conv1d', units: 6, kernelSize: 2, residual: true },
      { type: 'attention' },
      { type: 'dense' },
    ],
  },
  'attention that reads where the step before looked': {
    encoder: [EMBEDDING, { type: 'lstm', units: 6 }],
    layers: [
      EMBEDDING,
      { type: 'lstm', units: 6 },
      { type: 'attention', units: 5, locationSensitive: true, filters: 3, kernelSize: 4 },
      { type: 'dense' },
    ],
  },
  'one bias, and a GRU that resets before': {
    encoder: [EMBEDDING, { type: 'gru', units: 5 }],
    layers: [EMBEDDING, { type: 'gru', units: 5 }, { type: 'attention' }, { type: 'dense' }],
    convention: 'tfjs',
  },
};

const ids = (values: ArrayLike<number>, shape: number[]) =>
  new Tensor('int64', BigInt64Array.from(Array.from(values), BigInt), shape);

/** The loop that docs/systems.md tells. */
async function opened(out: string) {
  const decoding = readJson<Decoding>(out, 'decoding.json');
  const [encoder, decoder] = await Promise.all(
    [decoding.encoder.file, decoding.decoder.file].map(file =>
      InferenceSession.create(readFileSync(join(out, file))),
    ),
  );
  type Feeds = Record<string, Tensor>;
  return {
    decoding,
    names: { encoder: encoder!.outputNames, decoder: decoder!.inputNames },
    async begin(source: Tensor, lengths: Int32Array): Promise<Feeds> {
      const result = await encoder!.run({ source, lengths: new Tensor('int32', lengths, [lengths.length]) });
      return { ...result } as Feeds;
    },
    async step(x: Tensor, given: Feeds): Promise<{ logits: Float32Array; next: Feeds }> {
      const result = await decoder!.run({ x, ...given });
      const states = decoding.states.map(({ name, next }) => [name, result[next]!] as const);
      return {
        logits: result.outputs!.data as Float32Array,
        next: { ...given, ...Object.fromEntries(states) },
      };
    },
    async release() {
      await encoder!.release();
      await decoder!.release();
    },
  };
}

type Onnx = Awaited<ReturnType<typeof opened>>;

/** At once, and step by step. */
async function saysGiven(onnx: Onnx, out: string): Promise<void> {
  const { source, input, shape, outputs } = readJson<Reference>(out, 'reference.json');
  const [steps, batch] = shape as [number, number];
  const lengths = new Int32Array(batch).fill(source!.shape[0]!);
  const begun = await onnx.begin(ids(source!.input, source!.shape), lengths);
  // a share for each step of the source: one step at a time
  if (onnx.decoding.states.every(({ size }) => size !== 'source_steps'))
    assertClose((await onnx.step(ids(input, shape), begun)).logits, outputs, 'at once');
  const classes = outputs.length / (steps * batch);
  let given = begun;
  for (let t = 0; t < steps; t++) {
    const { logits, next } = await onnx.step(ids(input.slice(t * batch, (t + 1) * batch), [1, batch]), given);
    const wanted = outputs.slice(t * batch * classes, (t + 1) * batch * classes);
    assertClose(logits, wanted, `step ${t}`);
    given = next;
  }
}

/** For sources of unequal lengths, the most likely symbol at each step. */
async function writes(onnx: Onnx, folder: string): Promise<void> {
  const run = await useFinishedRun(folder);
  const artifact = run.artifact as unknown as PairArtifact;
  const pairs = ['abcd', 'a', 'dbcabdc', 'bb'].map(text =>
    encodeWith(artifact)({ source: [...text], target: ['a'] }),
  );
  const batch = batchOf(pairs, artifact);
  const model = await loadModel(run);
  const wanted: Float32Array[] = [];
  const look = {
    least: 5,
    onLogits: (_: number, logits: Float32Array) => void wanted.push(logits.slice()),
  };
  const written = decoded(model, batch, endsOf(artifact), look);
  model.dispose();

  const { start, end, states, mostSteps } = onnx.decoding;
  // those of the source's length are not among them
  assert.deepEqual(
    states.filter(({ size }) => size !== 'source_steps').map(({ name }) => name),
    model.states.map(({ name }) => name),
  );
  const count = pairs.length;
  const { seqLen, input, lengths } = batch.source!;
  let given = await onnx.begin(ids(input as Int32Array, [seqLen, count]), lengths!);
  let read = new Array<number>(count).fill(start);
  const said: number[][] = pairs.map(() => []);
  const ended = new Array<boolean>(count).fill(false);
  for (const [t, own] of wanted.entries()) {
    const { logits, next } = await onnx.step(ids(read, [1, count]), given);
    assertClose(logits, own, `step ${t}`);
    const classes = logits.length / count;
    read = pairs.map((_, row) => {
      const ofRow = logits.slice(row * classes, (row + 1) * classes);
      return ofRow.indexOf(Math.max(...ofRow));
    });
    for (let row = 0; row < count; row++) {
      ended[row] ||= read[row] === end;
      if (!ended[row] && t < mostSteps) said[row]!.push(read[row]!);
    }
    given = next;
  }
  assert.deepEqual(said, written);
}

describe('export of an encoder-decoder as ONNX', () => {
  useWorkspace();

  for (const [name, each] of Object.entries(cases))
    it(`says what the run says of given targets, and writes what it writes: ${name}`, async () => {
      const { folder, out } = await exportedPair('onnx', each);
      const onnx = await opened(out);
      await saysGiven(onnx, out);
      await writes(onnx, folder);
      await onnx.release();
    });

  it('names its symbols, states, inputs and outputs', async () => {
    const { out } = await exportedPair('onnx', cases['GRUs with additive attention']!);
    const { decoding, names, release } = await opened(out);
    const wanted = {
      encoder: {
        file: 'encoder.onnx',
        inputs: ['source', 'lengths'],
        outputs: ['memory', 'inside', 'layers.1.0.h'],
      },
      decoder: {
        file: 'decoder.onnx',
        inputs: ['x', 'memory', 'inside', 'layers.1.0.h'],
        outputs: ['outputs', 'next.layers.1.0.h'],
      },
      states: [{ name: 'layers.1.0.h', next: 'next.layers.1.0.h', size: 6 }],
      targetSymbols: ['a', 'b', 'c', 'd', '\uFFFD', '<start>', '<end>'],
    };
    const { encoder, decoder, states, targetSymbols } = decoding;
    assert.deepEqual({ encoder, decoder, states, targetSymbols }, wanted);
    assert.deepEqual(names, { encoder: wanted.encoder.outputs, decoder: wanted.decoder.inputs });
    assert.equal(decoding.sourceSymbols[decoding.unknown], '\uFFFD');
    await release();
  });

  const gru: Layer = { type: 'gru', units: 6 };
  const refused: [string, Layer[], Layer[], RegExp][] = [
    [
      'a layer inside of the decoder whose state has no form',
      [gru],
      [{ type: 'lru', units: 6 }, gru],
      /no form of one step of the layer "lru", whose state is no cell's \(layers\.1\)/,
    ],
    [
      'an encoder that shortens its source',
      [{ type: 'conv1d', units: 6, kernelSize: 3, stride: 2 }, gru],
      [gru],
      /no form of an encoder that shortens its source \(encoder\.1\)/,
    ],
  ];
  for (const [what, encoder, layers, said] of refused)
    it(`refuses ${what}`, async () => {
      const chains = {
        encoder: [EMBEDDING, ...encoder],
        layers: [EMBEDDING, ...layers, { type: 'dense' } as Layer],
      };
      await assert.rejects(exportedPair('onnx', chains), said);
    });
});
