// An encoder-decoder as two layers models of TensorFlow.js says, loaded by its own library, what the run's model says: of
// given targets, and when it writes by itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { engine, io, setBackend, type Tensor, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
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

const gru = (units: number): Layer => ({ type: 'gru', units, resetAfter: false });

const cases: Record<string, Chains> = {
  'GRUs with additive attention': {
    encoder: [EMBEDDING, gru(6)],
    layers: [EMBEDDING, gru(6), { type: 'attention', units: 5 }, { type: 'dense' }],
  },
  ...THROUGH_BRIDGES,
  'RNNs without attention, of symbols without an embedding, and an LSTM whose c begins in zeros': {
    encoder: [{ type: 'rnn', units: 6 }],
    layers: [{ type: 'lstm', units: 6 }, { type: 'dense' }],
  },
  'a decoder that begins in zeros, has a level more, and looks at convolved states': {
    encoder: [
      EMBEDDING,
      { type: 'conv1d', units: 4, kernelSize: 3, padding: 'same', activation: 'relu' },
      { type: 'conv1d', units: 4, kernelSize: 3 },
      gru(4),
      { type: 'layer-norm' },
    ],
    layers: [
      EMBEDDING,
      { ...gru(4), initialState: 'zeros' } as Layer,
      { ...gru(4), layers: 2 } as Layer,
      { type: 'attention', score: 'concat' },
      { type: 'dense', residual: true, units: 8 },
      { type: 'dense' },
    ],
  },
  'one bias, and attention by dot product behind a causal convolution': {
    encoder: [EMBEDDING, gru(5), { type: 'conv1d', units: 5, kernelSize: 2 }],
    layers: [EMBEDDING, gru(5), { type: 'attention', score: 'dot' }, { type: 'dense' }],
    convention: 'tfjs',
  },
};

async function loaded(out: string, file: string): Promise<LayersModel> {
  const { modelTopology, weightsManifest } = readJson<{
    modelTopology: object;
    weightsManifest: { paths: string[]; weights: io.WeightsManifestEntry[] }[];
  }>(out, file);
  const { paths, weights } = weightsManifest[0]!;
  const bytes = readFileSync(join(out, paths[0]!));
  return loadLayersModel(
    io.fromMemory({ modelTopology, weightSpecs: weights, weightData: new Uint8Array(bytes).buffer }),
  );
}

/** By the names of `decoding.json`. */
type Named = Record<string, Tensor>;

/** The loop that docs/systems.md tells. */
async function opened(out: string) {
  const decoding = readJson<Decoding>(out, 'decoding.json');
  const [encoder, decoder] = [
    await loaded(out, decoding.encoder.file),
    await loaded(out, decoding.decoder.file),
  ];
  const run = (model: LayersModel, { inputs, outputs }: Decoding['encoder'], given: Named): Named => {
    const found = model.predict(inputs.map(name => given[name]!));
    const each = Array.isArray(found) ? found : [found];
    return Object.fromEntries(outputs.map((name, place) => [name, each[place]!]));
  };
  return {
    decoding,
    begin: (source: Tensor) => run(encoder!, decoding.encoder, { source }),
    step(x: Tensor, given: Named): { logits: Tensor; next: Named } {
      const result = run(decoder!, decoding.decoder, { ...given, x });
      const states = decoding.states.map(({ name, next }) => [name, result[next]!] as const);
      return { logits: result.outputs!, next: { ...given, ...Object.fromEntries(states) } };
    },
  };
}

type Pair = Awaited<ReturnType<typeof opened>>;

/** (steps, batch) ids, from step `from` to `to`, as (batch, steps). */
function batchFirst({ input, shape }: { input: number[]; shape: number[] }, from = 0, to = shape[0]!) {
  const [, batch] = shape as [number, number];
  const rows = Array.from({ length: batch }, (_, row) =>
    Array.from({ length: to - from }, (_, step) => input[(from + step) * batch + row]!),
  );
  return tensor2d(rows, [batch, to - from], 'int32');
}

/** (batch, steps, symbols) as (steps, batch, symbols), flat. */
function timeFirst(logits: Tensor): number[] {
  const [batch, steps] = logits.shape as [number, number, number];
  const values = logits.arraySync() as number[][][];
  return Array.from(
    { length: steps * batch },
    (_, at) => values[at % batch]![Math.floor(at / batch)]!,
  ).flat();
}

/** At once, and step by step. */
function saysGiven(pair: Pair, out: string): void {
  const reference = readJson<Reference>(out, 'reference.json');
  const { source, shape, outputs } = reference;
  const [steps, batch] = shape as [number, number];
  const begun = pair.begin(batchFirst(source!));
  assertClose(timeFirst(pair.step(batchFirst(reference), begun).logits), outputs, 'at once');
  const classes = outputs.length / (steps * batch);
  let given = begun;
  for (let t = 0; t < steps; t++) {
    const { logits, next } = pair.step(batchFirst(reference, t, t + 1), given);
    const wanted = outputs.slice(t * batch * classes, (t + 1) * batch * classes);
    assertClose(timeFirst(logits), wanted, `step ${t}`);
    given = next;
  }
}

interface Written {
  symbols: number[];
  logits: Float32Array[];
}

/** What the run's own model writes for each source alone. */
async function writtenBy(folder: string): Promise<(Written & { source: number[] })[]> {
  const run = await useFinishedRun(folder);
  const artifact = run.artifact as unknown as PairArtifact;
  const model = await loadModel(run);
  const all = ['abcd', 'a', 'dbcabdc', 'bb'].map(text => {
    const pair = encodeWith(artifact)({ source: [...text], target: ['a'] });
    const logits: Float32Array[] = [];
    const look = { least: 5, onLogits: (_: number, step: Float32Array) => void logits.push(step.slice()) };
    const batch = batchOf([pair], artifact);
    const [symbols] = decoded(model, batch, endsOf(artifact), look);
    return { source: Array.from(batch.source!.input), symbols: symbols!, logits };
  });
  model.dispose();
  return all;
}

function writes(pair: Pair, source: number[], wanted: Written): void {
  const { start, end, mostSteps } = pair.decoding;
  let given = pair.begin(tensor2d([source], undefined, 'int32'));
  let read = start;
  let hasEnded = false;
  const symbols: number[] = [];
  for (const [t, own] of wanted.logits.entries()) {
    const { logits, next } = pair.step(tensor2d([[read]], undefined, 'int32'), given);
    const said = logits.dataSync();
    assertClose(said, own, `step ${t} of ${source.length}`);
    read = said.indexOf(Math.max(...said));
    hasEnded ||= read === end;
    if (!hasEnded && t < mostSteps) symbols.push(read);
    given = next;
  }
  assert.deepEqual(symbols, wanted.symbols);
}

describe('export of an encoder-decoder as layers models of TensorFlow.js', () => {
  useWorkspace();

  for (const [name, each] of Object.entries(cases))
    it(`says what the run says of given targets, and writes what it writes: ${name}`, async () => {
      const { folder, out } = await exportedPair('tfjs', each);
      const wanted = await writtenBy(folder);
      const before = engine().backendName;
      // the library's own kernels, not ours
      await setBackend('cpu');
      try {
        const pair = await opened(out);
        tidy(() => {
          saysGiven(pair, out);
          for (const { source, ...own } of wanted) writes(pair, source, own);
        });
      } finally {
        await setBackend(before);
      }
    });

  it('names its files, inputs and outputs', async () => {
    const { out } = await exportedPair('tfjs', cases['GRUs with additive attention']!);
    const { encoder, decoder, states } = readJson<Decoding>(out, 'decoding.json');
    assert.deepEqual(encoder, {
      file: 'encoder.json',
      inputs: ['source'],
      outputs: ['memory', 'layers.1.0.h'],
    });
    assert.deepEqual(decoder, {
      file: 'decoder.json',
      inputs: ['x', 'memory', 'layers.1.0.h'],
      outputs: ['outputs', 'next.layers.1.0.h'],
    });
    assert.deepEqual(states, [{ name: 'layers.1.0.h', next: 'next.layers.1.0.h', size: 6 }]);
  });

  const refused: [string, Layer[], RegExp][] = [
    [
      'a look at the source that is carried on',
      [gru(6), { type: 'attention', locationSensitive: true }],
      /TensorFlow\.js has no form of attention that reads the step before's shares .* \(layers\.2\)/,
    ],
    [
      'a GRU that resets after',
      [{ type: 'gru', units: 6 }],
      /no form of a GRU that resets after .* \(layers\.1\)/,
    ],
    [
      'a convolution inside of the decoder',
      [{ type: 'conv1d', units: 6, kernelSize: 3 }, gru(6)],
      /no form of one step of the layer "conv1d", whose state is no cell's \(layers\.1\)/,
    ],
  ];
  for (const [what, layers, said] of refused)
    it(`refuses ${what}`, async () => {
      const chains = {
        encoder: [EMBEDDING, gru(6)],
        layers: [EMBEDDING, ...layers, { type: 'dense' } as Layer],
      };
      await assert.rejects(exportedPair('tfjs', chains), said);
    });
});
