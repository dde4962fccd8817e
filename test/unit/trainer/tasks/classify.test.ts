// Classification: parts, vocabulary, padding and scores of sequences of unequal lengths, and what of a table is refused.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tensor, tensor3d } from '@tensorflow/tfjs-core';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import type { Sample } from '../../../../src/runs/format.ts';
import { checkEvent } from '../../../../src/runs/validate.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { predictClasses, sequencesOf } from '../../../../src/trainer/inference/predict/classify.ts';
import type { Batch } from '../../../../src/trainer/layers/batch.ts';
import type { Model } from '../../../../src/trainer/layers/model.ts';
import { batchesOfEpoch, paddingOf } from '../../../../src/trainer/tasks/buckets.ts';
import type { ClassifyArtifact } from '../../../../src/trainer/tasks/classify.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { sequenceBatches } from '../../../../src/trainer/tasks/sequence-batches.ts';
import { emptyScore, type Task } from '../../../../src/trainer/tasks/task.ts';
import { wavOf } from '../data/wav-of.ts';

const folder = mkdtempSync(join(tmpdir(), 'unroll-classify-'));

async function open(text: string, data: object, training: object = {}): Promise<Task> {
  writeFileSync(join(folder, 'd.tsv'), text);
  const experiment = experimentSchema.parse({
    data: { task: 'classify', path: 'd.tsv', label: 'class', ...data } as never,
    model: { layers: [{ type: 'gru', units: 3 }, { type: 'dense' }] },
    training: { batchSize: 4, ...training },
  } satisfies ExperimentInput);
  return openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
}

/** Texts of 1 to 9 letters; twenty of class a, ten of b. */
const rows = Array.from({ length: 30 }, (_, index) => {
  const letter = index % 3 === 0 ? 'b' : 'a';
  return `${letter.repeat(1 + (index % 9))}\t${letter}`;
});
const table = ['text\tclass', ...rows].join('\n');

function textsOf(batch: Batch, symbols: readonly string[]): string[] {
  return Array.from({ length: batch.batch }, (_, row) =>
    Array.from({ length: batch.lengths![row]! }, (_, t) => symbols[batch.input[t * batch.batch + row]!]).join(
      '',
    ),
  );
}

describe('classify', () => {
  before(() => startEngine('reference', null));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('shows classes with their probability, and counts which are taken for which', async () => {
    const split = [0.4, 0.6, 0];
    const task = await open(table, { text: 'text', split });
    // a model that says b with logit 2 whatever it reads
    const model = {
      context: null,
      forward: (input: Tensor) => ({
        outputs: tensor3d(
          Float32Array.from({ length: 2 * input.shape[1]! }, (_, i) => 2 * (i % 2)),
          [1, input.shape[1]!, 2],
        ),
        state: {},
      }),
    } as unknown as Model;
    const shown = task.sample(model, 1);
    let step = shown.next();
    while (!step.done) step = shown.next();
    const sample = step.value as Extract<Sample, { type: 'classes' }>;
    // both classes, though one fills the beginning of the validation part
    assert.deepEqual(
      sample.rows.map(({ truth }) => truth),
      [...'aaaabbbb'],
    );
    for (const { prediction, probability } of sample.rows) {
      assert.equal(prediction, 'b');
      assert.ok(Math.abs(probability - Math.exp(2) / (1 + Math.exp(2))) < 1e-6, String(probability));
    }
    const all = [...task.validation()].reduce((sum, { batch }) => sum + batch, 0);
    assert.deepEqual(sample.confusion, {
      classes: ['a', 'b'],
      counts: [
        [0, 12],
        [0, all - 12],
      ],
    });
    assert.ok(checkEvent({ kind: 'sample', step: 1, time: 1, sample })?.ok);
    const broken = { ...sample, confusion: { classes: ['a', 'b'], counts: [[1, 2]] } };
    assert.ok(!checkEvent({ kind: 'sample', step: 1, time: 1, sample: broken })?.ok);
  });

  it('counts the labels of the data, by name where they are few', async () => {
    const task = await open(table, { text: 'text' });
    assert.deepEqual(task.read, { rows: 30, labels: 2, 'label a': 20, 'label b': 10 });
    const names = Array.from({ length: 60 }, (_, at) => `x\tname ${at % 51}`);
    const many = await open(['text\tclass', ...names].join('\n'), { text: 'text' });
    assert.deepEqual(many.read, { rows: 60, labels: 51 });
  });

  it('keeps the shares of each class in each part, and every sequence in one part', async () => {
    const task = await open(table, { text: 'text', split: [0.6, 0.2, 0.2] }, { batchSize: 1 });
    const { symbols } = task.artifact() as unknown as ClassifyArtifact;
    const collect = (batches: Iterable<Batch>) => [...batches].flatMap(batch => textsOf(batch, symbols));
    const train = collect(Array.from({ length: 18 }, (_, step) => task.trainingBatch(step + 1)));
    const parts = [train, collect(task.validation()), collect(task.test())];
    const countsOf = (texts: string[]) =>
      ['a', 'b'].map(letter => texts.filter(text => text.startsWith(letter)).length);
    assert.deepEqual(parts.map(countsOf), [
      [12, 6],
      [4, 2],
      [4, 2],
    ]);
    assert.deepEqual(parts.flat().sort(), rows.map(row => row.split('\t')[0]!).sort());
    assert.equal(task.epochOf(18), 0);
    assert.equal(task.epochOf(19), 1);
  });

  it('takes the parts in the order of the file where it is not to shuffle', async () => {
    const texts = ['x', 'xx', 'xxx', 'xxxx', 'y', 'yy', 'yyy', 'yyyy'];
    const lines = texts.map(text => `${text}\t${text[0]}`);
    const data = { text: 'text', shuffle: false, split: [0.5, 0.25, 0.25] };
    const task = await open(['text\tclass', ...lines].join('\n'), data, { batchSize: 8 });
    const { symbols } = task.artifact() as unknown as ClassifyArtifact;
    assert.deepEqual(textsOf([...task.validation()][0]!, symbols).sort(), ['xxx', 'yyy']);
    assert.deepEqual(textsOf([...task.test()][0]!, symbols).sort(), ['xxxx', 'yyyy']);
  });

  it('takes vocabulary and scaling from the training part alone', async () => {
    const lines = ['a\tu', 'ab\tu', 'q\tu', 'b\tv', 'ba\tv', 'z\tv'];
    const data = { text: 'text', shuffle: false, split: [0.6, 0.4, 0], minCount: 1 };
    const task = await open(['text\tclass', ...lines].join('\n'), data);
    const { symbols } = task.artifact() as unknown as ClassifyArtifact;
    assert.deepEqual(symbols.slice(0, -1).sort(), ['a', 'b']);
    const [batch] = [...task.validation()];
    // q and z were never seen: the last symbol stands for both
    assert.deepEqual([...batch!.input], [symbols.length - 1, symbols.length - 1]);
  });

  it('reads texts without case where that is asked, unseen ones too', async () => {
    const lines = ['Good fine\tu', 'good FINE\tu', 'bad sad\tv', 'Bad Sad\tv', 'GOOD\tu', 'BAD\tv'];
    const data = { text: 'text', units: 'words', shuffle: false, split: [0.6, 0.4, 0], lowercase: true };
    const task = await open(['text\tclass', ...lines].join('\n'), data);
    const { symbols } = task.artifact() as unknown as ClassifyArtifact;
    assert.deepEqual(symbols.slice(0, -1).sort(), ['bad', 'fine', 'good', 'sad']);
    const [batch] = [...task.validation()];
    assert.deepEqual([...batch!.input].map(id => symbols[id]).sort(), ['bad', 'good']);
  });

  it('reads series in long form, in the order of their rows, scaled by the training part', async () => {
    const steps = ['p,u,1,10', 'q,v,2,20', 'p,u,3,30', 'p,u,5,50', 'q,v,4,40'];
    const text = ['id,class,x,y', ...steps].join('\n').replaceAll(',', '\t');
    const task = await open(text, { values: ['x', 'y'], id: 'id', split: [1, 0, 0] });
    assert.deepEqual(task.sizes, { input: { kind: 'vectors', features: 2 }, outputs: 2, steps: 3 });
    assert.match(
      task.facts.notes.join('\n'),
      /rows of 2 of 2 series stand apart \(the first: "p", of line 2, goes on in line 4\): each is read as one/,
    );
    const batch = task.trainingBatch(1);
    assert.equal(batch.seqLen, 3);
    assert.deepEqual([...batch.lengths!].sort(), [2, 3]);
    const [mean, std] = [3, Math.sqrt(2)];
    const row = batch.lengths!.indexOf(3);
    const seen = [0, 1, 2].map(t => batch.input[(t * 2 + row) * 2]!);
    for (const [t, value] of [1, 3, 5].entries()) assert.ok(Math.abs(seen[t]! - (value - mean) / std) < 1e-6);
    const short = 1 - row;
    assert.deepEqual([...batch.input.subarray((4 + short) * 2, (4 + short) * 2 + 2)], [0, 0]);
  });

  it('scores accuracy and, class by class, balanced accuracy', async () => {
    const task = await open(table, { text: 'text' });
    const batch = { ...task.trainingBatch(1), batch: 4, targets: Int32Array.of(0, 0, 0, 1) };
    const score = emptyScore();
    // says a, a, b, b
    task.score(tensor3d([2, 0, 2, 0, 0, 2, 0, 2], [1, 4, 2]), batch, score);
    const { accuracy, balancedAccuracy } = task.metrics(score);
    assert.equal(accuracy, 3 / 4);
    assert.ok(Math.abs(balancedAccuracy! - (2 / 3 + 1) / 2) < 1e-12);
    const right = -Math.log(Math.E ** 2 / (Math.E ** 2 + 1));
    assert.ok(Math.abs(score.lossSum - (3 * right + (right + 2))) < 1e-5);
  });

  it('tells classes that differ in case alone, but for letters', async () => {
    const named = (names: readonly string[]) =>
      `text\tclass\n${Array.from({ length: 30 }, (_, row) => `${'ab'[row % 2]}\t${names[row % 3]}\n`).join('')}`;
    const told = async (names: readonly string[]) =>
      (await open(named(names), { text: 'text' })).facts.notes.filter(note => note.includes('case'));
    assert.deepEqual(await told(['pos', 'neg', 'Pos']), [
      'The classes "Pos" and "pos" differ in their case alone, and are learned as two.',
    ]);
    assert.deepEqual(await told(['a', 'A', 'neg']), []);
  });

  it('puts like lengths together: less padding, and every sequence once an epoch', () => {
    const lengths = Array.from({ length: 96 }, (_, index) => 1 + ((index * 37) % 60));
    for (const epoch of [0, 1]) {
      const own = batchesOfEpoch(lengths, 8, 1, epoch, true);
      assert.deepEqual(
        [...own].flat().sort((a, b) => a - b),
        lengths.map((_, index) => index),
      );
      const mixed = batchesOfEpoch(lengths, 8, 1, epoch, false);
      assert.ok(paddingOf(own, lengths) < paddingOf(mixed, lengths) / 3);
    }
    assert.notDeepEqual(
      [...batchesOfEpoch(lengths, 8, 1, 0, true)],
      [...batchesOfEpoch(lengths, 8, 1, 1, true)],
    );
    assert.deepEqual(
      [...batchesOfEpoch(lengths, 8, 1, 1, true)],
      [...batchesOfEpoch(lengths, 8, 1, 1, true)],
    );
    assert.equal(paddingOf([[0, 1]], [3, 1]), 1 - 4 / 6);
  });

  it('holds out the longest first, equal ones in their order, however large their lengths', () => {
    const places = Array.from({ length: 50 }, (_, index) => 200 - 3 * index);
    for (const unit of [1, 1000, 2 ** 46]) {
      const lengthOf = (place: number) => unit * (1 + (place % 7));
      const stepsOf = (place: number) => 1 + (place % 7);
      const { held } = sequenceBatches([1, 2, 3, 4], lengthOf, {
        ...{ batchSize: 4, seed: 1, bucketed: true, stepsOf },
      });
      assert.deepEqual(
        [...held(places, Number.POSITIVE_INFINITY)].flat(),
        places.toSorted((a, b) => lengthOf(b) - lengthOf(a)),
      );
    }
  });

  it('reads sounds, one a row, as log-mel features', async () => {
    const tone = (name: string, turn: number) =>
      writeFileSync(
        join(folder, name),
        wavOf(Array.from({ length: 800 }, (_, i) => 0.5 * Math.sin(i * turn))),
      );
    tone('low.wav', 0.2);
    tone('high.wav', 1.7);
    const text = 'file\tclass\nlow.wav\tu\nhigh.wav\tv';
    const task = await open(text, { audio: 'file', features: { mels: 20 }, split: [1, 0, 0] });
    assert.deepEqual(task.sizes, { input: { kind: 'vectors', features: 20 }, outputs: 2, steps: 11 });
    const artifact = task.artifact() as unknown as ClassifyArtifact;
    assert.deepEqual(artifact.audio, {
      column: 'file',
      rate: 8000,
      features: { mels: 20, windowMs: 25, hopMs: 10 },
    });
    assert.match(task.facts.notes.join(), /2 sounds of 8,000 samples a second, as 20 log-mel features/);
    const { input, batch, targets } = task.trainingBatch(1);
    // the loudest band of the fifth step stands higher where the tone is
    const loudest = (row: number) => {
      const at = (5 * batch + row) * 20;
      const bands = [...input.subarray(at, at + 20)].map(
        (value, band) => value * artifact.scaling[band]!.std + artifact.scaling[band]!.mean,
      );
      return bands.indexOf(Math.max(...bands));
    };
    const [low, high] = [targets.indexOf(0), targets.indexOf(1)];
    assert.ok(loudest(low) < loudest(high), `${loudest(low)}, ${loudest(high)}`);

    // the class that is likelier by e
    const model = {
      forward: ({ shape: [, count] }: Tensor) => ({
        outputs: tensor3d(Array.from({ length: count! }, () => [0, 1]).flat(), [1, count!, 2]),
      }),
    } as unknown as Model;
    const { rows } = await predictClasses(model, artifact, join(folder, 'high.wav'));
    assert.deepEqual(
      rows.map(({ probability: _, ...row }) => row),
      [{ line: 1, file: 'high.wav', prediction: 'v' }],
    );
  });

  const refused: [string, string, object, RegExp][] = [
    [
      'one class',
      'text\tclass\na\tu\nb\tu',
      { text: 'text' },
      /All 2 sequences of d\.tsv are of the class "u"/,
    ],
    [
      'an empty class',
      'text\tclass\na\tu\nb\t\nc\tv',
      { text: 'text' },
      /d\.tsv, line 3: the class in column "class" is empty/,
    ],
    [
      'a column that is not there',
      'text\tclass\na\tu\nb\tv',
      { text: 'txt' },
      /no column "txt"; did you mean "text"\?/,
    ],
    [
      'a series of two classes',
      'id\tclass\tx\n1\tu\t1\n1\tv\t2',
      { values: ['x'], id: 'id' },
      /line 3: series "1" is of class "v" here and of "u" in line 2/,
    ],
    [
      'a hole in a series',
      'id\tclass\tx\n1\tu\t1\n2\tv\t\n2\tv\t3',
      { values: ['x'], id: 'id' },
      /line 3: "x" is empty/,
    ],
    [
      'a ragged row',
      'text\tclass\na\tu\nb',
      { text: 'text' },
      /line 3: 1 cells?, but the header names 2 columns/,
    ],
  ];
  for (const [name, text, data, message] of refused)
    it(`refuses ${name}, with the place`, async () => {
      await assert.rejects(open(text, data), message);
    });

  it('takes columns by number, with and without a header', async () => {
    const facts = async (text: string, data: object) => {
      const task = await open(text, data);
      return { read: task.read, notes: task.facts.notes, batch: textInputs(task) };
    };
    const textInputs = (task: Task) => Array.from(task.trainingBatch(1).input);
    const named = await facts(table, { text: 'text' });
    for (const [text, data] of [
      [rows.join('\n'), { text: 0, label: 1 }],
      [rows.join('\n'), { text: 0, label: 1, header: false }],
      [table, { text: 0, label: 1, header: true }],
      [table, { text: 'text', label: 1 }],
    ] as const)
      assert.deepEqual(await facts(text, data), named);

    const series = ['0\ta\t1', '0\ta\t2', '1\tb\t3', '1\tb\t4', '2\ta\t5', '3\tb\t6'];
    const data = { label: 1, id: 0, values: [2], split: [1, 0, 0], shuffle: false };
    const task = await open(series.join('\n'), data);
    const artifact = task.artifact() as unknown as ClassifyArtifact;
    assert.deepEqual(artifact.columns, ['2']);
    assert.deepEqual(artifact.scaling[0]!.mean, 3.5);
    const rest = await open(['id\tclass\tx', ...series].join('\n'), { ...data, header: true });
    assert.deepEqual((rest.artifact() as unknown as ClassifyArtifact).columns, ['x']);
    assert.deepEqual(rest.trainingBatch(1), task.trainingBatch(1));

    await assert.rejects(open(rows.join('\n'), { text: 0, label: 2 }), {
      message: 'd.tsv has 2 columns; there is none of the number 2.',
    });
    await assert.rejects(open('x\ta\ny\n', { text: 0, label: 1 }), {
      message: 'd.tsv, line 2: 1 cell, but the first line has 2 columns.',
    });
  });

  it('says the classes of a file without a header, with and without its labels', async () => {
    const task = await open(rows.join('\n'), { text: 0, label: 1 });
    const artifact = task.artifact() as unknown as ClassifyArtifact;
    const path = join(folder, 'd.tsv');
    const { sequences, hasLabel } = await sequencesOf(artifact, path);
    assert.ok(hasLabel);
    assert.deepEqual(
      Array.from(sequences, ({ values, label }) => `${(values as string[]).join('')}\t${label}`),
      rows,
    );
    writeFileSync(path, rows.map(row => row.split('\t')[0]!).join('\n'));
    const alone = await sequencesOf(artifact, path);
    assert.ok(!alone.hasLabel);
    assert.equal(alone.sequences.length, 30);
  });

  it('tells classes that validation or test lacks', async () => {
    const task = await open(`${table}\nccc\tc\nccc\tc`, { text: 'text', split: [0.4, 0.5, 0.1] });
    const notes = task.facts.notes.filter(each => /too rare/.test(each));
    assert.deepEqual(notes, ['1 class is too rare for the test part: c.']);
  });

  it('tells of series that stand in the training part and outside of it', async () => {
    const series = Array.from({ length: 40 }, (_, at) => `s${at}\t${'pq'[at % 2]}\t${at % 4}`);
    const task = await open(['id\tclass\tx', ...series].join('\n'), { id: 'id', values: ['x'] });
    const note = task.facts.notes.find(each => /stand in the training part too/.test(each));
    assert.equal(note, '8 sequences of 8 in validation and test stand in the training part too.');
  });

  it('leaves out texts that are empty, and says where', async () => {
    const task = await open('text\tclass\na\tu\n""\tu\nb\tv\ncc\tv', { text: 'text', split: [1, 0, 0] });
    assert.match(task.facts.notes.join(' '), /1 text has no character and is left out \(line 3\)/);
  });

  describe('class weights', () => {
    const two = [
      'text\tclass',
      ...Array.from({ length: 40 }, (_, at) => `x${at}\t${at < 30 ? 'a' : 'b'}`),
    ].join('\n');
    const lossOf = (task: Task, classes: number[], logits: number[]) => {
      const outputs = tensor3d(logits, [1, classes.length, 2]);
      return task.loss(outputs, Int32Array.from(classes), null).dataSync()[0]!;
    };
    // −log softmax of the row at class 0 and 1
    const nats = (a: number, b: number) => [Math.log(1 + Math.exp(b - a)), Math.log(1 + Math.exp(a - b))];

    it('weigh the loss as torch.nn.CrossEntropyLoss(weight=…) does', async () => {
      const [classes, logits] = [
        [0, 1, 1, 0],
        [1, 2, -1, 0.5, 0, 3, 2, 2],
      ];
      const own = classes.map((target, row) => nats(logits[2 * row]!, logits[2 * row + 1]!)[target]!);
      for (const [asked, weights] of [
        [{ b: 5 }, [1, 5]],
        // 32 trained: 24 of a, 8 of b
        ['balanced', [32 / (2 * 24), 32 / (2 * 8)]],
      ] as const) {
        const task = await open(two, { text: 'text', classWeights: asked });
        const sum = own.reduce((total, value, row) => total + value * weights[classes[row]!]!, 0);
        const all = classes.reduce((total, target) => total + weights[target]!, 0);
        assert.ok(Math.abs(lossOf(task, classes, logits) - sum / all) < 1e-5, String(asked));
      }
      await assert.rejects(
        open(two, { text: 'text', classWeights: { c: 2 } }),
        /"classWeights" names "c", which is no class of d\.tsv/,
      );
    });
  });

  describe('images', () => {
    const image = (label: number, from: number) =>
      [...Array.from({ length: 6 }, (_, at) => from + at), label].join(',');
    const file = Array.from({ length: 20 }, (_, at) => image(at % 2, at % 2 ? 100 : 0)).join('\n');
    const openImages = async (data: object) => {
      writeFileSync(join(folder, 'i.csv'), file);
      return open('', { ...data, path: 'i.csv', label: 6, shuffle: false, split: [0.8, 0.2, 0] });
    };

    it('are read row by row, or pixel by pixel, in one scale', async () => {
      const rows = await openImages({ image: { width: 3, header: false } });
      assert.deepEqual(rows.sizes, { input: { kind: 'vectors', features: 3 }, outputs: 2, steps: 2 });
      const pixels = await openImages({ image: { width: 3, by: 'pixels', header: false } });
      assert.deepEqual(pixels.sizes, { input: { kind: 'vectors', features: 1 }, outputs: 2, steps: 6 });
      const values = [0, 1, 2, 3, 4, 5, 100, 101, 102, 103, 104, 105];
      const mean = values.reduce((sum, value) => sum + value) / 12;
      const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 12);
      const [batch] = [...rows.validation()];
      const first = Array.from({ length: 2 }, (_, t) => [
        ...batch!.input.subarray(t * batch!.batch * 3, t * batch!.batch * 3 + 3),
      ]).flat();
      const shown = values
        .slice(batch!.targets[0] ? 6 : 0, batch!.targets[0] ? 12 : 6)
        .map(value => (value - mean) / std);
      first.forEach((value, at) => {
        assert.ok(Math.abs(value - shown[at]!) < 1e-5);
      });
    });

    it('name what does not fit', async () => {
      await assert.rejects(
        openImages({ image: { width: 4, header: false } }),
        /6 columns beside the label, which are no whole rows of 4 pixels/,
      );
      writeFileSync(join(folder, 'j.csv'), `${file}\n1,2,3,x,5,6,1\n1,2,3,1\n`);
      const common = { path: 'j.csv', label: 6, image: { width: 3, header: false } };
      await assert.rejects(open('', common), /j\.csv, line 21: pixel 3 is "x", and a number is needed/);
      const task = await open('', { ...common, onError: 'skip' });
      assert.deepEqual(task.read, { rows: 20, labels: 2, 'label 0': 10, 'label 1': 10, skipped: 2 });
    });
  });

  it('takes a row for a series where its columns hold arrays', async () => {
    const lines = Array.from({ length: 20 }, (_, at) =>
      JSON.stringify({
        series: [
          [at, 1],
          [2, at % 2],
        ].slice(0, 1 + (at % 2)),
        kind: at % 2 ? 'x' : 'y',
      }),
    );
    writeFileSync(join(folder, 's.jsonl'), lines.join('\n'));
    const task = await open('', { path: 's.jsonl', values: ['series'], label: 'kind' });
    assert.deepEqual(task.sizes, { input: { kind: 'vectors', features: 2 }, outputs: 2, steps: 2 });
    assert.deepEqual((task.artifact() as unknown as ClassifyArtifact).columns, ['series[0]', 'series[1]']);
    await assert.rejects(
      open('', { path: 's.jsonl', text: 'series', label: 'kind' }),
      /s\.jsonl, line 1: "series" holds an array of 1 × 2 numbers, where one value is needed/,
    );
  });

  it('takes the columns of a row for its steps where each holds one number', async () => {
    const lines = Array.from({ length: 20 }, (_, at) => `${at},${at % 2},${3 - at},${at % 2 ? 'x' : 'y'}`);
    const [path, wide] = [join(folder, 'wide.csv'), ['t0', 't1', 't2']];
    writeFileSync(path, `t0,t1,t2,kind\n${lines.join('\n')}\n`);
    const task = await open('', { path: 'wide.csv', values: wide, label: 'kind' });
    assert.deepEqual(task.sizes, { input: { kind: 'vectors', features: 1 }, outputs: 2, steps: 3 });
    assert.ok(
      task.facts.notes!.includes('Each row is one series: the numbers of its 3 columns are its steps.'),
    );
    const artifact = task.artifact() as unknown as ClassifyArtifact;
    const { sequences } = await sequencesOf(artifact, path);
    const { values, steps } = sequences.at(1);
    assert.deepEqual([...values, steps], [1, 1, 2, 3]);

    // a run of before, which read the row as one step of three numbers
    const scaling = wide.map(() => artifact.scaling[0]!);
    const older = (await sequencesOf({ ...artifact, columns: wide, scaling }, path)).sequences.at(1);
    assert.deepEqual([...older.values, older.steps], [1, 1, 2, 1]);

    writeFileSync(join(folder, 'wide.jsonl'), '{"t0": [1, 2], "t1": [1, 2], "t2": [1, 2]}\n');
    await assert.rejects(
      sequencesOf(artifact, join(folder, 'wide.jsonl')),
      /wide\.jsonl, row 1: "t0" holds 2 numbers, but this run learned from one number a column/,
    );
  });
});
