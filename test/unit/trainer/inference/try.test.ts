// Try It: answers equal to those of `unroll predict` and `unroll sample`, probabilities that a distribution has, states
// that a pass step by step has too, and what is refused with one sentence.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExperimentInput } from '../../../../src/experiment/schema.ts';
import { TASK_NAMES, taskOf } from '../../../../src/experiment/tasks/index.ts';
import type { Tried, TriedStates } from '../../../../src/runs/tried.ts';
import { loadModel, openFinishedRun } from '../../../../src/trainer/inference/finished-run.ts';
import { predictFile } from '../../../../src/trainer/inference/predict/index.ts';
import { sampleText } from '../../../../src/trainer/inference/sample.ts';
import { isTried, tryRun } from '../../../../src/trainer/inference/try/index.ts';
import { stepper } from '../../../../src/trainer/layers/stepper.ts';
import { wavOf } from '../data/wav-of.ts';
import { trainNew, useWorkspace, workspaceFolder } from '../training/runs.ts';

const training = {
  batchSize: 4,
  steps: 8,
  optimizer: { type: 'adam', learningRate: 0.03 },
  validation: { every: 8, maxBatches: 1 },
  sample: { every: 100 },
};
const gru = [{ type: 'embedding', dim: 4 }, { type: 'gru', units: 5 }, { type: 'dense' }];

async function trained(data: object, model: object, more: object = {}): Promise<string> {
  const { folder, outcome } = await trainNew({
    data,
    model,
    training: { ...training, ...more },
  } as ExperimentInput);
  assert.equal(outcome.reason, 'finished', outcome.message);
  return folder;
}

function write(name: string, ...lines: string[]): string {
  const path = join(workspaceFolder(), name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** ‖h_t‖ is that of the units, where all of them are there. */
function checkStates(states: readonly TriedStates[], steps: number): void {
  assert.ok(states.length > 0);
  for (const { norms, units, width, steps: named } of states) {
    assert.equal(named.length, steps);
    assert.equal(units.length, width);
    for (const [t, norm] of norms.entries()) {
      const own = Math.hypot(...units.map(row => row[t]!));
      assert.ok(Math.abs(own - norm) <= 2e-3 * Math.max(1e-3, norm), `${own}, not ${norm}`);
    }
  }
}

const sumOf = ({ likely }: Tried) => likely.reduce((sum, { probability }) => sum + probability, 0);

describe('Try It', () => {
  useWorkspace();

  it('is there for every task that says how its input is given', () => {
    for (const task of TASK_NAMES) assert.equal(isTried(task), taskOf({ task }).tries !== undefined, task);
  });

  it('classifies a text that is typed and a row of the data', async () => {
    const rows = Array.from(
      { length: 24 },
      (_, i) => `${'ab'[i % 2]!.repeat(1 + (i % 5))}c\t${i % 2 ? 'B' : 'A'}`,
    );
    const path = write('c.tsv', 'text\tclass', ...rows);
    const folder = await trained(
      { task: 'classify', path: 'c.tsv', text: 'text', label: 'class' },
      { layers: gru },
    );
    const predicted = await predictFile(folder, path);
    const tried = await tryRun(folder, { row: 4 });
    const { prediction, probability } = predicted.rows[3]!;
    assert.equal(tried.answer, prediction);
    assert.equal(tried.truth, 'B');
    assert.ok(Math.abs(tried.likely[0]!.probability - (probability as number)) < 1e-6);
    assert.ok(Math.abs(sumOf(tried) - 1) < 1e-6);
    assert.deepEqual([tried.row, tried.rows], [4, 24]);
    checkStates(tried.states, 'bbbbc'.length);
    assert.deepEqual(tried.states[0]!.steps, [...'bbbbc']);
    assert.deepEqual(tried.states[0]!.title, 'GRU');
    const typed = await tryRun(folder, { text: 'bbbbc' });
    assert.deepEqual(typed.likely, tried.likely);
    assert.deepEqual([typed.row, typed.truth], [null, null]);
    await assert.rejects(tryRun(folder, { row: 25 }), /no sequence 25: the data hold 24 sequences/);
    await assert.rejects(tryRun(folder, { text: ' ' }), /^InputError: Type a text\.$/);
    await assert.rejects(tryRun(folder, { sound: '/a.wav' }), /reads a text, not sound files/);
  });

  it('classifies a series of numbers that are pasted, and says which line is wrong', async () => {
    const lines = Array.from(
      { length: 48 },
      (_, i) => `${Math.floor(i / 4)},${(i % 8) - 4},${i % 3},${i % 8 < 4 ? 'low' : 'high'}`,
    );
    const path = write('s.csv', 'id,x,y,class', ...lines);
    const folder = await trained(
      { task: 'classify', path: 's.csv', values: ['x', 'y'], id: 'id', label: 'class' },
      { layers: [{ type: 'lstm', units: 4, bidirectional: true }, { type: 'dense' }] },
    );
    const { rows } = await predictFile(folder, path);
    const text = lines
      .slice(4, 8)
      .map(line => line.split(',').slice(1, 3).join(' '))
      .join('\n');
    const tried = await tryRun(folder, { text });
    assert.equal(tried.answer, rows[1]!['prediction']);
    assert.ok(Math.abs(tried.likely[0]!.probability - (rows[1]!['probability'] as number)) < 1e-6);
    checkStates(tried.states, 4);
    await assert.rejects(tryRun(folder, { text: '1 2\n3' }), /Line 2 holds 1 number; a step has 2: x, y/);
    await assert.rejects(tryRun(folder, { text: '1 b' }), /Line 1: "b" is not a number/);
  });

  it('goes on with a text, with the probability of each symbol and its states', async () => {
    const folder = await trained(
      { task: 'char-lm', path: 'text.txt' },
      { layers: gru },
      { seqLen: 8, sample: { every: 100, length: 5 } },
    );
    const asked = { length: 20, temperature: 0.7, topK: 5, seed: 3 };
    const tried = await tryRun(folder, { text: 'the s', ...asked });
    const { text } = await sampleText(folder, { prompt: 'the s', ...asked });
    assert.equal(tried.answer, text);
    assert.equal(tried.table!.rows.map(([symbol]) => symbol).join(''), text);
    // step by step, from the same checkpoint
    const run = openFinishedRun(folder);
    const model = await loadModel(run);
    const walker = stepper(model, 1);
    const ids = (run.artifact as unknown as { symbols: string[] | string }).symbols;
    const symbols = typeof ids === 'string' ? [...ids] : ids;
    let logits: Float32Array = new Float32Array(0);
    for (const symbol of 'the s') logits = walker.step(Int32Array.of(symbols.indexOf(symbol)));
    const exps = Array.from(logits, logit => Math.exp(logit));
    const total = exps.reduce((sum, value) => sum + value, 0);
    const first = exps[symbols.indexOf(text[0]!)]! / total;
    assert.equal(tried.table!.rows[0]![1], `${(100 * first).toFixed(1)} %`);
    assert.ok(Math.abs(tried.likely[0]!.probability - Math.max(...exps) / total) < 1e-5);
    model.dispose();
    checkStates(tried.states, 25);
    const long = await tryRun(folder, { text: 'the sat '.repeat(100), length: 10 });
    assert.equal(long.states[0]!.norms.length, 300);
    await assert.rejects(tryRun(folder, { text: 'Ω' }), /holds "Ω", which is not among/);
  });

  it('writes a target for a source, and shows where it looked', async () => {
    const path = write(
      'p.tsv',
      ...Array.from({ length: 20 }, (_, i) => `${'abcd'.slice(i % 3)}\t${'dcba'.slice(0, 4 - (i % 3))}`),
    );
    const folder = await trained(
      { task: 'seq2seq', path: 'p.tsv' },
      {
        encoder: gru.slice(0, 2),
        layers: [...gru.slice(0, 2), { type: 'attention', score: 'general' }, { type: 'dense' }],
      },
      { steps: 30 },
    );
    const { rows } = await predictFile(folder, path, { beams: 3 });
    const tried = await tryRun(folder, { row: 2, beams: 3 });
    assert.equal(tried.answer, rows[1]!['prediction']);
    assert.equal(tried.truth, 'dcb');
    const { source, target, weights } = tried.attention!;
    assert.deepEqual(source, [...'bcd']);
    assert.equal(target.at(-1), '<end>');
    for (const row of weights) assert.ok(Math.abs(row.reduce((sum, one) => sum + one, 0) - 1) < 1e-3);
    assert.deepEqual(
      tried.states.map(({ layer }) => layer),
      ['encoder.1', 'layers.1'],
    );
    checkStates([tried.states[0]!], 3);
    checkStates([tried.states[1]!], target.length);
    // the product of all shares is the probability of the whole answer
    const product = tried.table!.rows.reduce(
      (sum, [, share]) => sum + Math.log(Number.parseFloat(share!) / 100),
      0,
    );
    assert.ok(Math.abs(product - (rows[1]!['logProbability'] as number)) < 0.05);
    assert.equal(
      (await tryRun(folder, { text: 'bcd' })).answer,
      (await predictFile(folder, path)).rows[1]!['prediction'],
    );
  });

  it('tags the tokens of a sentence', async () => {
    const path = write(
      't.conll',
      ...Array.from({ length: 12 }, (_, i) => `Ann B-PER\nsees O\n${'abc'[i % 3]} O\n`),
    );
    const folder = await trained(
      { task: 'tag', path: 't.conll', tags: 1 },
      {
        layers: [
          { type: 'embedding', dim: 4 },
          { type: 'gru', units: 5, bidirectional: true },
          { type: 'dense' },
        ],
      },
      { steps: 40 },
    );
    const { rows } = await predictFile(folder, path);
    const tried = await tryRun(folder, { text: 'Ann sees b' });
    assert.deepEqual(
      tried.table!.rows.map(([token, tag]) => [token, tag]),
      [
        ['Ann', rows[3]!['prediction']],
        ['sees', rows[4]!['prediction']],
        ['b', rows[5]!['prediction']],
      ],
    );
    checkStates(tried.states, 3);
    assert.deepEqual(
      (await tryRun(folder, { row: 2 })).table!.rows.map(row => row.at(-1)),
      ['B-PER', 'O', 'O'],
    );
  });

  it('hears a sound file', async () => {
    const rate = 8000;
    const rows = Array.from({ length: 6 }, (_, i) => {
      const values = Array.from({ length: 1600 }, (_, t) => 0.5 * Math.sin(t * (0.2 + 0.1 * i)));
      writeFileSync(join(workspaceFolder(), `${i}.wav`), wavOf(values, { rate }));
      return `${i}.wav\t${'ab'[i % 2]}`;
    });
    const path = write('w.tsv', 'file\tsaid', ...rows);
    const folder = await trained(
      { task: 'ctc', path: 'w.tsv', audio: 'file', target: 'said', split: [0.7, 0.3, 0] },
      { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
    );
    const { rows: predicted } = await predictFile(folder, path);
    const tried = await tryRun(folder, { sound: join(workspaceFolder(), '2.wav') });
    assert.equal(tried.answer, predicted[2]!['prediction']);
    assert.equal(tried.table!.rows.length, tried.states[0]!.norms.length);
    assert.ok(tried.notes.some(note => note.startsWith(`Alignment: ${predicted[2]!['alignment']}`)));
    assert.equal((await tryRun(folder, { row: 3 })).truth, 'a');
    await assert.rejects(tryRun(folder, { text: 'a' }), /choose a WAV file/);
    await assert.rejects(tryRun(folder, { sound: '/there/is/none.wav' }), /does not exist/);
  });

  it('forecasts what follows the last window, one before, and rows that are pasted', async () => {
    const lines = Array.from({ length: 60 }, (_, i) => String((10 + 5 * Math.sin(i / 3)).toFixed(4)));
    const path = write('f.csv', 'level', ...lines);
    const folder = await trained(
      { task: 'forecast', path: 'f.csv', target: 'level', window: 8, horizon: 2 },
      { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
    );
    const { next, rows } = await predictFile(folder, path);
    const tried = await tryRun(folder, {});
    assert.deepEqual(
      tried.table!.rows.map(row => Number(row[1])),
      next.map(row => Number((row['prediction'] as number).toPrecision(6))),
    );
    checkStates(tried.states, 8);
    const before = await tryRun(folder, { row: 20 });
    const known = rows.find(({ row }) => row === 22)!;
    assert.equal(Number(before.table!.rows[1]![1]), Number((known['prediction'] as number).toPrecision(6)));
    assert.equal(Number(before.table!.rows[1]!.at(-1)), Number((known['truth'] as number).toPrecision(6)));
    const typed = await tryRun(folder, { text: ['level', ...lines.slice(-8)].join('\n') });
    assert.deepEqual(
      typed.table!.rows.map(row => row[1]),
      tried.table!.rows.map(row => row[1]),
    );
    await assert.rejects(tryRun(folder, { row: 3 }), /ends at a row from 8 to 60, not at 3/);
  });

  it('predicts from arrays of numbers', async () => {
    const path = write(
      'a.jsonl',
      ...Array.from({ length: 24 }, (_, i) => JSON.stringify({ x: [i % 4, (i * 7) % 5, 1], y: (i % 4) + 1 })),
    );
    const folder = await trained(
      { task: 'table', path: 'a.jsonl', inputs: ['x'], targets: ['y'] },
      { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
    );
    const { rows } = await predictFile(folder, path);
    const tried = await tryRun(folder, { row: 3 });
    assert.equal(tried.table!.rows[0]![2], (rows[2]!['prediction y'] as number).toPrecision(5));
    assert.equal(tried.table!.rows[0]![3], '3.0000');
    assert.deepEqual(
      (await tryRun(folder, { text: '2\n4\n1' })).table!.rows[0]![2],
      tried.table!.rows[0]![2],
    );
  });

  it('says of a task that draws its data that nothing is given to it', async () => {
    const folder = await trained(
      { task: 'adding', length: 5 },
      { layers: [{ type: 'rnn', units: 3 }, { type: 'dense' }] },
    );
    await assert.rejects(tryRun(folder, { text: '1' }), /Runs of "adding" draw their own data/);
  });
});
