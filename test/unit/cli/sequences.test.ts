// Sequence to sequence at the shell: trained, and used on a file with and without targets.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsonLines, unroll } from './unroll.ts';

describe('unroll: sequence to sequence', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-sequences-'));
    const letters = 'abc';
    const texts = letters.split('').flatMap(a => letters.split('').flatMap(b => [a + b, `${a}${b}a`]));
    const lines = texts.map(text => `${text}\t${text.toUpperCase()}`);
    writeFileSync(join(folder, 'p.tsv'), lines.join('\n'));
    writeFileSync(join(folder, 'new.tsv'), 'ab\nbca\n');
    writeFileSync(
      join(folder, 'e.rnn.json'),
      JSON.stringify({
        data: { task: 'seq2seq', path: 'p.tsv', split: [1, 0, 0] },
        model: {
          encoder: [{ type: 'gru', units: 16 }],
          layers: [{ type: 'gru', units: 16 }, { type: 'attention' }, { type: 'dense' }],
        },
        training: { steps: 250, batchSize: 18, optimizer: { type: 'adam', learningRate: 0.02 } },
      }),
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: string[]) => unroll(args, { cwd: folder });

  it('learns, predicts, and exports what it can', () => {
    const train = run('train', 'e.rnn.json', '--json');
    assert.equal(train.code, 0, train.stderr);
    const ended = jsonLines(train.stdout).at(-1) as { run: string; trainLoss: number };
    assert.ok(ended.trainLoss < 0.05, `${ended.trainLoss}`);
    for (const beams of [[], ['--beams', '3', '--length-penalty', '1']]) {
      const known = run('predict', ended.run, 'p.tsv', '--json', ...beams);
      const [{ sequenceAccuracy, rows }] = jsonLines(known.stdout) as never as [
        { sequenceAccuracy: number; rows: { line: number; truth: string; prediction: string }[] },
      ];
      assert.equal(rows.length, 18);
      const right = rows.filter(({ truth, prediction }) => truth === prediction).length;
      assert.equal(sequenceAccuracy, right / 18);
      assert.ok(sequenceAccuracy > 0.9, `${sequenceAccuracy} with ${beams.join(' ')}`);
      assert.equal(rows[0]!.line, 1);
    }
    const fresh = run('predict', ended.run, 'new.tsv');
    assert.equal(fresh.code, 0, fresh.stderr);
    assert.equal(fresh.stdout, 'line,source,prediction\n1,ab,AB\n2,bca,BCA\n');
    const exported = run('export', ended.run, '--format', 'pytorch', '--out', 'out');
    assert.equal(exported.code, 0, exported.stderr);
    const code = readFileSync(join(folder, 'out', 'model.py'), 'utf8');
    assert.match(code, /def translate\(model, text\)/);
    const onnx = run('export', ended.run, '--format', 'onnx', '--out', 'graph');
    assert.equal(onnx.code, 0, onnx.stderr);
    assert.deepEqual(readdirSync(join(folder, 'graph')).sort(), [
      'decoder.onnx',
      'decoding.json',
      'encoder.onnx',
      'reference.json',
      'task.json',
    ]);
    const tfjs = run('export', ended.run, '--format', 'tfjs', '--out', 'layers');
    assert.notEqual(tfjs.code, 0);
    assert.match(
      tfjs.stderr,
      /TensorFlow\.js has no form of a GRU that resets after the recurrent product .*"resetAfter": false/,
    );
  });

  it('predicts the memory of a pair that is far too long, alone in its pass, and refuses one that does not fit', () => {
    const written = (length: number) => {
      const pairs = ['ab', 'cab', 'bc', 'ba', 'ca'].map(text => `${text}\t${text}`);
      const long = 'ab'.repeat(length / 2);
      writeFileSync(join(folder, 'long.tsv'), [...pairs, `${long}\t${long}`].join('\n'));
      const e = JSON.parse(readFileSync(join(folder, 'e.rnn.json'), 'utf8'));
      const data = { ...e.data, path: 'long.tsv' };
      writeFileSync(join(folder, 'long.rnn.json'), JSON.stringify({ ...e, data }));
    };
    written(10_000);
    const fits = run('check', 'long.rnn.json');
    assert.equal(fits.code, 0, fits.stderr);
    assert.match(fits.stdout, /computed in parts/);
    written(1_000_000);
    const refused = run('check', 'long.rnn.json');
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /long\.rnn\.json:\d+:\d+: Training this would take about [\d.]+ TB of memory .* one sequence of 1,000,001 steps takes that alone: make\s+`data\.maxLength` or the model smaller\./s,
    );
  });
});
