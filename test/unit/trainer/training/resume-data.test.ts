// Runs of every reader go on with the rows they knew when others were appended, say in one sentence when their data are
// gone or are others, and take the file that a person names.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExperimentInput } from '../../../../src/experiment/schema.ts';
import { bitsOf, inShortTurns, makeRun, train, useWorkspace, workspaceFolder } from './runs.ts';

interface Case {
  data: ExperimentInput['data'];
  layers: ExperimentInput['model']['layers'];
  encoder?: ExperimentInput['model']['layers'];
  content: string | Buffer;
  /** what may stand behind it; null: the format tells its own end */
  appended: string | null;
}

const rows = (count: number, of: (row: number) => string) =>
  Array.from({ length: count }, (_, row) => of(row)).join('');
/** (rows, 2) of float64. */
function npyOf(values: readonly number[]): Buffer {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${values.length / 2}, 2), }`;
  const head = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header.padEnd(117)}\n`, 'latin1');
  return Buffer.concat([head, Buffer.from(Float64Array.from(values).buffer)]);
}

const embedding = { type: 'embedding', dim: 4 } as const;
const gru = { type: 'gru', units: 4 } as const;
const dense = { type: 'dense' } as const;
const word = (row: number) => ['abc', 'bca', 'cab', 'aab', 'bbc'][row % 5]!;

const CASES: Record<string, Case> = {
  'a series in CSV': {
    data: { task: 'forecast', path: 'd.csv', target: 'y', window: 6 },
    layers: [gru, dense],
    content: `x,y\n${rows(60, row => `${row},${Math.sin(row).toFixed(4)}\n`)}`,
    appended: '60,900\n61,900\n',
  },
  'texts in JSON lines': {
    data: { task: 'classify', path: 'd.jsonl', text: 't', label: 'c' },
    layers: [embedding, gru, dense],
    content: rows(40, row => `{"t":"${word(row)}","c":"${'xy'[row % 2]}"}\n`),
    appended: '{"t":"zzzz","c":"w"}\n',
  },
  'arrays in JSON lines': {
    data: { task: 'table', path: 'd.jsonl', inputs: ['t'], targets: ['c'] },
    layers: [gru, dense],
    content: rows(40, row => `{"t":[${row},${row % 7},2],"c":${row % 5}}\n`),
    appended: '{"t":[900,900,900],"c":900}\n',
  },
  'pairs in TSV': {
    data: { task: 'seq2seq', path: 'd.tsv', source: 'a', target: 'b', units: 'characters' },
    encoder: [embedding, gru],
    layers: [embedding, gru, dense],
    content: `a\tb\n${rows(40, row => `${word(row)}\t${word(row + 1)}\n`)}`,
    appended: 'zzzzzzzzz\tz\n',
  },
  'tagged sentences': {
    data: { task: 'tag', path: 'd.conll', tags: 1 },
    layers: [embedding, gru, dense],
    content: rows(40, row => `${word(row)} ${'XY'[row % 2]}\n${word(row + 2)} Y\n\n`),
    appended: 'zzz Z\nzzz Z\nzzz Z\n\n',
  },
  'unaligned labels in CSV': {
    data: { task: 'ctc', path: 'd.csv', text: 'a', target: 'b', units: 'characters' },
    layers: [embedding, gru, dense],
    content: `a,b\n${rows(40, row => `${word(row)}${word(row)},${word(row).slice(0, 1)}\n`)}`,
    appended: 'zzzzzzzzzzzzz,z\n',
  },
  'words of a text': {
    data: { task: 'word-lm', path: 'd.txt' },
    layers: [embedding, gru, dense],
    content: rows(300, row => `${word(row)} ${word(row * row)} `),
    appended: 'zzz zzz zzz ',
  },
  'bytes of a text': {
    data: { task: 'byte-lm', path: 'd.txt' },
    layers: [embedding, gru, dense],
    content: rows(300, row => `${word(row)} `),
    appended: 'zzz ',
  },
  'numbers in NPY': {
    data: { task: 'forecast', path: 'd.npy', target: '1', window: 6 },
    layers: [gru, dense],
    content: npyOf(Array.from({ length: 120 }, (_, at) => Math.sin(at))),
    appended: null,
  },
};

describe('going on with the data of each reader', () => {
  useWorkspace();

  function made({ data, layers, encoder, content }: Case): { folder: string; path: string } {
    const path = join(workspaceFolder(), (data as { path: string }).path);
    writeFileSync(path, content);
    const folder = makeRun({
      data,
      model: { layers, ...(encoder && { encoder }) },
      training: { steps: 8, batchSize: 4, seqLen: 8, checkpoint: { every: 3 }, validation: { every: 4 } },
    });
    return { folder, path };
  }

  async function stopped(own: Case) {
    const run = made(own);
    const controller = new AbortController();
    await inShortTurns(async () => {
      const { reason, message } = await train(run.folder, {
        signal: controller.signal,
        onEvent: (_, event) => event.step === 3 && event.kind === 'checkpoint' && controller.abort(),
      });
      assert.equal(reason, 'stopped', message);
    });
    return run;
  }

  for (const [name, own] of Object.entries(CASES)) {
    if (own.appended !== null)
      it(`${name}: what was appended is not trained on`, async () => {
        const whole = made(own);
        assert.equal((await train(whole.folder)).reason, 'finished');
        const { folder, path } = await stopped(own);
        appendFileSync(path, own.appended!);
        const notes: string[] = [];
        const { reason, message } = await train(folder, { onData: (_, told) => notes.push(...told) });
        assert.equal(reason, 'finished', message);
        assert.match(notes.join(' '), /appended to d\.\w+; going on with the first [\d,]+\.$/);
        assert.equal(bitsOf(folder), bitsOf(whole.folder));
      });

    it(`${name}: gone, named elsewhere, and others`, async () => {
      const { folder, path } = await stopped(own);
      const elsewhere = `${path}-elsewhere.${path.split('.').at(-1)}`;
      renameSync(path, elsewhere);
      const gone = await train(folder);
      assert.deepEqual([gone.reason, gone.wrongInput], ['failed', true]);
      assert.equal(
        gone.message,
        `The data file ${(own.data as { path: string }).path} does not exist (looked for ${path}). Name it with --data PATH if it has been moved.`,
      );
      const bytes = Buffer.from(readFileSync(elsewhere));
      const at = bytes.lastIndexOf(bytes.at(-3)!, -4);
      writeFileSync(
        path,
        Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1), bytes.subarray(at, at + 1)]),
      );
      const other = await train(folder);
      assert.deepEqual([other.reason, other.wrongInput], ['failed', true]);
      assert.match(other.message, /is not the file that this run learned from: .*--changed-data/);
      const named = await train(folder, { data: elsewhere });
      assert.equal(named.reason, 'finished', named.message);
    });
  }
});
