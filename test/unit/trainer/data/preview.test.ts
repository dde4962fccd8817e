// What `unroll data` and the hover tell of a file of each format, against counting by hand; the task that is suggested reads it.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { taskOf } from '../../../../src/experiment/tasks/index.ts';
import { DataError } from '../../../../src/trainer/data/errors.ts';
import { BEGINNING, previewLines, previewOf } from '../../../../src/trainer/data/preview.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { wavOf } from './wav-of.ts';

const folder = mkdtempSync(join(tmpdir(), 'unroll-preview-'));

const repeated = (count: number, row: (at: number) => string, between = '\n') =>
  Array.from({ length: count }, (_, at) => row(at)).join(between);
const SENTENCE = ['Ada\tNNP\tB-PER', 'lives\tVB\tO', 'in\tIN\tO', 'Rome\tNNP\tB-LOC'];
const conllU = (at: number) =>
  [
    '# text',
    ...SENTENCE.map(
      (row, t) => `${t + 1}\t${row.split('\t')[0]}\t_\t${'AB'[(at + t) % 2]}${'\t_'.repeat(6)}`,
    ),
  ].join('\n');
const sound = wavOf(
  Array.from({ length: 2000 }, (_, t) => Math.sin(t)),
  { rate: 4000 },
);

const FILES: Record<string, string | Uint8Array> = {
  'labels.tsv': repeated(30, at => `${'ab'.repeat(1 + (at % 3))}x\t${'pq'[at % 2]}`),
  'pairs.tsv': repeated(30, at => `word${at}\tW${at}`),
  'numbers.tsv': Array.from(
    { length: 40 },
    (_, i) => `${i * 37 + 1}\tword ${'abcdefgh'[i % 8]}${'xyz'[i % 3]}, ${'pqrstu'[i % 5]}`,
  ).join('\n'),
  'places.csv': `place,wind,sky\n${Array.from({ length: 40 }, (_, i) => `${'ab'[i % 2]}town,${Math.sin(i)},${['sun', 'rain', 'fog'][i % 3]}`).join('\n')}`,
  'sentences.tsv': `Hello there, all of you.\tBonjour.\n${repeated(30, at => `It is ${at}.\tC'est ${at}.`)}`,
  'd.conllu': repeated(20, conllU, '\n\n'),
  'd.conll': repeated(20, at => SENTENCE.slice(0, 2 + (at % 3)).join('\n'), '\n\n'),
  'lists.jsonl': repeated(20, at =>
    JSON.stringify({
      tokens: SENTENCE.slice(0, 2 + (at % 3)).map(row => row.split('\t')[0]),
      tags: SENTENCE.slice(0, 2 + (at % 3)).map(row => row.split('\t')[2]),
    }),
  ),
  'cut.jsonl': repeated(20, at => JSON.stringify({ from: ['New York', `n${at}`], to: ['N', 'Y', `${at}`] })),
  'sounds/a/0.wav': sound,
  'sounds/a/1.wav': sound,
  'sounds/b/0.wav': sound,
  'sounds/b/1.wav': sound,
  'one.wav': sound,
  'told.tsv': `file\ttext\n${repeated(12, at => `sounds/${'ab'[at % 2]}/0.wav\tn${at}`)}`,
  'digits.tsv': `file\ttext\n${repeated(12, at => `sounds/${'ab'[at % 2]}/0.wav\t${at * 37}`)}`,
  ...Object.fromEntries(
    ['train', 'test'].flatMap(part =>
      ['pos', 'neg'].flatMap(own =>
        [0, 1, 2].map(at => [`reviews/${part}/${own}/${at}.txt`, `a ${own} film, ${at}`]),
      ),
    ),
  ),
  'x.ts': `@problemName x\n@classLabel true a b\n@data\n${repeated(12, at => `1,2,${at}:3,4,5:${'ab'[at % 2]}`)}`,
  'x.arff': `@relation x\n@attribute u numeric\n@attribute v numeric\n@attribute class {p,q}\n@data\n${repeated(12, at => `${at},2,${'pq'[at % 2]}`)}`,
};

describe('the preview of a data file', () => {
  before(async () => {
    await startEngine('reference', null);
    for (const [name, content] of Object.entries(FILES)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const tell = (name: string) => previewOf(join(folder, name), name);
  /** of the first task that fits: its data, which the task itself must be able to read */
  const suggested = async (name: string) => {
    const { suggested: all } = await tell(name);
    const { data, vectors } = all[0]!;
    const { needs, starter } = taskOf(data as never);
    const layers = [
      ...(vectors || starter.embedding === 0 ? [] : [{ type: 'embedding', dim: 3 }]),
      { type: 'gru', units: 3 },
    ];
    const experiment = experimentSchema.parse({
      data,
      model: { layers: [...layers, { type: 'dense' }], ...(needs === 'encoder' ? { encoder: layers } : {}) },
    } as ExperimentInput);
    const task = await openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
    assert.ok(task.trainingBatch(1).input.length > 0);
    const { path: _, ...rest } = data;
    return rest;
  };

  it('tells a first line that is a row, by what recurs or is a sentence', async () => {
    const labels = await tell('labels.tsv');
    assert.equal(labels.rows, 30);
    assert.deepEqual(labels.columns[1]!.shares, [
      { value: 'q', share: 0.5 },
      { value: 'p', share: 0.5 },
    ]);
    assert.deepEqual(labels.columns[0]!.lengths, { least: 3, median: 5, most: 7 });
    assert.deepEqual([labels.columns[0]!.name, labels.columns[0]!.different], ['0', 3]);
    assert.equal((await tell('sentences.tsv')).rows, 31);
    // nothing tells that these are no names
    assert.equal((await tell('pairs.tsv')).rows, 29);
  });

  it('tells sentences in columns by their columns of lists', async () => {
    const told = await tell('d.conllu');
    assert.deepEqual([told.format, told.rows], ['CoNLL-U', 20]);
    const { lengths, different, shares } = told.columns.find(({ name }) => name === 'upos')!;
    assert.deepEqual(
      [lengths, different, shares!.map(({ share }) => share)],
      [{ least: 4, median: 4, most: 4 }, 2, [0.5, 0.5]],
    );
    const older = await tell('d.conll');
    assert.deepEqual(
      older.columns.map(({ name }) => name),
      ['word', 'pos', 'chunk'],
    );
    assert.deepEqual(older.columns[0]!.lengths, { least: 2, median: 3, most: 4 });
  });

  it('tells of sounds how many were read, their rates and how long they are', async () => {
    const seconds = { least: 0.5, median: 0.5, most: 0.5 };
    for (const [name, files] of [
      ['one.wav', 1],
      ['sounds', 4],
      ['told.tsv', 12],
    ] as const) {
      const told = await tell(name);
      assert.deepEqual(told.sounds, { files, rates: [4000], channels: 1, seconds }, name);
      assert.ok(previewLines(told).some(line => /0\.50 s.*4,000 samples a second, 1 channel/.test(line)));
    }
    assert.match((await tell('one.wav')).notes[0]!, /^One sound is no data set/);
  });

  it('shows values that are signs alone in quotes', async () => {
    writeFileSync(
      join(folder, 'signs.jsonl'),
      repeated(20, at => JSON.stringify({ sign: [',', '.', 'and'][at % 3] })),
    );
    const lines = previewLines(await tell('signs.jsonl'));
    assert.ok(
      lines.some(line => line.includes('"," 35.0 %, "." 35.0 %, and 30.0 %')),
      lines.join('\n'),
    );
  });

  it('takes no text of few values beside measurements for what is to be classified', async () => {
    const { suggested: all } = await tell('places.csv');
    assert.deepEqual(
      all.map(({ data }) => data.task),
      ['forecast'],
    );
  });

  it('tells that the parts of a folder are read as one', async () => {
    const { notes, rows } = await tell('reviews');
    assert.equal(rows, 12);
    assert.match(
      notes[0]!,
      /^The parts of reviews, "test" \(6 files\) and "train" \(6 files\), are read as one/,
    );
  });

  for (const [name, data] of [
    ['labels.tsv', { task: 'classify', label: 1, text: 0 }],
    ['pairs.tsv', { task: 'seq2seq', source: 'word0', target: 'W0' }],
    ['sentences.tsv', { task: 'seq2seq', source: 0, target: 1 }],
    ['numbers.tsv', { task: 'seq2seq', source: 0, target: 1 }],
    ['d.conllu', { task: 'tag', tags: 'upos' }],
    ['d.conll', { task: 'tag', tags: 'chunk' }],
    ['lists.jsonl', { task: 'tag', tags: 'tags' }],
    ['cut.jsonl', { task: 'seq2seq', source: 'from', target: 'to' }],
    ['sounds', { task: 'classify', label: 'label', audio: 'file' }],
    ['told.tsv', { task: 'ctc', audio: 'file', target: 'text' }],
    ['digits.tsv', { task: 'ctc', audio: 'file', target: 'text' }],
    ['reviews', { task: 'classify', label: 'label', text: 'text' }],
    ['x.ts', { task: 'classify', label: 'label', values: ['series'] }],
  ] as const)
    it(`suggests a task that reads it: ${name}`, async () => {
      assert.deepEqual(await suggested(name), data);
    });

  it('says what is read where a file is nothing of it', async () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, at) => at % 256);
    writeFileSync(join(folder, 'x.bin'), bytes);
    writeFileSync(join(folder, 'cut.wav'), sound.slice(0, 60));
    for (const [name, message] of [
      [
        'x.bin',
        /^The data file x\.bin is not .*Files that are read: text, CSV, TSV, CoNLL, WAV, folders, JSON lines/,
      ],
      ['cut.wav', /^cut\.wav is truncated/],
      ['nowhere.npy', /^There is no file nowhere\.npy\.$/],
    ] as const)
      await assert.rejects(
        tell(name),
        (cause: Error) => cause instanceof DataError && message.test(cause.message),
      );
  });

  it('reads beginnings of each format', async () => {
    for (const name of Object.keys(FILES))
      await previewOf(join(folder, name), name, { ...BEGINNING, rows: 2 });
  });
});
