// Tagging: what is read of a word, batches, scores with and without a chain, and predictions.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tensor, tensor1d, tensor2d, tensor3d, type Variable, variable } from '@tensorflow/tfjs-core';
import { parseExperiment } from '../../../../src/experiment/parse.ts';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import type { Sample } from '../../../../src/runs/format.ts';
import { checkEvent } from '../../../../src/runs/validate.ts';
import { chainLoss } from '../../../../src/trainer/engine/chain.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { predictTags } from '../../../../src/trainer/inference/predict/tag.ts';
import { inputOf } from '../../../../src/trainer/layers/batch.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { chainIn } from '../../../../src/trainer/layers/crf.ts';
import type { Model } from '../../../../src/trainer/layers/model.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import type { TagArtifact } from '../../../../src/trainer/tasks/tag.ts';
import { emptyScore, type Task } from '../../../../src/trainer/tasks/task.ts';
import { featuresWith, idsEach, wordFeatures } from '../../../../src/trainer/tasks/word-features.ts';
import { computeGradients } from '../../../../src/trainer/training/gradients.ts';

const folder = mkdtempSync(join(tmpdir(), 'unroll-tag-'));

const LAYERS = [
  { type: 'embedding', dim: 3 },
  { type: 'gru', units: 3, bidirectional: true },
] as const;

function experimentOf(data: object, last: 'dense' | 'crf' = 'dense', training: object = {}) {
  return experimentSchema.parse({
    data: { task: 'tag', path: 'd.conll', tags: 1, split: [1, 0, 0], ...data } as never,
    model: { layers: [...LAYERS, { type: last }] },
    training: { batchSize: 4, ...training },
  } satisfies ExperimentInput);
}

async function open(text: string, data: object = {}, training: object = {}): Promise<Task> {
  writeFileSync(join(folder, 'd.conll'), text);
  const experiment = experimentOf(data, 'dense', training);
  return openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
}

const NAMES =
  'Ada B-PER\nLovelace I-PER\nlives O\nin O\nLondon B-LOC\n\nin O\nRome B-LOC\n\nAda B-PER\nsleeps O';

/** A model without a chain whose largest logit stands where `said` has it: by sequence and step. */
function modelThatSays(
  said: readonly (readonly number[])[],
  classes: number,
  chain: Model['variables'] = new Map(),
): Model {
  return {
    context: null,
    variables: chain,
    forward: (input: Tensor) => {
      const [steps, batch] = input.shape as [number, number];
      const logits = new Float32Array(steps * batch * classes);
      for (let t = 0; t < steps; t++)
        for (let row = 0; row < batch; row++) logits[(t * batch + row) * classes + (said[row]![t] ?? 0)] = 2;
      return { outputs: tensor3d(logits, [steps, batch, classes]), state: {} };
    },
  } as unknown as Model;
}

describe('tag', () => {
  before(() => startEngine('reference', null));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('tells a first sentence of one token that may name the columns', async () => {
    const told = async (text: string) =>
      (await open(text)).facts.notes.filter(note => note.includes('names the columns'));
    assert.deepEqual(await told(`token tag\n\n${NAMES}`), [
      'Line 1 is the only one of tag "tag", and a sentence of one token ("token"): take it out if it names the columns.',
    ]);
    assert.deepEqual(await told(NAMES), []);
    assert.deepEqual(await told(`Yes O\n\n${NAMES}`), []);
    assert.deepEqual(await told(`${NAMES}\n\ntoken tag`), []);
  });

  it('reads the word, its shape, beginnings and ends, each sort in ids of its own', () => {
    const features = wordFeatures(['Running', 'running', 'Ring', 'x1'], { minCount: 2, characters: 2 });
    assert.equal(idsEach(2), 6);
    const of = featuresWith(features);
    const symbols = (word: string) => of(word).ids.map(id => features.symbols[id]);
    assert.deepEqual(symbols('RUNNING'), [
      'word:running',
      'shape:',
      'begin1:r',
      'begin2:ru',
      'end1:g',
      'end2:ng',
    ]);
    assert.deepEqual(symbols('Ring'), ['word:', 'shape:Xx', 'begin1:r', 'begin2:', 'end1:g', 'end2:ng']);
    assert.ok(of('running').isKnown && !of('ring').isKnown);
    const alone = featuresWith(wordFeatures(['A', 'A', 'a'], { minCount: 2, characters: 0 }));
    assert.deepEqual(
      ['A', 'a', 'b'].map(word => alone(word)),
      [
        { ids: [1], isKnown: true },
        { ids: [0], isKnown: false },
        { ids: [0], isKnown: false },
      ],
    );
  });

  it('puts sentences side by side, and the model averages the vectors of a word', async () => {
    const task = await open(NAMES, { characters: 1 }, { batchSize: 3 });
    const { tags, symbols } = task.artifact() as unknown as TagArtifact;
    assert.deepEqual(tags, ['B-LOC', 'B-PER', 'I-PER', 'O']);
    assert.deepEqual(task.sizes, {
      input: { kind: 'tokens', vocabulary: symbols.length, each: 4 },
      outputs: 4,
      steps: 5,
    });
    const batch = task.trainingBatch(1);
    assert.deepEqual([...batch.lengths!].sort(), [2, 2, 5]);
    const row = batch.lengths!.indexOf(5);
    assert.deepEqual(
      [0, 1, 2, 3, 4].map(t => tags[batch.targets[t * 3 + row]!]),
      ['B-PER', 'I-PER', 'O', 'O', 'B-LOC'],
    );
    const model = buildModel(experimentOf({}), task.sizes, 1);
    const table = model.variables.get('layers.0.weight')!.dataSync();
    let seen: Float32Array | null = null;
    model.forward(inputOf(batch), {
      training: false,
      step: 0,
      lengths: batch.lengths,
      state: null,
      outputs: 'every-step',
      watch: {
        output(name, _, value) {
          if (name === 'layers.0') seen = value().dataSync() as Float32Array;
        },
      },
    });
    for (let at = 0; at < batch.seqLen * 3; at++)
      for (let d = 0; d < 3; d++) {
        let sum = 0;
        for (let part = 0; part < 4; part++) sum += table[batch.input[at * 4 + part]! * 3 + d]!;
        assert.ok(Math.abs(seen![at * 3 + d]! - sum / 4) < 1e-6);
      }
    model.dispose();
  });

  it('tells tags that the training part lacks', async () => {
    const task = await open(`${'a X\nb Y\n\n'.repeat(20)}a Z\n`, { shuffle: false, split: [0.8, 0.1, 0.1] });
    const note =
      'The training part of d.conll lacks 1 tag that validation or test has: "Z" (line 61). The model cannot learn it: take another `seed` or `split`.';
    assert.ok(task.facts.notes.includes(note), task.facts.notes.join('\n'));
  });

  describe('lists of tokens and tags in each row', () => {
    const rows: Record<string, unknown>[] = NAMES.split('\n\n').map(sentence => {
      const cells = sentence.split('\n').map(row => row.split(' '));
      return { tokens: cells.map(([word]) => word), ner_tags: cells.map(([, tag]) => tag) };
    });
    const openRows = (own: object[], data: object = {}) => {
      writeFileSync(join(folder, 'd.jsonl'), own.map(row => JSON.stringify(row)).join('\n'));
      const experiment = experimentOf({ path: 'd.jsonl', tags: 'ner_tags', ...data });
      return openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
    };

    it('give the sentences that a file of columns gives', async () => {
      const columns = await open(NAMES);
      for (const task of [
        await openRows(rows),
        await openRows(rows, { tags: 1 }),
        await openRows(
          rows.map(({ tokens, ner_tags }) => ({ id: 1, w: tokens, ner_tags })),
          { words: 'w' },
        ),
      ]) {
        assert.deepEqual(task.read, columns.read);
        assert.deepEqual(task.trainingBatch(1), columns.trainingBatch(1));
      }
    });

    it('have numbers for tags too, and tokens with spaces', async () => {
      const task = await openRows([
        { tokens: ['New York', 'is'], ner_tags: [3, 0] },
        { tokens: ['is'], ner_tags: [0] },
      ]);
      assert.deepEqual((task.artifact() as unknown as TagArtifact).tags, ['0', '3']);
      assert.deepEqual(task.sizes.steps, 2);
    });

    it('are predicted with their tags and without', async () => {
      const task = await openRows(rows);
      const artifact = task.artifact() as unknown as TagArtifact;
      const said = [0, 1, 2].map(() => [3, 3, 3, 3, 3]);
      const path = join(folder, 'd.jsonl');
      const { facts } = await predictTags(modelThatSays(said, 4), artifact, path);
      assert.equal(facts['accuracy'], 4 / 9);
      writeFileSync(path, rows.map(({ tokens }) => JSON.stringify({ tokens })).join('\n'));
      const alone = await predictTags(modelThatSays(said, 4), artifact, path);
      assert.equal(alone.rows.length, 9);
      assert.equal(alone.facts['accuracy'], null);
    });

    for (const [what, row, message] of [
      [
        'unequal lists',
        { tokens: ['a', 'b'], ner_tags: ['X'] },
        /line 4: "tokens" has 2 tokens, and "ner_tags" has 1 tag\.$/,
      ],
      ['no list', { tokens: ['a'], ner_tags: 3 }, /line 4: "ner_tags" holds no list\.$/],
      ['an empty tag', { tokens: ['a'], ner_tags: [''] }, /line 4: the tag of "a" is empty\.$/],
    ] as const)
      it(`are refused with their line: ${what}`, async () => {
        await assert.rejects(openRows([...rows, row]), { message });
        const task = await openRows([...rows, row], { onError: 'skip' });
        assert.deepEqual([task.read!['rows'], task.read!['skipped']], [3, 1]);
      });

    it('are refused where no column is known to hold tokens', async () => {
      await assert.rejects(openRows([{ a: ['x'], b: ['y'], ner_tags: ['X'] }]), {
        message: 'd.jsonl: name the column of tokens with `words`; it has "a", "b", "ner_tags".',
      });
    });
  });

  for (const last of ['dense', 'crf'] as const)
    it(`has the gradient of central differences in every weight: ${last}`, async () => {
      const task = await open(NAMES, { characters: 1 }, { batchSize: 3 });
      const model = buildModel(experimentOf({ characters: 1 }, last), task.sizes, 1);
      const batch = task.trainingBatch(1);
      const options = { window: batch.seqLen, l2: 0, training: false, step: 1, state: null } as const;
      const step = () => computeGradients(model, task, batch, { ...options, outputs: 'every-step' });
      const { gradients } = step();
      assert.equal(chainIn(model) !== null, last === 'crf');
      for (const [name, own] of model.variables) {
        const values = Float32Array.from(own.dataSync());
        const gradient = gradients.get(name)!.dataSync();
        for (let i = 0; i < values.length; i += Math.ceil(values.length / 6)) {
          const moved = (by: number) => {
            const copy = Float32Array.from(values);
            copy[i]! += by;
            own.assign(own.rank === 1 ? tensor1d(copy) : tensor2d(copy, own.shape as [number, number]));
            return step().loss;
          };
          const slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
          assert.ok(Math.abs(gradient[i]! - slope) < 3e-4, `${name} ${i}: ${gradient[i]}, ${slope}`);
        }
        own.assign(own.rank === 1 ? tensor1d(values) : tensor2d(values, own.shape as [number, number]));
      }
      model.dispose();
    });

  it('scores accuracy, unknown words and entities; with a chain its own loss and its likeliest path', async () => {
    const task = await open(NAMES, { minCount: 2, characters: 0, shuffle: false }, { batchSize: 3 });
    const { tags } = task.artifact() as unknown as TagArtifact;
    const batch = task.trainingBatch(1);
    const order = [...batch.lengths!].map((_, row) => batch.targets[row]!);
    const [LOC, PER, INSIDE, OUT] = [0, 1, 2, 3];
    // by what each sentence begins with: the long one, "in Rome", "Ada sleeps"
    const said = order.map((first, row) =>
      first === OUT ? [OUT, LOC] : batch.lengths![row] === 5 ? [PER, OUT, OUT, OUT, LOC] : [PER, OUT],
    );
    const { outputs } = modelThatSays(said, tags.length).forward(inputOf(batch), {} as never);
    const score = emptyScore();
    task.score(outputs, batch, score);
    const figures = task.metrics(score);
    assert.equal(figures['accuracy'], 8 / 9);
    // Ada and in stand twice: five words are unknown, of which Lovelace is wrong
    assert.ok(Math.abs(figures['unknownAccuracy']! - 4 / 5) < 1e-12);
    assert.ok(
      Math.abs(figures['entityPrecision']! - 3 / 4) < 1e-12 &&
        Math.abs(figures['entityRecall']! - 3 / 4) < 1e-12,
    );
    // a chain that allows nothing but I-PER after B-PER
    const transitions = new Float32Array(16);
    for (let k = 0; k < 4; k++) if (k !== INSIDE) transitions[PER! * 4 + k] = -50;
    const chain = new Map<string, Variable>([
      ['layers.2.chain.transitions', variable(tensor2d(transitions, [4, 4]))],
      ['layers.2.chain.start', variable(tensor1d(new Float32Array(4)))],
      ['layers.2.chain.end', variable(tensor1d(new Float32Array(4)))],
    ]);
    const chained = emptyScore();
    task.score(outputs, batch, chained, { variables: chain } as unknown as Model);
    assert.equal(task.metrics(chained)['accuracy'], 8 / 9);
    assert.equal(task.metrics(chained)['entityF1']! > 0.6, true);
    const { seqLen, lengths, targets } = batch;
    const call = { seqLen, batch: 3, classes: 4, lengths, logits: outputs.dataSync() };
    const zeros = new Float32Array(4);
    const expected = chainLoss({ ...call, transitions, start: zeros, end: zeros }, targets, null);
    assert.ok(Math.abs(chained.lossSum - expected) < 1e-6);
  });

  it('shows and predicts tags, of files without the column too', async () => {
    const task = await open(NAMES, { shuffle: false, batching: 'mixed' });
    const artifact = task.artifact() as unknown as TagArtifact;
    const model = modelThatSays(
      [
        [1, 2, 3, 3, 0],
        [3, 3],
        [1, 3],
      ],
      4,
    );
    const shown = task.sample(model, 1);
    let step = shown.next();
    while (!step.done) step = shown.next();
    const sample = step.value as Extract<Sample, { type: 'tagged' }>;
    assert.deepEqual(sample.rows[1], [
      { token: 'in', truth: 'O', prediction: 'O' },
      { token: 'Rome', truth: 'B-LOC', prediction: 'O' },
    ]);
    assert.deepEqual(sample.confusion!.counts, [
      [1, 0, 0, 1],
      [0, 2, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 4],
    ]);
    assert.ok(checkEvent({ kind: 'sample', step: 1, time: 1, sample })?.ok);
    const { rows, facts } = await predictTags(model, artifact, join(folder, 'd.conll'));
    assert.deepEqual(rows[6], { sentence: 2, word: 'Rome', truth: 'B-LOC', prediction: 'O' });
    assert.equal(facts['accuracy'], 8 / 9);
    assert.ok(Math.abs((facts['entityF1'] as number) - (2 * 1 * 0.75) / 1.75) < 1e-12);
    writeFileSync(join(folder, 'words.conll'), 'Ada\nsleeps\n');
    const alone = await predictTags(model, artifact, join(folder, 'words.conll'));
    assert.deepEqual(alone.rows[0], { sentence: 1, word: 'Ada', prediction: 'B-PER' });
    assert.equal(alone.facts['accuracy'], null);
  });

  it('counts the tags of the data', async () => {
    const { read } = await open(NAMES);
    assert.deepEqual(read, {
      ...{ rows: 3, labels: 4 },
      ...{ 'label B-LOC': 2, 'label B-PER': 2, 'label I-PER': 1, 'label O': 4 },
    });
  });

  it('refuses one tag, and a chain where there is nothing to tag', async () => {
    await assert.rejects(
      open('a O\nb O'),
      /All tokens of d\.conll have the tag "O": there is nothing to tell apart/,
    );
    const { problems } = parseExperiment(
      JSON.stringify({
        data: { task: 'char-lm', path: 'a.txt' },
        model: { layers: [{ type: 'lstm', units: 4 }, { type: 'crf' }] },
      }),
    );
    assert.match(
      problems.map(({ message }) => message).join(),
      /"crf" scores the tags of whole sequences, which the task "char-lm" has none of/,
    );
  });
});
