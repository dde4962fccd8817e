// Rows that cannot be used, of every reader of rows: the first one is an error with its line or, with "skip", all are left
// out, and the run says how many.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { DataError } from '../../../../src/trainer/data/errors.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';

/** Half a second of a tone at 8 kHz. */
function wav(): Buffer {
  const samples = Int16Array.from({ length: 4000 }, (_, at) => 8000 * Math.sin(at / 5));
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.byteLength, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([head, Buffer.from(samples.buffer)]);
}

const token = (id: number, word: string, tag: string) => `${id}\t${word}\t_\t${tag}\t_\t_\t_\t_\t_\t_`;
const sentences = (middle: string) =>
  [
    `${token(1, 'a', 'X')}\n${token(2, 'b', 'Y')}`,
    middle,
    ...Array.from({ length: 6 }, () => token(1, 'c', 'X')),
  ].join('\n\n');
const many = (row: (at: number) => string, count = 12) => Array.from({ length: count }, (_, at) => row(at));

interface Case {
  data: object;
  /** the file, with bad rows in it */
  rows: string[];
  skipped: number;
  /** what the first of them is told to be */
  first: RegExp;
  encoder?: boolean;
}

const cases: Record<string, Case> = {
  'seq2seq, a row too short': {
    data: { task: 'seq2seq', path: 'a.tsv' },
    rows: [...many(at => `ab${at}\tc`), 'alone', 'alone'],
    skipped: 2,
    first: /a\.tsv, line 13: there is no column 1/,
    encoder: true,
  },
  'ctc, a target longer than its text and an empty one': {
    data: { task: 'ctc', path: 'a.tsv', text: 'x', target: 'y' },
    rows: ['x\ty', ...many(() => 'abcd\tab'), 'a\tab', 'abc\t'],
    skipped: 2,
    first: /a\.tsv, line (14: the target has 2 characters|15: the target in column "y" is empty)/,
  },
  'ctc, a sound that is not there': {
    data: { task: 'ctc', path: 'a.tsv', audio: 'x', target: 'y', features: { mels: 8 } },
    rows: ['x\ty', ...many(() => 'a.wav\tab'), 'lost.wav\tab'],
    skipped: 1,
    first: /a\.tsv, line 14: .*lost\.wav/,
  },
  'classify, series without a value and without a class': {
    data: { task: 'classify', path: 'a.tsv', values: ['v'], id: 'i', label: 'y' },
    rows: ['i\tv\ty', ...many(at => `${at}\t${at}\t${at % 2}`), '20\t\t1', '21\t1\t'],
    skipped: 2,
    first: /a\.tsv, line 1[45]: /,
  },
  'tag, tokens out of order: the whole sentence': {
    data: { task: 'tag', path: 'a.conllu', tags: 'upos' },
    rows: [sentences(`${token(1, 'a', 'X')}\n${token(3, 'b', 'X')}\n${token(9, 'b', 'X')}`)],
    skipped: 1,
    first: /a\.conllu, line 5: token 3 stands where token 2/,
  },
  'forecast, a row with too many cells': {
    data: { task: 'forecast', path: 'a.tsv', target: 'v', window: 3 },
    rows: [
      'v\tw',
      ...many(at => `${(at * 7) % 5}\t1`, 30),
      '1\t2\t3',
      ...many(at => `${(at * 7) % 5}\t1`, 9),
    ],
    skipped: 1,
    first: /a\.tsv, line 32: this row has 3 cells, the header has 2/,
  },
};

describe('rows that cannot be used', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-rows-'));
    writeFileSync(join(folder, 'a.wav'), wav());
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const [name, { data, rows, skipped, first, encoder }] of Object.entries(cases))
    it(name, async () => {
      const { path } = data as { path: string };
      writeFileSync(join(folder, path), `${rows.join('\n')}\n`);
      const layers = [{ type: 'gru', units: 3 }, { type: 'dense' }];
      const open = (onError?: string) =>
        openTask(
          experimentSchema.parse({
            data: { ...data, ...(onError && { onError }) },
            model: encoder ? { encoder: [{ type: 'gru', units: 3 }], layers } : { layers },
            training: { batchSize: 4 },
          }),
          { base: folder, workspace: folder, allowedPaths: [] },
        );
      await assert.rejects(
        open(),
        (cause: unknown) => cause instanceof DataError && first.test(cause.message),
      );
      const task = await open('skip');
      assert.equal(task.read?.['skipped'], skipped);
      const note = task.facts.notes.find(text => / skipped\. The first: /.test(text));
      assert.match(note ?? '', /^\d+ rows? (was|were) skipped\. The first: /);
      assert.ok(task.trainingBatch(1).batch > 0);
    });

  it('rows that stand in training and in a held-out part are counted', async () => {
    const layers = [{ type: 'gru', units: 3 }, { type: 'dense' }];
    const open = (data: object) =>
      openTask(experimentSchema.parse({ data, model: { layers }, training: { batchSize: 4 } }), {
        base: folder,
        workspace: folder,
        allowedPaths: [],
      });
    writeFileSync(join(folder, 'a.tsv'), `x\ty\n${many(at => `ab\t${'st'[at % 2]}`, 20).join('\n')}\n`);
    writeFileSync(
      join(folder, 'b.conllu'),
      many(() => `${token(1, 'a', 'X')}\n${token(2, 'b', 'Y')}`, 20).join('\n\n'),
    );
    for (const [data, told] of [
      [
        { task: 'classify', path: 'a.tsv', text: 'x', label: 'y' },
        /4 sequences of 4 in validation and test stand/,
      ],
      [
        { task: 'ctc', path: 'a.tsv', text: 'x', target: 'y' },
        /4 sequences of 4 in validation and test stand/,
      ],
      [{ task: 'tag', path: 'b.conllu', tags: 'upos' }, /4 sentences of 4 in validation and test stand/],
    ] as const)
      assert.match((await open(data)).facts.notes.join(' '), told);
    // numbers of another row each are none
    writeFileSync(join(folder, 'a.tsv'), `x\ty\n${many(at => `${at}ab\t${'st'[at % 2]}`, 20).join('\n')}\n`);
    const own = await open({ task: 'classify', path: 'a.tsv', text: 'x', label: 'y' });
    assert.doesNotMatch(own.facts.notes.join(' '), /in the training part too/);
  });
});
