// Batches with outliers: no pass has more steps, padding included, than its limit, gradients stay those of the whole batch,
// and data without outliers are not cut.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { rowsOfBatch, tokensOf, trimmed } from '../../../../src/trainer/layers/batch.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import type { Batch, Task } from '../../../../src/trainer/tasks/task.ts';
import { accumulatedGradients, partsOf } from '../../../../src/trainer/training/accumulation.ts';

const words = (count: number, seed: number) =>
  Array.from({ length: count }, (_, at) => 'ab'[(at * 7 + seed * 3) % 5 > 2 ? 1 : 0]).join('');
const token = (id: number, word: string) => `${id}\t${word}\t_\t${word}\t_\t_\t_\t_\t_\t_`;

interface Form {
  data: object;
  file: string;
  /** the file, of sequences of these lengths */
  text(lengths: readonly number[]): string;
  encoder?: boolean;
}

const forms: Record<string, Form> = {
  'classify, with class weights': {
    data: { task: 'classify', path: 'a.tsv', text: 'x', label: 'y', classWeights: { s: 1, t: 5 } },
    file: 'a.tsv',
    text: lengths => `x\ty\n${lengths.map((own, at) => `${words(own, at)}\t${'st'[at % 2]}`).join('\n')}\n`,
  },
  tag: {
    data: { task: 'tag', path: 'a.conllu', tags: 'upos' },
    file: 'a.conllu',
    text: lengths =>
      lengths
        .map((own, row) => [...words(own, row)].map((word, at) => token(at + 1, word)).join('\n'))
        .join('\n\n'),
  },
  ctc: {
    data: { task: 'ctc', path: 'a.tsv', text: 'x', target: 'y' },
    file: 'a.tsv',
    text: lengths =>
      `x\ty\n${lengths.map((own, at) => `${words(own, at)}\t${'ab'.slice(at % 2)}`).join('\n')}\n`,
  },
  seq2seq: {
    data: { task: 'seq2seq', path: 'a.tsv' },
    file: 'a.tsv',
    text: lengths =>
      `${lengths.map((own, at) => `${words(own, at)}\t${words(3 + (at % 3), at)}`).join('\n')}\n`,
    encoder: true,
  },
  'table, at every step': {
    data: { task: 'table', path: 'a.jsonl', inputs: ['x'], targets: ['y'], at: 'step' },
    file: 'a.jsonl',
    text: lengths =>
      lengths
        .map((own, row) => {
          const x = Array.from({ length: own }, (_, at) => Math.sin(at + row));
          return JSON.stringify({ x, y: x.map(value => value * 2) });
        })
        .join('\n'),
  },
};

describe('a limit on the steps of a pass', () => {
  let folder = '';
  before(() => startEngine('reference', null));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-tokens-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function open({ data, file, text, encoder }: Form, lengths: readonly number[], training = {}) {
    writeFileSync(join(folder, file), text(lengths));
    const layers = [{ type: 'gru', units: 4 }, { type: 'dense' }];
    const experiment = experimentSchema.parse({
      data,
      model: encoder ? { encoder: [{ type: 'gru', units: 4 }], layers } : { layers },
      training: { batchSize: 8, ...training },
    });
    const place = { base: folder, workspace: folder, allowedPaths: [] };
    return { task: await openTask(experiment, place), experiment };
  }
  const usual = Array.from({ length: 60 }, (_, at) => 4 + (at % 9));

  for (const [name, form] of Object.entries(forms)) {
    it(`gradients in parts are those of the whole batch: ${name}`, async () => {
      const lengths = usual.map((own, at) => (at % 20 === 7 ? 60 : own));
      const { task, experiment } = await open(form, lengths);
      const model = buildModel(experiment, task.sizes, 1);
      const batch = task.trainingBatch(1);
      const options = {
        window: batch.seqLen,
        l2: 0.01,
        training: true,
        step: 1,
        state: null,
        outputs: task.outputs,
      };
      const limit = Math.ceil(tokensOf(batch) / 3);
      assert.ok(partsOf(batch, { parts: 1, maxTokens: limit }).length > 1);
      const [whole, inParts] = [Number.POSITIVE_INFINITY, limit].map(maxTokens =>
        accumulatedGradients(model, task, batch, options, { parts: 1, maxTokens }),
      );
      assert.ok(Math.abs(whole!.loss - inParts!.loss) < 1e-5 * Math.max(1, whole!.loss));
      for (const [variable, gradient] of whole!.gradients) {
        const [expected, found] = [gradient.dataSync(), inParts!.gradients.get(variable)!.dataSync()];
        const largest = Math.max(1e-3, ...Array.from(expected, Math.abs));
        expected.forEach((value, at) => {
          assert.ok(
            Math.abs(value - found[at]!) < 1e-5 * largest,
            `${variable} ${at}: ${found[at]} for ${value}`,
          );
        });
      }
      model.dispose();
    });

    it(`outliers of 10,000 steps are passes of their own, alone or under the limit: ${name}`, async () => {
      const lengths = usual.map((own, at) => (at === 13 || at === 40 ? 10_000 : own));
      const { task } = await open(form, lengths, { batchSize: 16 });
      const limit = task.maxTokens!;
      assert.ok(limit < 16 * 150, `${limit}`);
      const under = (batch: Batch) =>
        assert.ok(batch.batch === 1 || tokensOf(batch) <= limit, `${batch.batch} of ${batch.seqLen} steps`);
      let outliers = 0;
      for (let step = 1; step <= 6; step++) {
        const batch = task.trainingBatch(step);
        const parts = partsOf(batch, { parts: 1, maxTokens: limit });
        assert.equal(parts.at(-1)![1], batch.batch);
        parts.forEach(([from, to], index) => {
          assert.equal(from, index === 0 ? 0 : parts[index - 1]![1]);
          const part = trimmed(rowsOfBatch(batch, from, to, task.outputs), task.outputs);
          under(part);
          if (tokensOf(part) >= 10_000) outliers++;
        });
      }
      const held = [...task.validation(), ...task.test(), ...task.all!()];
      held.forEach(under);
      assert.ok(outliers + held.filter(batch => tokensOf(batch) >= 10_000).length > 0, 'they were seen');
      assert.match(
        task.facts.notes.join(' '),
        /The longest sequence has 10,00\d steps, 90 % have at most \d+/,
      );
    });

    it(`sequences without outliers are not cut: ${name}`, async () => {
      const { task } = await open(form, usual);
      const batches = [1, 2, 3, 4, 5, 6].map(step => task.trainingBatch(step));
      for (const batch of [...batches, ...held(task)]) assert.ok(tokensOf(batch) <= task.maxTokens!);
      assert.doesNotMatch(task.facts.notes.join(' '), /computed in parts/);
    });
  }

  function held(task: Task): Batch[] {
    return [...task.validation(), ...task.test()];
  }
});
