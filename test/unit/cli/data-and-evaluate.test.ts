// unroll data, evaluate and predict at the shell, from files of several formats and standard input, against counting by
// hand and against each other.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wavOf } from '../trainer/data/wav-of.ts';
import { jsonLines, main, unroll } from './unroll.ts';

describe('unroll data, evaluate, predict', () => {
  let folder: string;
  let classes: string;
  const run = (...args: string[]) => unroll(args, { cwd: folder });
  const train = (name: string, data: object, layers: object[], training: object): string => {
    writeFileSync(join(folder, `${name}.rnn.json`), JSON.stringify({ data, model: { layers }, training }));
    const made = run('train', `${name}.rnn.json`, '--json');
    assert.equal(made.code, 0, made.stderr);
    return (jsonLines(made.stdout).at(-1) as { run: string }).run;
  };
  const row = (index: number) => ({
    text: index % 3 === 0 ? `b${'xy'[index % 2]}` : `a${'xy'[index % 2]}x`,
    class: index % 3 === 0 ? 'second' : 'first',
  });
  const text = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => JSON.stringify(row(from + at))).join('\n');

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-data-'));
    writeFileSync(join(folder, 'c.jsonl'), text(0, 60));
    writeFileSync(join(folder, 'other.jsonl'), `${text(60, 72)}\n{"text": "a", "class": "second"}`);
    classes = train(
      'c',
      { task: 'classify', path: 'c.jsonl', text: 'text', label: 'class' },
      [{ type: 'gru', units: 8 }, { type: 'dense' }],
      { steps: 60, batchSize: 16, optimizer: { type: 'adam', learningRate: 0.03 } },
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('data: rows, lengths, shares and what fits', () => {
    const told = run('data', 'c.jsonl', '--json');
    const [facts] = jsonLines(told.stdout) as unknown as [
      { rows: number; columns: object[]; suggested: { data: object }[] },
    ];
    assert.equal(facts.rows, 60);
    assert.deepEqual(facts.columns[1], {
      name: 'class',
      kind: 'text',
      missing: 0,
      different: 2,
      shares: [
        { value: 'first', share: 40 / 60 },
        { value: 'second', share: 20 / 60 },
      ],
      lengths: { least: 5, median: 5, most: 6 },
    });
    assert.deepEqual(facts.suggested[0]!.data, {
      task: 'classify',
      path: 'c.jsonl',
      text: 'text',
      label: 'class',
    });
    writeFileSync(
      join(folder, 'n.csv'),
      `day,value\n${Array.from({ length: 20 }, (_, at) => `2024-01-${at + 10},${at * 2}`).join('\n')}\n2024-02-01\n`,
    );
    const table = run('data', 'n.csv').stdout;
    assert.match(table, /n\.csv: CSV · 2\d\d bytes · 20 rows · 2 columns · 1 row that cannot be read/);
    assert.match(table, /value: number; 0 to 38, mean 19/);
    assert.match(table, /fits forecast: numbers row after row in "value"/);
    const missing = run('data', 'nowhere.csv');
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /^There is no file nowhere\.csv\.$/m);
  });

  it('evaluate: the test part as the run scored it, and other data as predict sees them', () => {
    const own = jsonLines(run('evaluate', classes, '--json').stdout)[0] as {
      loss: number;
      figures: Record<string, number>;
      count: number;
    };
    const ended = run('show', classes);
    assert.equal(ended.code, 0);
    // 60 rows, a tenth of each class in the test part
    assert.equal(own.count, 6);
    const other = jsonLines(
      run('evaluate', classes, '--data', 'other.jsonl', '--json').stdout,
    )[0] as unknown as {
      figures: { accuracy: number; balancedAccuracy: number };
      count: number;
      notes: string[];
    };
    const [{ rows, accuracy }] = jsonLines(
      run('predict', classes, 'other.jsonl', '--json').stdout,
    ) as never as [{ rows: { truth: string; prediction: string }[]; accuracy: number }];
    assert.equal(other.count, 13);
    assert.equal(other.figures.accuracy, accuracy);
    const recall = (name: string) => {
      const own = rows.filter(({ truth }) => truth === name);
      return own.filter(({ prediction }) => prediction === name).length / own.length;
    };
    assert.ok(Math.abs(other.figures.balancedAccuracy - (recall('first') + recall('second')) / 2) < 1e-12);
    assert.match(other.notes[0]!, /^other\.jsonl is not the file that this run learned from/);
    const same = run('evaluate', classes, '--data', 'c.jsonl');
    assert.match(same.stderr, /c\.jsonl is the file that this run learned from\./);
    assert.match(same.stderr, /These figures are of data that were trained on, not of a test\./);
    assert.match(same.stdout, /Accuracy +\d+\.\d\d %/);
    writeFileSync(join(folder, 'stranger.jsonl'), '{"text": "a", "class": "third"}');
    const stranger = run('evaluate', classes, '--data', 'stranger.jsonl');
    assert.equal(stranger.code, 2);
    assert.match(
      stranger.stderr,
      /stranger\.jsonl, line 1: the class "third" is none of the 2 that this run learned/,
    );
  });

  it('predict: standard input is read as a file of its format, JSON lines are written', () => {
    const input = text(60, 63);
    const kept = join(folder, 'kept');
    mkdirSync(kept);
    const piped = (extra: string[], content: string) =>
      spawnSync(process.execPath, [main(), 'predict', classes, ...extra], {
        cwd: folder,
        input: content,
        encoding: 'utf8',
        env: { ...process.env, TMPDIR: kept },
      });
    const lines = piped(['--format', 'jsonl'], input);
    assert.equal(lines.status, 0, lines.stderr);
    const rows = jsonLines(lines.stdout) as unknown as { line: number; prediction: string }[];
    assert.deepEqual(
      rows.map(({ line }) => line),
      [1, 2, 3],
    );
    const table = piped(['-'], 'text\nax\nbx\n');
    assert.match(table.stdout, /^line,prediction,probability\n2,/);
    const empty = piped([], '');
    assert.equal(empty.status, 2);
    assert.match(empty.stderr, /^Standard input is empty\.$/m);
    assert.match(piped(['--format', 'xml'], input).stderr, /--format must be "csv" or "jsonl", found "xml"/);
    assert.match(piped(['--beams', '0'], input).stderr, /--beams must be a whole number of at least 1/);
    assert.deepEqual(readdirSync(kept), []);
  });

  it('a folder of texts, by the folder each stands in: check, train, evaluate, predict', () => {
    for (let index = 0; index < 40; index++) {
      const own = join(folder, 'texts', row(index).class);
      mkdirSync(own, { recursive: true });
      writeFileSync(join(own, `${index}.txt`), row(index).text);
    }
    const data = { task: 'classify', path: 'texts', text: 'text', label: 'label' };
    const layers = [{ type: 'gru', units: 8 }, { type: 'dense' }];
    const made = train('texts', data, layers, { steps: 3, batchSize: 8 });
    assert.match(run('check', 'texts.rnn.json').stdout, /40 sequences of 2 to 3 characters/);
    const scored = run('evaluate', made, '--data', 'texts', '--json');
    assert.equal((jsonLines(scored.stdout)[0] as { count: number }).count, 40, scored.stderr);
    assert.equal(run('predict', made, 'texts').stdout.trim().split('\n').length, 41);
    // of one long text there is no folder
    const novel = { ...data, task: 'char-lm' };
    writeFileSync(
      join(folder, 'novel.rnn.json'),
      JSON.stringify({ data: { task: novel.task, path: 'texts' }, model: { layers } }),
    );
    assert.match(
      run('check', 'novel.rnn.json').stderr,
      /The data path texts is a folder: name a file in it\./,
    );
  });

  it('predict: sounds that standard input names are found from the current folder', () => {
    const sound = (turn: number) => wavOf(Array.from({ length: 800 }, (_, i) => 0.5 * Math.sin(i * turn)));
    mkdirSync(join(folder, 'sounds'), { recursive: true });
    const lines = ['file\tclass'];
    for (let index = 0; index < 12; index++) {
      writeFileSync(join(folder, `sounds/${index}.wav`), sound(index % 2 ? 0.2 : 1.7));
      lines.push(`sounds/${index}.wav\t${'lh'[index % 2]}`);
    }
    writeFileSync(join(folder, 'sounds.tsv'), lines.join('\n'));
    const made = train(
      'sounds',
      { task: 'classify', path: 'sounds.tsv', audio: 'file', label: 'class' },
      [{ type: 'gru', units: 4 }, { type: 'dense' }],
      { steps: 3, batchSize: 4 },
    );
    const piped = spawnSync(process.execPath, [main(), 'predict', made], {
      cwd: folder,
      input: lines.join('\n'),
      encoding: 'utf8',
    });
    assert.equal(piped.status, 0, piped.stderr);
    assert.equal(piped.stdout, run('predict', made, 'sounds.tsv').stdout);
  });

  it('evaluate: a tagger on other sentences, as predict counts them', () => {
    const sentence = (index: number) =>
      `Ada${index % 3} B-PER\nsaw O\n${index % 2 ? 'Rome B-LOC' : 'nobody O'}\nToday O\n`;
    writeFileSync(join(folder, 't.conll'), Array.from({ length: 40 }, (_, at) => sentence(at)).join('\n'));
    writeFileSync(
      join(folder, 'other.conll'),
      'Ada1 B-PER\nsaw O\nLondon B-LOC\n\nRome B-LOC\nsaw O\nMarseille B-PER\n',
    );
    const tagger = train(
      't',
      { task: 'tag', path: 't.conll', tags: 1 },
      [{ type: 'embedding', dim: 8 }, { type: 'gru', units: 8 }, { type: 'crf' }],
      { steps: 40, batchSize: 8, optimizer: { type: 'adam', learningRate: 0.03 } },
    );
    const [scored] = jsonLines(
      run('evaluate', tagger, '--data', 'other.conll', '--json').stdout,
    ) as unknown as [{ count: number; loss: number; figures: Record<string, number> }];
    const [{ rows, accuracy, entityF1 }] = jsonLines(
      run('predict', tagger, 'other.conll', '--json').stdout,
    ) as never as [{ rows: { truth: string; prediction: string }[]; accuracy: number; entityF1: number }];
    assert.equal(scored.count, 6);
    assert.ok(scored.loss > 0);
    const right = rows.filter(({ truth, prediction }) => truth === prediction).length;
    assert.equal(scored.figures['accuracy'], right / 6);
    assert.equal(accuracy, right / 6);
    assert.equal(scored.figures['entityF1'], entityF1);
    writeFileSync(join(folder, 'stranger.conll'), 'Ada1 B-PER\n\nsaw O\nAcme B-ORG\n');
    const stranger = run('evaluate', tagger, '--data', 'stranger.conll');
    assert.equal(stranger.code, 2);
    assert.match(
      stranger.stderr.replaceAll(/\s+/g, ' '),
      /stranger\.conll, sentence at line 3: the tag "B-ORG" of "Acme" is none of the 3 that this run learned\./,
    );
  });

  it('evaluate and sample: a language model of words', () => {
    writeFileSync(join(folder, 'w.txt'), 'the cat sat on the mat and the dog sat on the log\n'.repeat(60));
    writeFileSync(join(folder, 'v.txt'), 'the dog sat on the mat and the cat sat on the log\n'.repeat(5));
    const words = train(
      'w',
      { task: 'word-lm', path: 'w.txt' },
      [
        { type: 'embedding', dim: 16 },
        { type: 'gru', units: 16 },
        { type: 'dense', tied: true },
      ],
      { steps: 80, batchSize: 4, seqLen: 13, optimizer: { type: 'adam', learningRate: 0.03 } },
    );
    const own = jsonLines(run('evaluate', words, '--data', 'w.txt', '--json').stdout)[0] as {
      figures: { perplexity: number };
    };
    const other = jsonLines(run('evaluate', words, '--data', 'v.txt', '--json').stdout)[0] as {
      figures: { perplexity: number };
    };
    assert.ok(
      own.figures.perplexity < 1.5 && other.figures.perplexity > own.figures.perplexity,
      `${own.figures.perplexity} ${other.figures.perplexity}`,
    );
    // of a text that is one window, evaluated as one sequence
    const line = 'the dog sat on the mat and the cat sat on the log\n';
    writeFileSync(join(folder, 'one.txt'), line);
    const [told] = jsonLines(run('predict', words, 'one.txt', '--json').stdout) as never as [
      { words: number; perplexity: number; bitsPerWord: number; bitsPerChar: number; rows: object[] },
    ];
    const [scored] = jsonLines(run('evaluate', words, '--data', 'one.txt', '--json').stdout) as never as [
      { figures: { perplexity: number }; count: number },
    ];
    assert.deepEqual([told.words, told.rows.length, scored.count], [13, 1, 13]);
    assert.ok(
      Math.abs(told.perplexity / scored.figures.perplexity - 1) < 1e-5,
      JSON.stringify([told, scored]),
    );
    assert.ok(Math.abs(told.bitsPerChar - (13 * told.bitsPerWord) / line.length) < 1e-9);
    assert.ok(Math.abs(2 ** told.bitsPerWord - told.perplexity) < 1e-9);
    const piped = spawnSync(process.execPath, [main(), 'predict', words], {
      cwd: folder,
      input: line.repeat(3),
      encoding: 'utf8',
    });
    assert.match(piped.stdout, /^line,words,bitsPerWord,perplexity,text\n1,13,[^\n]*\n2,14,[^\n]*\n3,14,/);
    assert.match(piped.stderr, /41 words: perplexity \S+, \S+ bits a word, \S+ a character\./);
    const nothing = run('predict', words, 'nowhere.txt');
    assert.match(nothing.stderr, /^There is no file nowhere\.txt\.$/m);
    const written = run('sample', words, '--prompt', 'the cat sat', '--length', '9', '--temperature', '0');
    assert.equal(written.stdout, 'the cat sat on the mat and the dog sat on the\n');
    const again = run('sample', words, '--prompt', 'the cat sat', '--length', '9', '--top-k', '1', '--json');
    assert.equal((jsonLines(again.stdout)[0] as { text: string }).text, ' on the mat and the dog sat on the');
    assert.match(
      run('sample', classes).stderr,
      /This run learned "classify"; text is written by runs of language models/,
    );
  });
});
