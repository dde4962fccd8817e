// Generated pairs: every target against its source, parts without a source in common, the free-running loss, and the
// sample with its alignments.
import assert from 'node:assert/strict';
import { tensor3d } from '@tensorflow/tfjs-core';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { evaluate } from '../../../../src/trainer/layers/evaluate.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { batchOf, decoded, endsOf, type PairArtifact } from '../../../../src/trainer/tasks/pair-batches.ts';
import { type Batch, emptyScore, type Task } from '../../../../src/trainer/tasks/task.ts';
import { Trainer } from '../../../../src/trainer/training/trainer.ts';
import { whole } from '../../../../src/trainer/training/validation.ts';

type Data = Extract<ExperimentInput['data'], { task: 'copy' | 'reverse' | 'sort' | 'addition' }>;

function experimentOf(data: Data, training: object = {}, attention = true) {
  return experimentSchema.parse({
    data,
    model: {
      encoder: [{ type: 'gru', units: 8 }],
      layers: [
        { type: 'gru', units: 8 },
        ...(attention ? [{ type: 'attention' as const }] : []),
        { type: 'dense' },
      ],
    },
    training: { batchSize: 32, ...training },
  } satisfies ExperimentInput);
}

const open = (data: Data, training: object = {}, attention = true) =>
  openTask(experimentOf(data, training, attention), { base: '', workspace: '', allowedPaths: [] });

const artifactOf = (task: Task) => task.artifact() as unknown as PairArtifact;

function pairsOf(task: Task, batch: Batch): { source: string; target: string }[] {
  const { sourceSymbols, targetSymbols } = artifactOf(task);
  const { source, targets, lengths, batch: rows } = batch;
  return Array.from({ length: rows }, (_, row) => ({
    source: Array.from(
      { length: source!.lengths![row]! },
      (_, t) => sourceSymbols[(source!.input as Int32Array)[t * rows + row]!]!,
    ).join(''),
    // the end is asked for last
    target: Array.from(
      { length: lengths![row]! - 1 },
      (_, t) => targetSymbols[targets[t * rows + row]!]!,
    ).join(''),
  }));
}

const ANSWERS: Record<Data['task'], (source: string) => string> = {
  copy: source => source,
  reverse: source => [...source].reverse().join(''),
  sort: source => [...source].sort().join(''),
  addition: source => {
    const [a, b] = source.split('+').map(Number);
    return String(a! + b!);
  },
};

describe('generated pairs', () => {
  before(() => startEngine('reference', null));

  for (const task of Object.keys(ANSWERS) as Data['task'][])
    it(`of "${task}" are right, and no source of a held part is trained on`, async () => {
      const data = { task, length: 4, testLength: 6 } as Data;
      const opened = await open(data, { batchSize: 100 });
      const train = [1, 2, 3].flatMap(step => pairsOf(opened, opened.trainingBatch(step)));
      const held = [...opened.validation()].flatMap(batch => pairsOf(opened, batch));
      const tested = [...opened.test()].flatMap(batch => pairsOf(opened, batch));
      for (const { source, target } of [...train, ...held, ...tested])
        assert.equal(target, ANSWERS[task](source), source);
      const known = new Set(train.map(({ source }) => source));
      for (const { source } of [...held, ...tested]) assert.ok(!known.has(source), source);
      const sizes = (pairs: { source: string }[]) =>
        pairs.map(({ source }) => Math.max(...source.split('+').map(part => part.length)));
      assert.deepEqual([...new Set(sizes(train))].sort(), [1, 2, 3, 4]);
      assert.deepEqual([...new Set(sizes(tested))].sort(), [5, 6]);
      const [again, other] = [
        await open(data, { batchSize: 100 }),
        await open(data, { batchSize: 100, seed: 2 }),
      ];
      assert.deepEqual(again.trainingBatch(2), opened.trainingBatch(2));
      assert.notDeepEqual(other.trainingBatch(2), opened.trainingBatch(2));
      for (const batch of opened.test())
        assert.ok(Math.max(batch.seqLen, batch.source!.seqLen) <= opened.sizes.steps!);
      const score = emptyScore();
      const batch = opened.trainingBatch(1);
      const classes = opened.sizes.outputs;
      // all symbols that are ever asked for alike
      const logits = Float32Array.from({ length: batch.seqLen * 100 * classes }, (_, at) =>
        at % classes < classes - 3 || at % classes === classes - 1 ? 0 : -60,
      );
      opened.score(tensor3d(logits, [batch.seqLen, 100, classes]), batch, score);
      assert.ok(Math.abs(score.lossSum / score.count - opened.facts.baseline!.loss) < 1e-5);
    });

  it('of "addition" with `draw` "numbers" have short numbers no more often than all numbers have', async () => {
    for (const [length, testLength] of [
      [3, 5],
      [9, 15],
    ] as const) {
      const opened = await open(
        { task: 'addition', length, testLength, draw: 'numbers' },
        { batchSize: 100 },
      );
      const train = Array.from({ length: 20 }, (_, step) =>
        pairsOf(opened, opened.trainingBatch(step + 1)),
      ).flat();
      const tested = [...opened.test()].flatMap(batch => pairsOf(opened, batch));
      for (const { source, target } of [...train, ...tested])
        assert.equal(
          BigInt(target),
          source.split('+').reduce((sum, part) => sum + BigInt(part), 0n),
          source,
        );
      const numbers = train.flatMap(({ source }) => source.split('+').map(Number));
      assert.ok(numbers.every(number => number < 10 ** length));
      // a tenth of all numbers lies in each tenth of their range: 4,000 draws, so within five deviations of 0.005
      for (let tenth = 0; tenth < 10; tenth++) {
        const share =
          numbers.filter(number => Math.floor(number / 10 ** (length - 1)) === tenth).length / numbers.length;
        assert.ok(Math.abs(share - 0.1) < 0.025, `${share} of the numbers in tenth ${tenth}`);
      }
      for (const { source } of tested) {
        const longest = Math.max(...source.split('+').map(part => part.length));
        assert.ok(longest > length && longest <= testLength, source);
      }
    }
  });

  it('have the loss of the truth after what the decoder said itself, and its gap to the forced loss', async () => {
    const experiment = experimentOf({ task: 'reverse', length: 4, symbols: 3 });
    const task = await openTask(experiment, { base: '', workspace: '', allowedPaths: [] });
    const trainer = new Trainer(experiment, task);
    const { model } = trainer;
    for (let step = 0; step < 20; step++) trainer.advance();
    const batch = task.trainingBatch(1);
    const score = emptyScore();
    const { outputs } = evaluate(model, batch, 'every-step', null);
    task.score(outputs, batch, score);
    task.run!(model, batch, score);
    // by whole passes: the input of a step is the likeliest symbol of the step before
    const { seqLen, batch: rows, targets, lengths } = batch;
    const classes = task.sizes.outputs;
    const input = Int32Array.from(batch.input).fill(0, rows);
    let [loss, count] = [0, 0];
    for (let t = 0; t < seqLen; t++) {
      const pass = evaluate(model, { ...batch, input, lengths: null }, 'every-step', null);
      const all = pass.outputs.dataSync() as Float32Array;
      pass.outputs.dispose();
      for (let row = 0; row < rows; row++) {
        const own = Array.from(all.subarray((t * rows + row) * classes, (t * rows + row + 1) * classes));
        if (t + 1 < seqLen) input[(t + 1) * rows + row] = own.indexOf(Math.max(...own));
        if (t >= lengths![row]!) continue;
        const total = Math.log(own.reduce((sum, logit) => sum + Math.exp(logit), 0));
        loss += total - own[targets[t * rows + row]!]!;
        count++;
      }
    }
    const figures = task.metrics(score);
    assert.ok(
      Math.abs(figures['freeLoss']! - loss / count) < 1e-4,
      `${figures['freeLoss']}, not ${loss / count}`,
    );
    const forced = score.lossSum / score.count;
    assert.ok(Math.abs(figures['exposureGap']! - (figures['freeLoss']! - forced)) < 1e-9);
    assert.ok(figures['bleu']! >= 0 && figures['bleu']! <= 100);
    trainer.dispose();
  });

  it('run free without a look at the truth: other targets, the same answers', async () => {
    const experiment = experimentOf({ task: 'sort', length: 5 });
    const task = await openTask(experiment, { base: '', workspace: '', allowedPaths: [] });
    const trainer = new Trainer(experiment, task);
    const ends = endsOf(artifactOf(task));
    const batch = task.trainingBatch(1);
    const turned = {
      ...batch,
      input: Int32Array.from(batch.input).reverse(),
      targets: batch.targets.slice().reverse(),
    };
    assert.deepEqual(decoded(trainer.model, batch, ends), decoded(trainer.model, turned, ends));
    trainer.dispose();
  });

  it('show what was written with its alignment, and how often it is right by length and place', async () => {
    const experiment = experimentOf({ task: 'copy', length: 5, symbols: 4 });
    const task = await openTask(experiment, { base: '', workspace: '', allowedPaths: [] });
    const trainer = new Trainer(experiment, task);
    for (let step = 0; step < 30; step++) trainer.advance();
    const { model } = trainer;
    const sample = whole(task.sample(model, 30));
    assert.ok(sample?.type === 'decoded');
    const artifact = artifactOf(task);
    for (const { source, prediction, attention } of sample.rows) {
      assert.deepEqual(attention!.source.join(''), source);
      assert.deepEqual(attention!.target.join(''), `${prediction}<end>`);
      for (const row of attention!.weights)
        assert.ok(Math.abs(row.reduce((sum, weight) => sum + weight, 0) - 1) < 0.001);
    }
    const ends = endsOf(artifact);
    let [sequences, right, symbols, wrong] = [0, 0, 0, 0];
    for (const batch of [...task.validation()].slice(0, 4)) {
      const answers = decoded(model, batch, ends);
      pairsOf(task, batch).forEach(({ target }, row) => {
        const said = answers[row]!.map(id => artifact.targetSymbols[id]!);
        const truth = [...target, '<end>'];
        sequences++;
        symbols += truth.length;
        if (said.join('') === target) right++;
        wrong += truth.filter((symbol, t) => symbol !== [...said, '<end>'][t]).length;
      });
    }
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    assert.equal(sum(sample.byLength!.map(each => each.sequences)), sequences);
    assert.equal(sum(sample.byLength!.map(each => each.right)), right);
    assert.equal(sum(sample.byPosition!.map(each => each.symbols)), symbols);
    assert.equal(sum(sample.byPosition!.map(each => each.wrong)), wrong);
    const lengths = sample.byLength!.map(({ length }) => length);
    assert.deepEqual(
      lengths,
      [...lengths].sort((x, y) => x - y),
    );
    assert.equal(lengths.at(-1), 5);
    trainer.dispose();
  });

  it('have no alignment where nothing looks at the source', async () => {
    const experiment = experimentOf({ task: 'copy', length: 3 }, {}, false);
    const task = await openTask(experiment, { base: '', workspace: '', allowedPaths: [] });
    const trainer = new Trainer(experiment, task);
    const sample = whole(task.sample(trainer.model, 0));
    assert.ok(sample?.type === 'decoded' && sample.rows.every(row => row.attention === undefined));
    trainer.dispose();
  });

  it('stand in batches as any pairs do', async () => {
    const task = await open({ task: 'addition' });
    const artifact = artifactOf(task);
    assert.deepEqual(task.sizes, {
      input: { kind: 'tokens', vocabulary: 13 },
      source: { kind: 'tokens', vocabulary: 12 },
      outputs: 13,
      steps: 7,
    });
    assert.equal(artifact.targetSymbols.length, 13);
    assert.equal(batchOf([{ source: Int32Array.of(1), target: Int32Array.of(2, 3) }], artifact).seqLen, 3);
  });
});
