// Parquet as Apache Arrow writes it (test/golden/parquet.py): each codec, nulls, lists, structures; files that are cut off
// or damaged; and tasks, which read the same from it as from JSON lines.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { BadRows } from '../../../../src/trainer/data/bad-rows.ts';
import { DataError } from '../../../../src/trainer/data/errors.ts';
import { previewOf } from '../../../../src/trainer/data/preview.ts';
import { readRecords } from '../../../../src/trainer/data/records.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { nested, readTable } from './read-table.ts';

let folder = '';
const golden = (name: string) => join('test/golden/parquet', `${name}.parquet`);

function written(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const refused = (path: string, message: RegExp) =>
  assert.rejects(readTable(path), (error: Error) => {
    assert.ok(error instanceof DataError, error.stack);
    assert.match(error.message, message);
    return true;
  });

describe('Parquet', () => {
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-parquet-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const name of ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4', 'pages'])
    it(`reads what Arrow wrote: ${name}`, async () => {
      const { columns, lines, column } = await readTable(golden(name));
      assert.deepEqual(
        columns,
        'f8 f4 i8 u4 flag text kind day time price series grid words pair.en pair.fr'.split(' '),
      );
      assert.deepEqual(lines, [1, 2, 3, 4]);
      assert.deepEqual(column('f8'), [0.5, null, -1.25, 1e300]);
      assert.deepEqual(column('f4'), [0.5, 1.5, 2.5, 3.5]);
      assert.deepEqual(column('i8'), [1, 2 ** 53, null, -5]);
      assert.deepEqual(column('u4'), [0, 2 ** 32 - 1, 7, null]);
      assert.deepEqual(column('flag'), [true, false, null, true]);
      assert.deepEqual(column('text'), ['aé', '語', null, '']);
      assert.deepEqual(column('kind'), ['a', 'b', 'a', 'b']);
      assert.deepEqual(column('day'), ['2024-02-29', null, '1969-12-31', '2000-01-01']);
      assert.deepEqual(column('time'), Array(4).fill('2024-02-29T13:05:07.000Z'));
      assert.deepEqual(column('price'), [1.1, -2.25, null, 0.01]);
      assert.deepEqual(column('series').map(nested), [
        [[3], [1, 2, 3]],
        [[1], [4]],
        [[2], [5, Number.NaN]],
        [[2], [6, 7]],
      ]);
      assert.deepEqual(column('grid').map(nested), [
        [
          [2, 2],
          [1, 2, 3, 4],
        ],
        [
          [1, 2],
          [5, 6],
        ],
        [
          [1, 2],
          [7, 8],
        ],
        [
          [1, 2],
          [9, 10],
        ],
      ]);
      assert.deepEqual(column('words'), [['a', 'b'], ['c'], ['d', 'e'], ['f']]);
      assert.deepEqual(column('pair.en'), ['one', 'two', null, 'four']);
      assert.deepEqual(column('pair.fr'), ['un', 'deux', null, null]);
    });

  it('refuses whole numbers that are no longer exact, with their place, or skips them', async () => {
    await assert.rejects(
      readRecords(golden('large'), 'large.parquet', ['id']),
      /large\.parquet, line 3: "id" holds 9007199254740993, which is beyond 2\^53, /,
    );
    const bad = new BadRows('skip');
    const { texts, lines } = await readRecords(golden('large'), 'large.parquet', ['id'], { bad });
    assert.deepEqual(texts.get('id'), ['1', String(2 ** 53), '4']);
    assert.deepEqual(lines, [1, 2, 4]);
    assert.equal(bad.count, 1);
  });

  it('says what it does not read, and what is no Parquet file', async () => {
    await assert.rejects(
      readRecords(golden('other'), 'other.parquet', ['map']),
      /other\.parquet, line 1: "map" holds a map, and numbers, texts and lists/,
    );
    await refused(written('a.parquet', 'a,b\n1,2\n'), /^a\.parquet is no Parquet file: it does not begin/);
    await refused(written('b.parquet', 'PAR1PAR1'), /^b\.parquet is cut off: it has 8 bytes/);
    await refused(written('c.parquet', 'PARE        PARE'), /^c\.parquet is encrypted/);
    const claims = Buffer.from('PAR1\0\0\0\0\0\0\0\x7fPAR1', 'latin1');
    await refused(
      written('d.parquet', claims),
      /^d\.parquet is damaged: its footer claims 2,130,706,432 bytes/,
    );
    await refused(join(folder, 'none.parquet'), /^none\.parquet cannot be read: it does not exist/);
  });

  it('a file that is cut off anywhere is refused with its size', async () => {
    const whole = readFileSync(golden('snappy'));
    for (let size = 4; size < whole.length; size += 211)
      await refused(
        written('cut.parquet', whole.subarray(0, size)),
        new RegExp(`^cut\\.parquet is cut off: it has ${size.toLocaleString('en-US')} bytes`),
      );
  });

  it('damage anywhere is read or refused with a sentence, never another error', async () => {
    const whole = readFileSync(golden('zstd'));
    let refusals = 0;
    for (let at = 4; at < whole.length; at += 71) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 0x55;
      try {
        await readTable(written('damaged.parquet', damaged), new BadRows('skip'));
      } catch (error) {
        assert.ok(error instanceof DataError, `byte ${at}: ${(error as Error).stack}`);
        assert.match(error.message, /^damaged\.parquet.*\.$/);
        refusals++;
      }
    }
    assert.ok(refusals > 10, `${refusals} refusals`);
  });

  it('tells its columns and the tasks that fit', async () => {
    const { format, rows, columns, suggested } = await previewOf(golden('tasks'), 'tasks.parquet');
    assert.deepEqual([format, rows], ['Parquet', 60]);
    assert.deepEqual(
      columns.map(({ name, kind }) => `${name} ${kind}`),
      ['day time', 'value number', 'series array', 'text text', 'label text'],
    );
    assert.deepEqual(
      suggested.map(({ task }) => task),
      ['classify', 'table'],
    );
  });

  describe('tasks read the same from it as from JSON lines', () => {
    before(async () => {
      await startEngine('reference', null);
      copyFileSync(golden('tasks'), join(folder, 'tasks.parquet'));
      const rows = Array.from({ length: 60 }, (_, row) => ({
        day: new Date(Date.UTC(2024, 0, 1 + row)).toISOString().slice(0, 10),
        value: (row * row) / 4,
        series: Array.from({ length: 1 + (row % 3) }, (_, step) => row + step),
        text: 'abc'[row % 3]!.repeat(2 + (row % 4)),
        label: ['low', 'high'][row % 2],
      }));
      written('tasks.jsonl', rows.map(row => JSON.stringify(row)).join('\n'));
    });

    for (const data of [
      { task: 'table', inputs: ['series'], targets: ['value'] },
      { task: 'classify', values: ['series'], label: 'label' },
      { task: 'classify', text: 'text', label: 'label' },
      { task: 'forecast', target: 'value', window: 4, calendar: ['weekday'] },
    ])
      it(JSON.stringify(data), async () => {
        const batchesOf = async (path: string) => {
          const experiment = experimentSchema.parse({
            data: { ...data, path },
            model: {
              layers: [
                ...('text' in data ? [{ type: 'embedding', dim: 2 }] : []),
                { type: 'gru', units: 2 },
                { type: 'dense' },
              ],
            },
            training: { batchSize: 4 },
          });
          const task = await openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
          return { sizes: task.sizes, batches: [...task.validation()] };
        };
        const own = await batchesOf('tasks.parquet');
        assert.ok(own.batches.length > 0);
        assert.deepEqual(own, await batchesOf('tasks.jsonl'));
      });
  });
});
