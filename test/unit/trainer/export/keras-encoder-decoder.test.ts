// An encoder-decoder as Keras code: what is written is what Keras ran for the golden file, and the run's own model says
// what Keras said, for sources of unequal lengths.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../../src/runs/safetensors.ts';
import { exportRun } from '../../../../src/trainer/export/export-run.ts';
import { kerasEncoderDecoder } from '../../../../src/trainer/export/keras/encoder-decoder.ts';
import { type FinishedRun, loadModel } from '../../../../src/trainer/inference/finished-run.ts';
import { evaluate } from '../../../../src/trainer/layers/evaluate.ts';
import { sizesOf, type TaskArtifact } from '../../../../src/trainer/tasks/index.ts';
import {
  batchOf,
  decoded,
  encodeWith,
  endsOf,
  type PairArtifact,
  textWith,
} from '../../../../src/trainer/tasks/pair-batches.ts';
import { trainNew, useWorkspace } from '../training/runs.ts';

interface Golden {
  experiment: ExperimentInput;
  /** safetensors, base64 */
  weights: string;
  task: TaskArtifact;
  /** SHA-256 of model.py behind its first docstring, and of model.safetensors */
  code: string;
  arrays: string;
  sources: string[];
  targets: string[];
  written: string[];
  /** (batch, steps, symbols), flat */
  logits: number[];
}

const golden = JSON.parse(readFileSync('test/golden/keras_encoder_decoder.json', 'utf8')) as Record<
  string,
  Golden
>;

function opened({ experiment, task, weights }: Golden): FinishedRun {
  const parsed = experimentSchema.parse(experiment);
  return {
    folder: '',
    run: { name: 'golden', experiment: parsed } as FinishedRun['run'],
    artifact: task,
    sizes: sizesOf(task, parsed)!,
    weights: decodeSafetensors(Buffer.from(weights, 'base64')),
    step: 1,
    best: false,
  };
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

describe('export of an encoder-decoder as Keras code', () => {
  for (const [name, own] of Object.entries(golden)) {
    it(`is the code that Keras ran: ${name}`, () => {
      const { code, weights } = kerasEncoderDecoder(opened(own));
      const behindDocstring = code.split('"""').slice(2).join('"""');
      assert.equal(
        sha256(behindDocstring),
        own.code,
        'test/golden/keras_encoder_decoder.py makes the file anew',
      );
      assert.equal(sha256(encodeSafetensors(weights)), own.arrays);
    });

    it(`has Keras's logits, and writes what it writes: ${name}`, async () => {
      const run = opened(own);
      const model = await loadModel(run);
      const artifact = run.artifact as unknown as PairArtifact;
      const encode = encodeWith(artifact);
      const pairs = own.sources.map((source, row) =>
        encode({ source: [...source], target: [...own.targets[row]!] }),
      );
      const batch = batchOf(pairs, artifact);
      const { outputs } = evaluate(model, batch, 'every-step', null);
      const [steps, count, classes] = outputs.shape;
      const found = await outputs.data();
      assert.equal(found.length, own.logits.length);
      for (let row = 0; row < count; row++)
        for (let at = 0; at < batch.lengths![row]! * classes; at++) {
          const place = (Math.floor(at / classes) * count + row) * classes + (at % classes);
          const wanted = own.logits[row * steps * classes + at]!;
          assert.ok(
            Math.abs(found[place]! - wanted) <= 1e-5 * Math.max(1, Math.abs(wanted)),
            `sequence ${row}, ${at}: ${found[place]}, not ${wanted}`,
          );
        }
      outputs.dispose();
      assert.deepEqual(decoded(model, batch, endsOf(artifact)).map(textWith(artifact)), own.written);
      model.dispose();
    });
  }
});

describe('export of an encoder-decoder to Keras', () => {
  useWorkspace();

  it('refuses what Keras cannot step through', async () => {
    const { folder } = await trainNew({
      data: { task: 'reverse', length: 4, symbols: 4 },
      model: {
        encoder: [{ type: 'gru', units: 3 }],
        layers: [
          { type: 'gru', units: 3 },
          { type: 'attention', locationSensitive: true },
          { type: 'dense' },
        ],
      },
      training: { batchSize: 4, steps: 1, validation: { every: 1, maxBatches: 1 }, sample: { every: 100 } },
    } as ExperimentInput);
    await assert.rejects(
      exportRun(folder, 'keras', folder),
      /Keras has no form of attention that reads the step before's shares .*layers\.1/,
    );
  });
});
