// Names and symbols that look alike are told with their code points, by every task, and stay apart.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { alikeAmong, lookalikeNotes, lookOf } from '../../../../src/trainer/data/lookalikes.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';

const COMPOSED = 'caf\u00e9';
const APART = 'cafe\u0301';

describe('names that look alike', () => {
  const pairs: [one: string, other: string, told: string][] = [
    [COMPOSED, APART, 'U+00E9 and U+0065 U+0301'],
    ['new york', 'new\u00a0york', 'U+0020 and U+00A0'],
    ['\ufeffx', 'x', 'U+FEFF and nothing'],
    ['ab', 'a\u200bb', 'nothing and U+200B'],
    ['a ', 'a', 'U+0020 and nothing'],
    ['\ud55c', '\u1112\u1161\u11ab', 'U+D55C and U+1112 U+1161 U+11AB'],
  ];
  for (const [one, other, told] of pairs)
    it(`${told}`, () => {
      assert.equal(lookOf(one), lookOf(other));
      const [note] = lookalikeNotes(['z', one, 'y', other], 'classes');
      assert.ok(note!.startsWith('Some classes look alike and are learned apart: "'), note);
      assert.ok(note!.includes(`(${told})`), note);
      assert.ok(alikeAmong(one, ['z', other])!.startsWith('one that looks alike has '));
    });

  it('are not those that a reader tells apart', () => {
    const names = [
      'a',
      'A',
      'e',
      '\u00e9',
      ' ',
      '\t',
      '\n',
      '\u3000',
      'ab',
      'a b',
      '\u0430',
      'o\u0308',
      'ss',
      '\u00df',
    ];
    assert.deepEqual(lookalikeNotes(names, 'classes'), []);
    assert.equal(alikeAmong('x', ['X', 'y']), null);
  });

  it('are characters too: one of a text that also has its parts', () => {
    const note = 'Some characters look alike and are learned apart: "\u00e9" (U+00E9 and U+0065 U+0301).';
    assert.ok(lookalikeNotes(['e', '\u00e9', '\u0301'], 'characters')[0]!.startsWith(note));
    assert.deepEqual(lookalikeNotes(['e', '\u00e8', '\u0301'], 'characters'), []);
  });

  it('are counted where there are many', () => {
    const names = Array.from({ length: 9 }, (_, at) => [`n${at}`, `n${at}\u200b`]).flat();
    assert.match(
      lookalikeNotes(names, 'words')[0]!,
      /"n2" \(nothing and U\+200B\), and 6 further ones\. Write/,
    );
  });
});

describe('names of a file that look alike', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-alike-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const word = (row: number) => (row % 3 === 0 ? COMPOSED : row % 3 === 1 ? APART : 'tea');
  const rows = (of: (row: number) => string) => Array.from({ length: 60 }, (_, row) => of(row)).join('');
  const embedding = { type: 'embedding', dim: 4 } as const;
  const layers = [embedding, { type: 'gru', units: 4 } as const, { type: 'dense' } as const];
  const files: Record<
    string,
    { data: ExperimentInput['data']; content: string; what: RegExp; encoder?: true }
  > = {
    'characters of a text': {
      data: { task: 'char-lm', path: 'a.txt' },
      content: rows(row => `${word(row)} `),
      what: /Some characters look alike/,
    },
    'words of a text': {
      data: { task: 'word-lm', path: 'a.txt' },
      content: rows(row => `${word(row)} `),
      what: /Some words look alike/,
    },
    classes: {
      data: { task: 'classify', path: 'a.csv', text: 't', label: 'c' },
      content: `t,c\n${rows(row => `abc${row},${word(row)}\n`)}`,
      what: /Some classes look alike/,
    },
    tags: {
      data: { task: 'tag', path: 'a.conll', tags: 1 },
      content: rows(row => `ab ${word(row)}\nba ${word(row + 1)}\n\n`),
      what: /Some tags look alike/,
    },
    'units of pairs': {
      data: { task: 'seq2seq', path: 'a.tsv', source: 's', target: 't', units: 'words' },
      content: `s\tt\n${rows(row => `${word(row)} ${row}\t${word(row + 2)}\n`)}`,
      what: /Some symbols of sources look alike.* Some symbols of targets look alike/,
      encoder: true,
    },
    'unaligned labels': {
      data: { task: 'ctc', path: 'a.csv', text: 's', target: 't', units: 'words' },
      content: `s,t\n${rows(row => `abcdefghijk${row},${word(row)}\n`)}`,
      what: /Some labels look alike/,
    },
    columns: {
      data: { task: 'forecast', path: 'a.csv', target: COMPOSED, window: 4 },
      content: `${COMPOSED},${APART}\n${rows(row => `${row % 7},${row}\n`)}`,
      what: /Some columns look alike and are learned apart: "café" \(U\+00E9 and U\+0065 U\+0301\)/,
    },
  };
  for (const [name, { data, content, what, encoder }] of Object.entries(files))
    it(name, async () => {
      const own = { ...data, path: `${name}.${(data as { path: string }).path}` } as ExperimentInput['data'];
      writeFileSync(join(folder, (own as { path: string }).path), content);
      const model = {
        layers: data.task === 'forecast' ? layers.slice(1) : layers,
        ...(encoder && { encoder: layers.slice(0, 2) }),
      };
      const experiment = experimentSchema.parse({ data: own, model, training: { batchSize: 2, seqLen: 8 } });
      const task = await openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
      assert.match(task.facts.notes!.join(' '), what);
    });

  it('a column that is asked for in the other form', async () => {
    writeFileSync(join(folder, 'b.csv'), `x,${APART}\n${rows(row => `${row},${row % 5}\n`)}`);
    for (const data of [
      { task: 'forecast', path: 'b.csv', target: COMPOSED, window: 4 },
      { task: 'table', path: 'b.csv', inputs: ['x'], targets: [COMPOSED] },
      { task: 'classify', path: 'b.csv', text: 'x', label: COMPOSED },
    ]) {
      const experiment = experimentSchema.parse({
        data,
        model: { layers: layers.slice(data.task === 'classify' ? 0 : 1) },
      });
      await assert.rejects(
        openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] }),
        /^DataError: b\.csv has no column "café"; one that looks alike has U\+0065 U\+0301 where the experiment has U\+00E9\.$/,
      );
    }
  });
});
