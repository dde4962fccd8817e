// Unaligned labels: sounds, series and texts with their targets, the loss over a batch, and what of a table is refused.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tensor, tensor3d } from '@tensorflow/tfjs-core';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import type { Sample } from '../../../../src/runs/format.ts';
import { checkEvent } from '../../../../src/runs/validate.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { predictUnaligned } from '../../../../src/trainer/inference/predict/ctc.ts';
import type { Model } from '../../../../src/trainer/layers/model.ts';
import type { CtcArtifact } from '../../../../src/trainer/tasks/ctc.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { morseBatch } from '../../../../src/trainer/tasks/morse.ts';
import { emptyScore, type Task } from '../../../../src/trainer/tasks/task.ts';
import { labelsIn } from '../../../../src/trainer/tasks/unaligned.ts';
import { wavOf } from '../data/wav-of.ts';

const folder = mkdtempSync(join(tmpdir(), 'unroll-ctc-'));
mkdirSync(join(folder, 'sounds'));

async function open(text: string, data: object, training: object = {}): Promise<Task> {
  writeFileSync(join(folder, 'd.tsv'), text);
  const experiment = experimentSchema.parse({
    data: { task: 'ctc', path: 'd.tsv', target: 'said', split: [1, 0, 0], ...data } as never,
    model: { layers: [{ type: 'gru', units: 3 }, { type: 'dense' }] },
    training: { batchSize: 4, ...training },
  } satisfies ExperimentInput);
  return openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
}

function sound(name: string, seconds: number, options: Parameters<typeof wavOf>[1] = {}): string {
  const { rate = 8000 } = options;
  const values = Array.from({ length: Math.round(seconds * rate) }, (_, i) => 0.5 * Math.sin(i * 0.7));
  writeFileSync(join(folder, 'sounds', name), wavOf(values, options));
  return `sounds/${name}`;
}

/** Says symbol `script[row][t]` at each step with certainty; the blank behind its end. */
function modelThatSays(script: readonly (readonly number[])[], classes: number): Model {
  return {
    context: null,
    forward: (input: Tensor) => {
      const [steps, batch] = input.shape as [number, number];
      const logits = new Float32Array(steps * batch * classes);
      for (let t = 0; t < steps; t++)
        for (let row = 0; row < batch; row++)
          logits[(t * batch + row) * classes + (script[row]![t] ?? 0)] = 20;
      return { outputs: tensor3d(logits, [steps, batch, classes]), state: {} };
    },
  } as unknown as Model;
}

describe('ctc', () => {
  before(() => startEngine('reference', null));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('reads sounds that the table names, from its folder, with one deviation for all bands', async () => {
    const table = `file\tsaid\n${sound('a.wav', 0.1)}\tab\n${sound('b.wav', 0.2)}\tba`;
    const task = await open(table, { audio: 'file' }, { batchSize: 2 });
    assert.deepEqual(task.sizes, { input: { kind: 'vectors', features: 40 }, outputs: 4, steps: 21 });
    const { audio, scaling, symbols } = task.artifact() as unknown as CtcArtifact;
    assert.deepEqual(audio, { column: 'file', rate: 8000, features: { mels: 40, windowMs: 25, hopMs: 10 } });
    assert.equal(new Set(scaling.map(({ std }) => std)).size, 1);
    assert.equal(symbols.length, 4);
    const batch = task.trainingBatch(1);
    assert.deepEqual([...batch.lengths!].sort(), [11, 21]);
    assert.match(
      task.facts.notes.join('\n'),
      /2 sounds of 8,000 samples a second, as 40 log-mel features every 10 ms/,
    );
    // each band of all frames together has mean 0
    for (const band of [0, 17, 39]) {
      let sum = 0;
      for (let row = 0; row < 2; row++)
        for (let t = 0; t < batch.lengths![row]!; t++) sum += batch.input[(t * 2 + row) * 40 + band]!;
      assert.ok(Math.abs(sum) < 1e-3, String(sum));
    }
  });

  it('takes a sound alone, and none of another rate than the one that was learned from', async () => {
    const table = `file\tsaid\n${sound('a.wav', 0.1)}\tab\n${sound('b.wav', 0.2)}\tba`;
    const data = { audio: 'file' };
    const artifact = (await open(table, data)).artifact() as unknown as CtcArtifact;
    const model = modelThatSays([[1]], artifact.symbols.length);
    const { rows } = await predictUnaligned(model, artifact, join(folder, 'sounds', 'b.wav'));
    assert.deepEqual(
      rows.map(({ line, file, prediction }) => ({ line, file, prediction })),
      [{ line: 1, file: 'b.wav', prediction: artifact.symbols[1] }],
    );

    writeFileSync(join(folder, 'o.tsv'), `file\tsaid\n${sound('other.wav', 0.1, { rate: 4000 })}\tab`);
    const experiment = experimentSchema.parse({
      data: { task: 'ctc', path: 'o.tsv', target: 'said', audio: 'file' },
      model: { layers: [{ type: 'dense' }] },
    });
    await assert.rejects(
      openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] }, artifact),
      /o\.tsv, line 2: sounds\/other\.wav has 4,000 samples a second, but what this run learned from has 8,000/,
    );
  });

  it('reads series and texts, and takes labels as words', async () => {
    const series = 'id\tsaid\tx\n1\tup down\t1\n1\tup down\t2\n1\tup down\t5\n2\tdown\t4';
    const task = await open(series, { values: ['x'], id: 'id', units: 'words' }, { batchSize: 2 });
    const { symbols } = task.artifact() as unknown as CtcArtifact;
    const batch = task.trainingBatch(1);
    const said = [0, 1].map(row => labelsIn(batch.targets, 2, row).map(label => symbols[label]));
    assert.deepEqual(
      said.sort((a, b) => a.length - b.length),
      [['down'], ['up', 'down']],
    );
    const text = await open('code\tsaid\n.-\tA\n-...\tB', { text: 'code' }, { batchSize: 2 });
    assert.deepEqual(text.sizes, { input: { kind: 'tokens', vocabulary: 3 }, outputs: 4, steps: 4 });
  });

  it('the loss and the error rate of a batch are those of its sequences together', async () => {
    const table = 'code\tsaid\nxyxyx\tab\nyyx\tbb\nxyxxyxy\tabca';
    const task = await open(table, { text: 'code' }, { batchSize: 3 });
    const batch = task.trainingBatch(1);
    const { symbols } = task.artifact() as unknown as CtcArtifact;
    const classes = symbols.length;
    const logits = Float32Array.from({ length: batch.seqLen * 3 * classes }, (_, i) => ((i * 37) % 23) / 7);
    const all = emptyScore();
    task.score(tensor3d(logits, [batch.seqLen, 3, classes]), batch, all);
    assert.equal(all.count, 8);
    let sum = 0;
    for (let row = 0; row < 3; row++) {
      const steps = batch.lengths![row]!;
      const own = Float32Array.from(
        { length: steps * classes },
        (_, i) => logits[(Math.floor(i / classes) * 3 + row) * classes + (i % classes)]!,
      );
      const labels = labelsIn(batch.targets, 3, row);
      const targets = Int32Array.from({ length: steps }, (_, i) => labels[i] ?? -1);
      const alone = emptyScore();
      const one = { ...batch, seqLen: steps, batch: 1, lengths: null, targets };
      task.score(tensor3d(own, [steps, 1, classes]), one, alone);
      sum += alone.lossSum;
    }
    assert.ok(Math.abs(all.lossSum - sum) < 1e-4, `${all.lossSum}, one by one ${sum}`);
    const mask = Float32Array.from({ length: batch.seqLen * 3 }, (_, at) =>
      Math.floor(at / 3) < batch.lengths![at % 3]! ? 1 : 0,
    );
    const loss = task.loss(tensor3d(logits, [batch.seqLen, 3, classes]), batch.targets, mask);
    assert.ok(Math.abs(loss.dataSync()[0]! - sum / 8) < 1e-5);
  });

  it('shows and predicts the answer with its alignment, and counts errors for each label', async () => {
    const table = 'code\tsaid\nxyxyx\tab\nyyxxy\tbb';
    const task = await open(table, { text: 'code', shuffle: false });
    const artifact = task.artifact() as unknown as CtcArtifact;
    const [a, b] = ['a', 'b'].map(letter => artifact.symbols.indexOf(letter)) as [number, number];
    const model = modelThatSays(
      [
        [a, a, 0, b, 0],
        [0, b, b, 0, 0],
      ],
      artifact.symbols.length,
    );
    const shown = task.sample(model, 1);
    let step = shown.next();
    while (!step.done) step = shown.next();
    const sample = step.value as Extract<Sample, { type: 'decoded' }>;
    assert.deepEqual(sample.rows, [
      { source: 'xyxyx', truth: 'ab', prediction: 'ab', alignment: 'a_b_' },
      { source: 'yyxxy', truth: 'bb', prediction: 'b', alignment: '_b_' },
    ]);
    assert.ok(checkEvent({ kind: 'sample', step: 1, time: 1, sample })?.ok);
    const predicted = await predictUnaligned(model, artifact, join(folder, 'd.tsv'));
    assert.deepEqual(predicted.rows[0], {
      line: 2,
      truth: 'ab',
      prediction: 'ab',
      alignment: 'a_b_',
      steps: '0 3',
    });
    assert.deepEqual(predicted.facts, { labelErrorRate: 1 / 4, sequenceAccuracy: 1 / 2 });
    const beam = await predictUnaligned(model, artifact, join(folder, 'd.tsv'), { beams: 4 });
    assert.deepEqual(
      beam.rows.map(({ prediction, alignment }) => [prediction, alignment]),
      [
        ['ab', 'a_b_'],
        ['b', '_b_'],
      ],
    );
    assert.ok((beam.rows[0]!['logProbability'] as number) > -1e-6);
    writeFileSync(join(folder, 'unlabelled.tsv'), 'code\nxyxyx');
    const alone = await predictUnaligned(model, artifact, join(folder, 'unlabelled.tsv'));
    assert.deepEqual(alone.facts, { labelErrorRate: null, sequenceAccuracy: null });
    assert.equal(alone.summary, null);
  });

  const refused: [string, () => [string, object], RegExp][] = [
    [
      'a target of more labels than steps',
      () => ['code\tsaid\nxy\tab\nxy\tabc', { text: 'code' }],
      /^DataError: d\.tsv, line 3: the target has 3 characters, which takes 3 steps, but there are 2 steps\./,
    ],
    [
      'a target whose repeats need blanks',
      () => [`file\tsaid\n${sound('s.wav', 0.03)}\tabcc`, { audio: 'file' }],
      /line 2: the target has 4 characters and a blank between 1 pair of equal ones, which takes 5 steps, but sounds\/s\.wav has 4 steps/,
    ],
    [
      'mixed rates',
      () => [
        `file\tsaid\n${sound('a.wav', 0.1)}\ta\n${sound('c.wav', 0.1, { rate: 16_000 })}\tb`,
        { audio: 'file' },
      ],
      /line 3: sounds\/c\.wav has 16,000 samples a second, but a\.wav in line 2 has 8,000; all sounds of a table need one rate/,
    ],
    [
      'a truncated sound',
      () => {
        writeFileSync(join(folder, 'sounds', 't.wav'), wavOf([0.1, 0.2, 0.3]).slice(0, -1));
        return [`file\tsaid\n${sound('a.wav', 0.1)}\ta\nsounds/t.wav\tb`, { audio: 'file' }];
      },
      /d\.tsv, line 3: sounds\/t\.wav is truncated: its header tells of 6 bytes of sound, but 5 follow/,
    ],
    [
      'a sound that is not there',
      () => ['file\tsaid\nsounds/none.wav\tb', { audio: 'file' }],
      /d\.tsv, line 2: The data file sounds\/none\.wav does not exist/,
    ],
    [
      'a sound outside of the workspace',
      () => ['file\tsaid\n/etc/hostname\tb', { audio: 'file' }],
      /line 2: The data file \/etc\/hostname is outside of the workspace/,
    ],
    [
      'a row without a target',
      () => ['code\tsaid\nxy\ta\nxy\t', { text: 'code' }],
      /line 3: the target in column "said" is empty/,
    ],
    [
      'a column that is not there',
      () => ['code\tsaid\nxy\ta', { text: 'cod' }],
      /no column "cod"; did you mean "code"\?/,
    ],
  ];
  for (const [name, made, message] of refused)
    it(`refuses ${name}, with the place`, async () => {
      await assert.rejects(open(...made()), message);
    });

  it('Morse code is drawn as it is written: dashes of three dots, pauses of three behind letters', () => {
    const { input, lengths, targets, batch } = morseBatch({ length: 2, noise: 0 }, 40, 1, 'test', 0);
    for (let row = 0; row < batch; row++) {
      const key = Array.from({ length: lengths![row]! }, (_, t) => input[t * batch + row]!).join('');
      const dots = [1, 2, 3].filter(dot =>
        new RegExp(`^(?:(?:1{${dot}}|1{${3 * dot}})(?:0{${dot}}|0{${3 * dot}}))+$`).test(key),
      );
      const labels = labelsIn(targets, batch, row);
      assert.equal(labels.length, 2);
      const codes = dots.map(dot =>
        key
          .match(new RegExp(`.{${dot}}`, 'g'))!
          .map(([first]) => first)
          .join('')
          .split('000')
          .slice(0, 2)
          .map(letter => letter.replace(/111/g, '-').replace(/1/g, '.').replace(/0/g, '')),
      );
      const expected = labels.map(label => KNOWN[label - 1]!);
      assert.ok(
        codes.some(code => code.join() === expected.join()),
        `${key}: ${expected}`,
      );
    }
  });
});

/** By hand, A to Z. */
const KNOWN =
  '.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --..'.split(
    ' ',
  );
