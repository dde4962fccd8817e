// Sequence to sequence: parts, vocabularies, batches and scores of pairs, and what of a table is refused.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor, tensor3d } from '@tensorflow/tfjs-core';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { pairsCode } from '../../../../src/trainer/export/pytorch/tasks/pairs.ts';
import type { FinishedRun } from '../../../../src/trainer/inference/finished-run.ts';
import { drawnBy } from '../../../../src/trainer/inference/predict/seq2seq.ts';
import type { Batch } from '../../../../src/trainer/layers/batch.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { evaluate } from '../../../../src/trainer/layers/evaluate.ts';
import type { Model } from '../../../../src/trainer/layers/model.ts';
import { editDistance } from '../../../../src/trainer/tasks/edit-distance.ts';
import { forcingAt, type TeacherForcing } from '../../../../src/trainer/tasks/forcing.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import {
  decoded,
  encodeWith,
  endsOf,
  type PairArtifact,
} from '../../../../src/trainer/tasks/pair-batches.ts';
import { alignmentsOf } from '../../../../src/trainer/tasks/pair-sample.ts';
import { emptyScore, type Task } from '../../../../src/trainer/tasks/task.ts';
import { Trainer } from '../../../../src/trainer/training/trainer.ts';

const folder = mkdtempSync(join(tmpdir(), 'unroll-seq2seq-'));

function experimentOf(data: object, training: object = {}) {
  return experimentSchema.parse({
    data: { task: 'seq2seq', path: 'd.tsv', ...data } as never,
    model: {
      encoder: [{ type: 'gru', units: 3 }],
      layers: [{ type: 'gru', units: 3 }, { type: 'attention' }, { type: 'dense' }],
    },
    training: { batchSize: 4, ...training },
  } satisfies ExperimentInput);
}

async function open(text: string, data: object = {}, training: object = {}): Promise<Task> {
  writeFileSync(join(folder, 'd.tsv'), text);
  return openTask(experimentOf(data, training), { base: folder, workspace: folder, allowedPaths: [] });
}

const artifactOf = (task: Task) => task.artifact() as unknown as PairArtifact;

/** The rows of (steps, batch) ids as texts. */
function textsOf({ seqLen, input, lengths }: Pick<Batch, 'seqLen' | 'input' | 'lengths'>, symbols: string[]) {
  const batch = input.length / seqLen;
  return Array.from({ length: batch }, (_, row) =>
    Array.from({ length: lengths![row]! }, (_, t) => symbols[input[t * batch + row]!]).join(''),
  );
}

const words = ['ab', 'abc', 'b', 'bca', 'cab', 'ca', 'acb', 'bb', 'cc', 'aabb'];
const table = words.map(word => `${word}\t${[...word].reverse().join('').toUpperCase()}`).join('\n');

describe('seq2seq', () => {
  before(() => startEngine('reference', null));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('gives the decoder the start and the target, and asks for the target and the end', async () => {
    const task = await open(table, { split: [1, 0, 0] }, { batchSize: 10 });
    const { sourceSymbols, targetSymbols } = artifactOf(task);
    const batch = task.trainingBatch(1);
    const sources = textsOf(batch.source!, sourceSymbols);
    assert.deepEqual([...sources].sort(), [...words].sort());
    const targets = sources.map(text => [...text].reverse().join('').toUpperCase());
    assert.deepEqual(
      textsOf(batch, targetSymbols),
      targets.map(text => `<start>${text}`),
    );
    assert.deepEqual(
      textsOf({ ...batch, input: batch.targets }, targetSymbols),
      targets.map(text => `${text}<end>`),
    );
    assert.deepEqual(task.sizes, {
      input: { kind: 'tokens', vocabulary: 6 },
      source: { kind: 'tokens', vocabulary: 4 },
      outputs: 6,
      steps: 5,
    });
  });

  it('holds every pair once, and takes vocabularies from the training part alone', async () => {
    const data = { split: [0.6, 0.2, 0.2], shuffle: false };
    const task = await open(`${table}\nzz\tZQ\n`.replace('cc\tCC\n', ''), data, { batchSize: 1 });
    const { sourceSymbols, targetSymbols } = artifactOf(task);
    assert.deepEqual(targetSymbols.slice(-2), ['<start>', '<end>']);
    assert.ok(!sourceSymbols.includes('z') && !targetSymbols.includes('Q'));
    const of = (batches: Iterable<Batch>) =>
      [...batches].flatMap(batch => textsOf(batch.source!, sourceSymbols));
    assert.deepEqual(of(task.validation()).sort(), ['acb', 'bb'].sort());
    assert.deepEqual(of(task.test()).sort(), ['aabb', '\uFFFD\uFFFD'].sort());
    const train = of(Array.from({ length: 6 }, (_, step) => task.trainingBatch(step + 1)));
    assert.deepEqual(train.sort(), words.slice(0, 6).sort());
  });

  it('scores the symbols of the targets alone, forced and free-running', async () => {
    const task = await open('a\txy\nb\tx\n', { split: [1, 0, 0] }, { batchSize: 2 });
    const { targetSymbols } = artifactOf(task);
    const batch = task.trainingBatch(1);
    const classes = targetSymbols.length;
    // right at each step but the first of the first row; what stands behind the shorter end is never counted
    const logits = new Float32Array(batch.seqLen * 2 * classes);
    for (let t = 0; t < batch.seqLen; t++)
      for (let row = 0; row < 2; row++) {
        const own = batch.targets[t * 2 + row]!;
        logits[(t * 2 + row) * classes + (t === 0 && row === 0 ? targetSymbols.length - 2 : own)] = 5;
      }
    const score = emptyScore();
    task.score(tensor3d(logits, [batch.seqLen, 2, classes]), batch, score);
    assert.equal(score.count, 5);
    assert.equal(task.metrics(score)['accuracy'], 4 / 5);
    const rest = Math.log(Math.E ** 5 + classes - 1);
    assert.ok(Math.abs(score.lossSum - (5 * rest - 4 * 5)) < 1e-4);
    assert.equal(task.metrics(score)['sequenceAccuracy'], undefined);
  });

  it('learns a handful of pairs by heart, and then writes them by itself', async () => {
    const training = { batchSize: 10, optimizer: { type: 'adam', learningRate: 0.05 } };
    const data = { split: [1, 0, 0] };
    const task = await open(table, data, training);
    const trainer = new Trainer(experimentOf(data, training), task);
    const { model } = trainer;
    const ends = endsOf(artifactOf(task));
    const batch = task.trainingBatch(1);
    const free = () => {
      const score = emptyScore();
      task.score(tensor3d(new Float32Array(5 * 10 * 6), [5, 10, 6]), batch, score);
      task.run!(model, batch, score);
      return task.metrics(score);
    };
    const untrained = free();
    assert.ok(untrained['sequenceAccuracy']! < 0.5);
    for (let step = 0; step < 300; step++) trainer.advance();
    const figures = free();
    const answers = decoded(model, batch, ends);
    const targets = textsOf({ ...batch, input: batch.targets }, artifactOf(task).targetSymbols);
    const right = answers.filter(
      (ids, row) => `${ids.map(id => artifactOf(task).targetSymbols[id]).join('')}<end>` === targets[row],
    ).length;
    assert.equal(figures['sequenceAccuracy'], right / 10);
    assert.ok(right >= 9, `${right} of 10 after training`);
    trainer.dispose();
  });

  it('draws no alignment of a pair beside that is far too long, and reads it by no pass over all of its steps', async () => {
    const long = 'A'.repeat(70);
    const task = await open(table, { split: [1, 0, 0] }, { batchSize: 10 });
    const model = buildModel(experimentOf({}), task.sizes, 1);
    const artifact = artifactOf(task);
    const encode = encodeWith(artifact);
    const pairs = ['AB', long, 'BA'].map(text =>
      encode({ source: [...text.toLowerCase()], target: [...text] }),
    );
    const read: number[] = [];
    const watched: Model = {
      ...model,
      encode(source, options) {
        read.push(source.shape[0]!);
        return model.encode(source, options);
      },
    };
    const [first, none, last] = alignmentsOf(watched, pairs, artifact);
    assert.equal(none, null);
    assert.deepEqual(
      [first!.source, last!.source],
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
    );
    assert.deepEqual(
      first!.weights.map(({ length }) => length),
      [2, 2, 2],
    );
    assert.deepEqual(read, [2]);
    assert.deepEqual(alignmentsOf(watched, [pairs[1]!], artifact), [null]);
    model.dispose();
  });

  it('writes as far as the decoder has learned positions: sample, free-running score and exported code', async () => {
    const data = { split: [1, 0, 0] };
    const task = await open(table, data, { batchSize: 10 });
    const { model: description } = experimentSchema.parse({
      data: { task: 'seq2seq', path: 'd.tsv' },
      model: {
        encoder: [{ type: 'gru', units: 4 }],
        layers: [
          { type: 'embedding', dim: 4 },
          { type: 'transformer', heads: 2, crossAttention: true },
          { type: 'attention', score: 'dot' },
          { type: 'dense' },
        ],
      },
    } satisfies ExperimentInput);
    const experiment = { ...experimentOf(data), model: description };
    const model = buildModel(experiment, task.sizes, 1);
    const { steps } = task.sizes;
    // it says B without an end
    const bias = artifactOf(task).targetSymbols.map(symbol => (symbol === 'B' ? 100 : 0));
    model.variables.get('layers.3.bias')!.assign(tensor(bias));
    const written = 'B'.repeat(steps!);
    const making = task.sample!(model, 1);
    let made = making.next();
    while (!made.done) made = making.next();
    const sample = made.value;
    assert.ok(sample?.type === 'decoded');
    assert.equal(sample.rows.length, 8);
    for (const { prediction, attention } of sample.rows) {
      assert.equal(prediction, written);
      // a row for each symbol, and none for an end that was never said
      assert.deepEqual(attention!.target, [...written]);
      assert.equal(attention!.weights.length, steps);
      for (const row of attention!.weights)
        assert.ok(Math.abs(row.reduce((sum, own) => sum + own) - 1) < 1e-3);
    }
    const score = emptyScore();
    task.run!(model, task.trainingBatch(1), score);
    const lengths = words.map(({ length }) => length);
    assert.equal(
      score.sums['free tokens'],
      lengths.reduce((sum, length) => sum + length + 1, 0),
    );
    const run = { run: { experiment }, sizes: task.sizes, artifact: task.artifact() };
    assert.match(pairsCode(run as unknown as FinishedRun), /^MOST_STEPS = 5$/m);
    model.dispose();
  });

  it('mixes in what the decoder says itself, at the rate of the schedule', async () => {
    const teacherForcing = { ratio: 0.25, schedule: 'constant' };
    const data = { split: [1, 0, 0] };
    const task = await open(table, data, { batchSize: 10, teacherForcing });
    const trainer = new Trainer(experimentOf(data, { batchSize: 10, teacherForcing }), task);
    const batch = task.trainingBatch(1);
    let [own, all] = [0, 0];
    for (let step = 1; step <= 60; step++) {
      const { batch: read, forced } = task.sampledBatch!(trainer.model, batch, step);
      const { outputs } = evaluate(trainer.model, read, 'every-step', null);
      const logits = outputs.dataSync();
      let [changed, steps] = [0, 0];
      for (let t = 0; t < batch.seqLen; t++)
        for (let row = 0; row < 10; row++) {
          const [at, before] = [t * 10 + row, ((t - 1) * 10 + row) * 6];
          if (t === 0 || t >= batch.lengths![row]!) {
            assert.equal(read.input[at], batch.input[at]);
            continue;
          }
          steps++;
          if (read.input[at] === batch.input[at]) continue;
          changed++;
          // what differs is the most likely symbol after what was read before
          const said = [...logits.slice(before, before + 6)];
          assert.equal(read.input[at], said.indexOf(Math.max(...said)));
        }
      assert.ok(changed <= Math.round((1 - forced) * steps));
      own += (1 - forced) * steps;
      all += steps;
    }
    const deviation = Math.sqrt((0.25 * 0.75) / all);
    assert.ok(Math.abs(own / all - 0.75) < 4 * deviation, `${own / all}`);
    assert.equal(typeof trainer.advance().forced, 'number');
    trainer.dispose();
  });

  it('lets the probability of the true symbol fall from 1 to the ratio', () => {
    const at = (schedule: TeacherForcing['schedule'], step: number) =>
      forcingAt({ ratio: 0.2, schedule }, step, 101);
    assert.equal(at('constant', 1), 0.2);
    assert.ok(Math.abs(at('linear', 51) - 0.6) < 1e-12);
    assert.ok(Math.abs(at('inverse-sigmoid', 51) - 0.6) < 1e-12);
    for (const schedule of ['linear', 'exponential', 'inverse-sigmoid'] as const) {
      const all = Array.from({ length: 101 }, (_, step) => at(schedule, step + 1));
      assert.ok(Math.abs(all[0]! - 1) < 0.003 && Math.abs(all[100]! - 0.2) < 0.01, schedule);
      for (let step = 1; step < 101; step++) assert.ok(all[step]! < all[step - 1]!);
    }
  });

  it('counts edits', () => {
    const cases: [string, string, number][] = [
      ['kitten', 'sitting', 3],
      ['', 'abc', 3],
      ['abc', '', 3],
      ['abc', 'abc', 0],
      ['flaw', 'lawn', 2],
    ];
    for (const [a, b, distance] of cases) assert.equal(editDistance([...a], [...b]), distance, `${a} → ${b}`);
  });

  it('reads columns by name, words and bytes', async () => {
    const text = 'n\tfrom\tto\n1\tone two\tü\n2\tthree\tu\n';
    const data = { source: 'from', target: 'to', units: 'words', targetUnits: 'bytes', split: [1, 0, 0] };
    const task = await open(text, data);
    const { sourceSymbols, targetSymbols, maxTarget } = artifactOf(task);
    assert.deepEqual(sourceSymbols.slice(0, -1), ['one', 'three', 'two']);
    assert.equal(targetSymbols.length, 258);
    assert.equal(maxTarget, 2);
  });

  it('takes the tabs of a .tsv file, however many commas its texts have', async () => {
    const task = await open('May 1, 1, 2\ta\nb,c\td\n', { split: [1, 0, 0] }, { batchSize: 2 });
    const { maxSource, maxTarget } = artifactOf(task);
    assert.deepEqual([maxSource, maxTarget], [11, 1]);
  });

  it('reads pairs of JSON lines by their keys, or by number', async () => {
    writeFileSync(join(folder, 'd.jsonl'), '{"n":1,"to":"AB","from":"ab"}\n{"n":2,"to":"C","from":"c"}\n');
    for (const columns of [
      { source: 'from', target: 'to' },
      { source: 2, target: 1 },
    ]) {
      const experiment = experimentOf({ path: 'd.jsonl', split: [1, 0, 0], ...columns }, { batchSize: 2 });
      const task = await openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
      const batch = task.trainingBatch(1);
      const { sourceSymbols, targetSymbols } = artifactOf(task);
      assert.deepEqual(textsOf(batch.source!, sourceSymbols).sort(), ['ab', 'c']);
      assert.deepEqual(textsOf({ ...batch, input: batch.targets }, targetSymbols).sort(), [
        'AB<end>',
        'C<end>',
      ]);
    }
  });

  it('takes lists of texts or numbers as they are cut, also where a text has a space', async () => {
    const rows = [
      { from: ['New York', 'is'], to: [7, 5] },
      { from: ['is'], to: [5] },
    ];
    writeFileSync(join(folder, 'd.jsonl'), rows.map(row => JSON.stringify(row)).join('\n'));
    const columns = { source: 'from', target: 'to' };
    const experiment = experimentOf({ path: 'd.jsonl', split: [1, 0, 0], ...columns }, { batchSize: 2 });
    const task = await openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
    const { sourceSymbols, targetSymbols, units, targetUnits } = artifactOf(task);
    assert.deepEqual(sourceSymbols.slice(0, -1), ['is', 'New York']);
    assert.deepEqual(targetSymbols.slice(0, -3), ['5', '7']);
    assert.deepEqual([units, targetUnits], ['spaced', 'spaced']);
    assert.deepEqual(textsOf(task.trainingBatch(1).source!, sourceSymbols).sort(), ['New Yorkis', 'is']);
  });

  it('draws symbols by temperature, the same for the same seed and line, whatever stands beside it', async () => {
    const task = await open(table, { split: [1, 0, 0] }, { batchSize: 10 });
    const trainer = new Trainer(experimentOf({ split: [1, 0, 0] }, { batchSize: 10 }), task);
    const ends = endsOf(artifactOf(task));
    const batch = task.trainingBatch(1);
    const lines = Array.from({ length: 10 }, (_, row) => row + 1);
    const written = (drawing: { seed: number; temperature: number; topK?: number }) =>
      decoded(trainer.model, batch, ends, drawnBy(drawing, lines));
    const greedily = decoded(trainer.model, batch, ends);
    assert.deepEqual(written({ seed: 1, temperature: 0 }), greedily);
    assert.deepEqual(written({ seed: 3, temperature: 9, topK: 1 }), greedily);
    const hot = written({ seed: 1, temperature: 9 });
    assert.deepEqual(written({ seed: 1, temperature: 9 }), hot);
    assert.notDeepEqual(written({ seed: 2, temperature: 9 }), hot);
    // a line's own stream: the same line draws the same numbers in any row of a batch
    const [first, last] = [
      drawnBy({ seed: 1, temperature: 1 }, [7, 8]),
      drawnBy({ seed: 1, temperature: 1 }, [8, 7]),
    ];
    const even = new Float32Array(2 * 50);
    for (let t = 0; t < 5; t++) assert.equal(first.choose!(even, 0, 50), last.choose!(even, 1, 50));
    trainer.dispose();
  });

  it('leaves out pairs without a side and those that are too long, and says where', async () => {
    const task = await open('a\tb\nc\t\nabcd\te\nf\tg', { maxLength: 3, split: [1, 0, 0] });
    const notes = task.facts.notes.join(' ');
    assert.match(notes, /1 pair without a source or a target is left out \(line 2\)/);
    assert.match(notes, /1 pair longer than 3 steps is left out \(line 3\)/);
  });

  it('tells of pairs that stand in the training part and outside of it', async () => {
    const task = await open('a\tb\nc\td\ne\tf\na\tb', { shuffle: false, split: [0.5, 0.25, 0.25] });
    assert.match(
      task.facts.notes.join(' '),
      /1 pair of 2 in validation and test stands in the training part/,
    );
  });

  const refused: [string, string, object, RegExp][] = [
    ['a row that is too short', 'a\tb\nc', {}, /d\.tsv, line 2: there is no column 1 .* the row has 1 cell/],
    [
      'a column that is not there',
      'from\tto\na\tb',
      { source: 'form', target: 'to' },
      /no column "form"; did you mean "from"\?/,
    ],
    ['a table without pairs', 'from\tto', { source: 'from', target: 'to' }, /d\.tsv holds no pair/],
  ];
  for (const [name, text, data, message] of refused)
    it(`refuses ${name}, with the place`, async () => {
      await assert.rejects(open(text, data), message);
    });
});
