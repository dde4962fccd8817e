// Arrow's IPC format as Apache Arrow writes it (test/golden/arrow.py): file and stream, each codec, nulls, lists, structures;
// files that are cut off or damaged; and a task, which reads the same from it as from JSON lines.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { BadRows } from '../../../../src/trainer/data/bad-rows.ts';
import { DataError } from '../../../../src/trainer/data/errors.ts';
import { readRecords } from '../../../../src/trainer/data/records.ts';
import { openTask } from '../../../../src/trainer/tasks/index.ts';
import { nested, readTable } from './read-table.ts';

let folder = '';
const golden = (name: string) => join('test/golden/arrow', name);

function written(name: string, content: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('Arrow', () => {
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-arrow-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const name of ['uncompressed.feather', 'lz4.feather', 'zstd.feather', 'stream.arrows'])
    it(`reads what Arrow wrote: ${name}`, async () => {
      const { columns, column } = await readTable(golden(name));
      assert.deepEqual(
        columns,
        'f8 f4 f2 i8 u4 flag text kind day time series grid words pair.en pair.fr'.split(' '),
      );
      assert.deepEqual(column('f8'), [0.5, null, -1.25, 1e300]);
      assert.deepEqual(column('f4'), [0.5, 1.5, 2.5, 3.5]);
      assert.deepEqual(column('f2'), [0.5, 1.5, null, -2]);
      assert.deepEqual(column('i8'), [1, 2 ** 53, null, -5]);
      assert.deepEqual(column('u4'), [0, 2 ** 32 - 1, 7, null]);
      assert.deepEqual(column('flag'), [true, false, null, true]);
      assert.deepEqual(column('text'), ['aé', '語', null, '']);
      assert.deepEqual(column('kind'), ['a', 'b', 'a', 'b']);
      assert.deepEqual(column('day'), ['2024-02-29', null, '1969-12-31', '2000-01-01']);
      assert.deepEqual(column('time'), Array(4).fill('2024-02-29T13:05:07.000Z'));
      assert.deepEqual(column('series').map(nested), [
        [[3], [1, 2, 3]],
        [[1], [4]],
        [[2], [5, Number.NaN]],
        [[2], [6, 7]],
      ]);
      assert.deepEqual(column('grid').map(nested)[0], [
        [2, 2],
        [1, 2, 3, 4],
      ]);
      assert.deepEqual(column('words'), [['a', 'b'], ['c'], ['d', 'e'], ['f']]);
      assert.deepEqual(column('pair.en'), ['one', 'two', null, 'four']);
      assert.deepEqual(column('pair.fr'), ['un', 'deux', null, null]);
    });

  it('unpacks LZ4 blocks that refer to the ones before', async () => {
    const { column } = await readTable(golden('blocks.feather'));
    assert.deepEqual(
      column('wave'),
      Array.from({ length: 40_000 }, (_, row) => ((row * 37) % 1009) / 8),
    );
  });

  it('refuses whole numbers beyond 2^53, and bytes that are no text', async () => {
    await assert.rejects(
      readRecords(golden('large.feather'), 'large.feather', ['id']),
      /large\.feather, line 2: "id" holds 9007199254740993, which is beyond 2\^53/,
    );
    await assert.rejects(
      readRecords(golden('other.feather'), 'other.feather', ['raw']),
      /other\.feather, line 1: "raw" holds bytes/,
    );
  });

  it('refuses a file that is cut off or damaged anywhere, in one sentence', async () => {
    let refused = 0;
    for (const name of ['uncompressed.feather', 'lz4.feather', 'zstd.feather', 'stream.arrows']) {
      const whole = readFileSync(golden(name));
      const trial = async (label: string, content: Uint8Array) => {
        try {
          await readTable(written(name, content), new BadRows('skip'));
        } catch (cause) {
          refused++;
          assert.ok(cause instanceof DataError, `${label}: ${(cause as Error).stack}`);
          assert.doesNotMatch(cause.message, /undefined|\n|\[object/, label);
        }
      };
      for (let at = 1; at < whole.length; at += 397)
        await trial(`${name} cut at ${at}`, whole.subarray(0, at));
      for (let at = 0; at < whole.length; at += 43) {
        const damaged = Buffer.from(whole);
        damaged[at]! ^= 0xff;
        await trial(`${name} damaged at ${at}`, damaged);
      }
    }
    assert.ok(refused > 200, String(refused));
  }).timeout(60_000);

  it('refuses a vector that claims more elements than its message has bytes', async () => {
    const whole = readFileSync(golden('stream.arrows'));
    // a message's vectors of nodes and buffers: a count, and behind it pairs of 64-bit numbers
    let tried = 0;
    for (let at = 0; at + 20 < whole.length; at += 4) {
      const length = whole.readUInt32LE(at);
      if (length < 8 || length > 64 || whole.readBigUInt64LE(at + 4) > 64n) continue;
      const damaged = Buffer.from(whole);
      damaged.writeUInt32LE(2 ** 31 - 1, at);
      const path = written('claims.arrows', damaged);
      const outcome = await readTable(path, new BadRows('skip')).then(
        () => 'read',
        cause => cause,
      );
      if (outcome === 'read') continue;
      assert.ok(outcome instanceof DataError, `${at}: ${outcome.stack}`);
      if (/no header that can be read/.test(outcome.message)) tried++;
    }
    assert.ok(tried >= 2, String(tried));
  });

  it('refuses what is no Arrow file, and one without rows', async () => {
    await assert.rejects(
      readTable(written('a.arrow', Buffer.from('text, and more of it'))),
      /a\.arrow is no Arrow file or stream/,
    );
    await assert.rejects(readTable(written('b.arrow', Buffer.alloc(0))), DataError);
    await assert.rejects(
      readTable(written('c.feather', Buffer.from('FEA1aaaaaaaaaaaaaaaaaaaaaaaa'))),
      /first version/,
    );
  });

  for (const data of [
    { task: 'table', inputs: ['grid'], targets: ['f4'] },
    { task: 'table', inputs: ['grid', 'f4'], targets: ['kind'], predict: 'classes' },
    { task: 'seq2seq', source: 'words', target: 'kind' },
  ])
    it(`gives lists and plain columns to tasks as JSON lines do: ${JSON.stringify(data)}`, async () => {
      copyFileSync(golden('uncompressed.feather'), join(folder, 'b.feather'));
      const grids = [
        [
          [1, 2],
          [3, 4],
        ],
        [[5, 6]],
        [[7, 8]],
        [[9, 10]],
      ];
      const words = [['a', 'b'], ['c'], ['d', 'e'], ['f']];
      const rows = grids.map((grid, at) => ({ grid, f4: at + 0.5, kind: 'ab'[at % 2], words: words[at] }));
      writeFileSync(join(folder, 'b.jsonl'), rows.map(row => JSON.stringify(row)).join('\n'));
      const batchOf = async (path: string) => {
        const experiment = experimentSchema.parse({
          data: { ...data, path, split: [1, 0, 0] },
          model: {
            ...(data.task === 'seq2seq' ? { encoder: [{ type: 'gru', units: 3 }] } : {}),
            layers: [{ type: 'gru', units: 3 }, { type: 'dense' }],
          },
        } as never);
        const task = await openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
        return { sizes: task.sizes, batch: task.trainingBatch(1) };
      };
      assert.deepEqual(await batchOf('b.feather'), await batchOf('b.jsonl'));
    });

  it('gives a task the same as JSON lines', async () => {
    copyFileSync(golden('blocks.feather'), join(folder, 'a.feather'));
    const values = Array.from({ length: 40_000 }, (_, row) => ((row * 37) % 1009) / 8);
    writeFileSync(join(folder, 'a.jsonl'), values.map(wave => JSON.stringify({ wave })).join('\n'));
    const batchOf = async (path: string) => {
      const experiment = experimentSchema.parse({
        data: { task: 'forecast', path, target: 'wave' },
        model: { layers: [{ type: 'gru', units: 3 }, { type: 'dense' }] },
      });
      const task = await openTask(experiment, { base: folder, workspace: folder, allowedPaths: [] });
      return task.trainingBatch(3);
    };
    assert.deepEqual(await batchOf('a.feather'), await batchOf('a.jsonl'));
  });
});
