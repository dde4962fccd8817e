// Columns that stand partly in a scratch file give the numbers that were pushed, and leave no file behind.
import { strict as assert } from 'node:assert';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseExperiment } from '../../../../src/experiment/parse.ts';
import { DataError } from '../../../../src/trainer/data/errors.ts';
import { Column, Records, Storage, Texts, wholeNumbers } from '../../../../src/trainer/data/storage.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { Places, scattered } from '../../../../src/trainer/tasks/places.ts';

describe('columns beyond memory', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-storage-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, inMemory] of [
    ['in memory', 1e9],
    ['partly in a file', 3e5],
    ['in a file', 0],
  ] as const) {
    const numbers = () => Float64Array.from({ length: 100_003 }, (_, at) => Math.sin(at) * at);

    it(`gives single numbers and stretches back, ${name}`, () => {
      const wanted = numbers();
      const column = new Column(Float64Array, new Storage(inMemory, folder));
      for (const value of wanted) column.push(value);
      assert.equal(column.length, wanted.length);
      assert.deepEqual(Float64Array.from(column), wanted);
      for (const at of [0, 32_767, 32_768, 99_999, 1, 100_002]) assert.equal(column.get(at), wanted[at]);
      for (const [from, to] of [
        [0, 0],
        [5, 9],
        [32_700, 32_800],
        [10, 99_000],
        [98_304, 100_003],
      ] as const)
        assert.deepEqual(Float64Array.from(column.slice(from, to)), wanted.slice(from, to));
      assert.deepEqual(readdirSync(folder), []);
    });

    it(`goes on with a copy without touching the original, ${name}`, () => {
      const storage = new Storage(inMemory, folder);
      const column = new Column(Int32Array, storage);
      column.pushAll(Array.from({ length: 70_000 }, (_, at) => at));
      const copy = column.copy();
      copy.push(-1);
      column.push(-2);
      assert.deepEqual([copy.length, copy.get(70_000), copy.get(69_999)], [70_001, -1, 69_999]);
      assert.equal(column.get(70_000), -2);
    });

    it(`keeps records and texts of any lengths, ${name}`, () => {
      const storage = new Storage(inMemory, folder);
      const [records, texts] = [new Records(Float32Array, storage), new Texts(storage)];
      const lengths = Array.from({ length: 500 }, (_, at) => (at * 37) % 401);
      for (const length of lengths) {
        records.add(Float32Array.from({ length }, (_, at) => at + length));
        texts.add('é語a'.repeat(length));
      }
      assert.equal(records.length, 500);
      for (const place of [0, 499, 3, 250, 1]) {
        const length = lengths[place]!;
        assert.deepEqual(
          [...records.at(place)],
          Array.from({ length }, (_, at) => at + length),
        );
        assert.equal(texts.at(place), 'é語a'.repeat(length));
      }
    });
  }

  it('says where there is no room for what memory does not hold', () => {
    const column = new Column(Float64Array, new Storage(0, join(folder, 'gone')));
    assert.throws(
      () => column.pushAll(new Float64Array(40_000)),
      (cause: Error) =>
        cause instanceof DataError && /cannot be written to .*gone: .*TMPDIR/.test(cause.message),
    );
  });
});

describe('places without a list', () => {
  it('gives rising places back, by index and in turn', () => {
    const wanted = Array.from({ length: 300 }, (_, at) => at).filter(at => at % 17 !== 3 && at % 5 !== 0);
    const places = new Places();
    for (const place of wanted) places.push(place);
    assert.deepEqual([...places], wanted);
    assert.deepEqual(places.slice(100, 120), wanted.slice(100, 120));
    assert.deepEqual(places.slice(wanted.length - 2, wanted.length + 9), wanted.slice(-2));
    assert.deepEqual([...new Places()], []);
  });

  it('scatters each number to one place, otherwise in each epoch and with each seed', () => {
    for (const count of [1, 2, 5, 1000, 4097]) {
      const order = scattered(count, 7, 0);
      const all = Array.from({ length: count }, (_, index) => order(index));
      assert.deepEqual(
        [...all].sort((a, b) => a - b),
        [...all.keys()],
      );
    }
    const first = (seed: number, epoch: number) =>
      Array.from({ length: 50 }, (_, at) => scattered(1000, seed, epoch)(at));
    assert.deepEqual(first(1, 0), first(1, 0));
    assert.notDeepEqual(first(1, 0), first(1, 1));
    assert.notDeepEqual(first(1, 0), first(2, 0));
  });

  it('scatters without favour: neighbours land everywhere', () => {
    const count = 100_000;
    const order = scattered(count, 3, 2);
    const shares = new Float64Array(10);
    for (let index = 0; index < 10_000; index++) shares[Math.floor((10 * order(index)) / count)]! += 1 / 1000;
    // each tenth is a hypergeometric share with a deviation of 0.029
    for (const share of shares) assert.ok(Math.abs(share - 1) < 0.15, String(share));
  });
});

describe('a series beyond memory', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-series-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const missing of ['mask', 'interpolate', 'drop'] as const)
    it(`gives the same batches as one in memory: ${missing}`, async () => {
      // more rows than a chunk, with holes, dates and one change of reading
      const rows = Array.from({ length: 34_000 }, (_, row) => {
        const date = new Date(Date.UTC(2020, 0, 1) + row * 3_600_000).toISOString().slice(0, 16);
        return `${date},${row % 11 === 4 ? '' : ((row * 37) % 101) / 4},${row % 500 === 77 ? 'NA' : row % 97}`;
      });
      writeFileSync(join(folder, 'a.csv'), `when,y,z\n${rows.join('\n')}\n`);
      const { experiment } = parseExperiment(
        JSON.stringify({
          data: {
            ...{ task: 'forecast', path: 'a.csv', target: 'y', features: ['y', 'z'], window: 5, horizon: 2 },
            ...{ difference: 1, missing, calendar: ['hour'] },
          },
          model: { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
        }),
      );
      const open = (storage?: Storage) =>
        openTask(experiment!, { base: folder, workspace: folder, allowedPaths: [], storage });
      const [inMemory, onDisk] = [await open(), await open(new Storage(0, folder))];
      assert.deepEqual(onDisk.artifact(), inMemory.artifact());
      assert.deepEqual(onDisk.facts, inMemory.facts);
      for (const step of [1, 2, 700])
        assert.deepEqual(onDisk.trainingBatch(step), inMemory.trainingBatch(step));
      assert.deepEqual([...onDisk.validation()].slice(0, 3), [...inMemory.validation()].slice(0, 3));
    }).timeout(20_000);
});

describe('whole numbers in memory', () => {
  for (const [most, kind] of [
    [0, Uint8Array],
    [255, Uint8Array],
    [256, Uint16Array],
    [65_535, Uint16Array],
    [65_536, Int32Array],
  ] as const)
    it(`of at most ${most} take ${kind.BYTES_PER_ELEMENT} bytes`, () => {
      assert.deepEqual(
        wholeNumbers(4, place => (place === 2 ? most : 0)),
        kind.of(0, 0, most, 0),
      );
    });
});

describe('examples beyond memory', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-examples-'));
    const texts = Array.from({ length: 900 }, (_, row) =>
      JSON.stringify({
        text: 'aé語 bc'.repeat(5 + ((row * 13) % 40)),
        kind: ['x', 'y', 'z'][(row * row) % 3],
        x: Array.from({ length: 3 + (row % 40) }, (_, step) => [Math.sin(row + step), step]),
        y: row % 7,
      }),
    );
    writeFileSync(join(folder, 'a.jsonl'), texts.join('\n'));
    // more than a chunk of numbers in each column that is read by place
    const words = (row: number, most: number) =>
      Array.from({ length: 20 + (row % most) }, (_, at) => `w${(row * 7 + at * at) % 50}`);
    writeFileSync(
      join(folder, 'p.tsv'),
      `a\tb\n${Array.from({ length: 1500 }, (_, row) => `${words(row, 15).join(' ')}\t${words(row + 3, 11).join(' ')}\n`).join('')}`,
    );
    writeFileSync(
      join(folder, 't.conll'),
      Array.from(
        { length: 1500 },
        (_, row) =>
          `${words(row, 15)
            .map((word, at) => `${word} ${'XYZ'[(row + at * at) % 3]}\n`)
            .join('')}\n`,
      ).join(''),
    );
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, data] of Object.entries({
    'texts with a class': { task: 'classify', path: 'a.jsonl', text: 'text', label: 'kind' },
    'series with a class': { task: 'classify', path: 'a.jsonl', values: ['x'], label: 'kind' },
    'arrays with values': { task: 'table', path: 'a.jsonl', inputs: ['x'], targets: ['y'] },
    'arrays with classes': {
      task: 'table',
      path: 'a.jsonl',
      inputs: ['x'],
      targets: ['kind'],
      predict: 'classes',
    },
    pairs: { task: 'seq2seq', path: 'p.tsv', source: 'a', target: 'b', units: 'words' },
    'tagged sentences': { task: 'tag', path: 't.conll', tags: 1, maxLength: 33 },
    'texts with unaligned labels': { task: 'ctc', path: 'p.tsv', text: 'a', target: 'b', units: 'words' },
  }))
    it(`gives the same batches as in memory: ${name}`, async () => {
      const layers = [{ type: 'gru', units: 4 }, { type: 'dense' }];
      const { experiment } = parseExperiment(
        JSON.stringify({
          data,
          model: {
            layers:
              'values' in data || 'inputs' in data ? layers : [{ type: 'embedding', dim: 4 }, ...layers],
            ...(data.task === 'seq2seq' && {
              encoder: [
                { type: 'embedding', dim: 4 },
                { type: 'gru', units: 4 },
              ],
            }),
          },
        }),
      );
      const open = (storage?: Storage) =>
        openTask(experiment!, { base: folder, workspace: folder, allowedPaths: [], storage });
      const onDisk = new Storage(0, folder);
      const [inMemory, spilled] = [await open(), await open(onDisk)];
      assert.equal(onDisk.isWhole, false);
      // sums of scaling go along the file where it does not stand in memory
      const near = JSON.stringify(spilled.artifact(), rounded);
      assert.equal(near, JSON.stringify(inMemory.artifact(), rounded));
      for (const step of [1, 2, 40])
        assert.equal(
          JSON.stringify(spilled.trainingBatch(step), rounded),
          JSON.stringify(inMemory.trainingBatch(step), rounded),
        );
      assert.equal([...spilled.test()].length, [...inMemory.test()].length);
    });
});

function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}
