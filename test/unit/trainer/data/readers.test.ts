// Readers of formats that name their columns: what NumPy wrote (test/golden/arrays.py), lines written here, and files that
// are cut off, damaged or made to harm.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { BadRows } from '../../../../src/trainer/data/bad-rows.ts';
import { readCsv } from '../../../../src/trainer/data/csv.ts';
import { DataError } from '../../../../src/trainer/data/errors.ts';
import { changeSince, fingerprintOf } from '../../../../src/trainer/data/fingerprint.ts';
import { readerOf } from '../../../../src/trainer/data/readers/index.ts';
import { type Cell, isArray, type Unusable } from '../../../../src/trainer/data/readers/reader.ts';
import { readRecords } from '../../../../src/trainer/data/records.ts';

let folder = '';
const golden = (name: string) => join('test/golden/arrays', name);

async function read(path: string, bad = new BadRows()) {
  const name = path.split('/').at(-1)!;
  const { columns, rows } = await readerOf(path)!.open(path, name, { bad });
  const cells: Cell[][] = [];
  const lines: number[] = [];
  for await (const row of rows) {
    cells.push(row.cells);
    lines.push(row.line);
  }
  return { columns, cells, lines, bad };
}

function written(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const refused = (path: string, message: RegExp) =>
  assert.rejects(read(path), (error: Error) => {
    assert.ok(error instanceof DataError, error.stack);
    assert.match(error.message, message);
    return true;
  });

const flat = (cell: Cell | undefined) => (isArray(cell) ? [...cell.data] : cell);

describe('readers', () => {
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-readers-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  describe('NPY and NPZ', () => {
    const expected = Array.from({ length: 4 }, (_, row) =>
      Array.from({ length: 6 }, (_, at) => row * 6 + at - 5),
    );

    for (const name of [
      'f8-little',
      'f8-big',
      'f4-little',
      'f2-little',
      'i8-little',
      'i4-big',
      'i2-little',
      'i1-little',
      'fortran',
    ])
      it(`read what NumPy wrote: ${name}`, async () => {
        const { columns, cells } = await read(golden(`${name}.npy`));
        assert.deepEqual(columns, ['values']);
        assert.deepEqual(
          cells.map(([cell]) => flat(cell)),
          expected,
        );
        assert.deepEqual((cells[0]![0] as { shape: number[] }).shape, [3, 2]);
      });

    it('read unsigned numbers, booleans, texts, and tables with a column for each', async () => {
      for (const name of ['u4-little', 'u1-little'])
        assert.deepEqual(
          (await read(golden(`${name}.npy`))).cells.map(([cell]) => flat(cell)),
          expected.map(row => row.map(value => value + 5)),
        );
      assert.deepEqual((await read(golden('bool.npy'))).cells, [[1], [0], [1]]);
      assert.deepEqual((await read(golden('text.npy'))).cells, [['aé'], ['語'], [''], ['long word']]);
      const table = await read(golden('table.npy'));
      assert.deepEqual(table.columns, ['0', '1', '2']);
      assert.deepEqual(table.cells[1], [0.75, 1, 1.25]);
    });

    for (const name of ['plain', 'packed'])
      it(`read the arrays of an archive side by side: ${name}.npz`, async () => {
        const { columns, cells } = await read(golden(`${name}.npz`));
        assert.deepEqual(columns, ['x', 'y', 'label']);
        assert.deepEqual(
          cells.map(([x]) => flat(x)),
          expected,
        );
        assert.deepEqual(
          cells.map(([, y, label]) => [y, label]),
          [
            [0.5, 'a'],
            [1.5, 'b'],
            [2.5, 'a'],
            [3.5, 'b'],
          ],
        );
      });

    it('refuse whole numbers that are no longer exact, with their place, or skip them', async () => {
      await refused(
        golden('large.npy'),
        /^large\.npy, row 3: it holds 9007199254740993, which is beyond 2\^53, /,
      );
      const { cells, bad } = await read(golden('large.npy'), new BadRows('skip'));
      assert.deepEqual(cells, [[1], [2 ** 53], [4]]);
      assert.equal(bad.count, 1);
    });

    it('say what is cut off, holds objects, is uneven or is no array', async () => {
      const whole = readFileSync(golden('f8-little.npy'));
      await refused(
        written('cut.npy', whole.subarray(0, 300)),
        /^cut\.npy is cut off: its shape \(4, 3, 2\) of <f8 takes 320 bytes, and it has 300\.$/,
      );
      await refused(written('head.npy', whole.subarray(0, 60)), /^head\.npy is cut off within its header\.$/);
      await refused(written('text.npy', 'hello, world'), /^text\.npy is no NPY file: it does not begin with/);
      await refused(golden('object.npy'), /holds Python objects, which only Python can read/);
      await refused(golden('uneven.npz'), /"y" has 4 examples, "x" has 3; the first axis/);
      const archive = readFileSync(golden('packed.npz'));
      await refused(
        written('cut.npz', archive.subarray(0, 400)),
        /^cut\.npz is no archive that can be read: it has no directory at its end; it may be cut off\.$/,
      );
    });

    it('refuse archives that are made to fill the memory', async () => {
      const packed = deflateRawSync(Buffer.alloc(1 << 20));
      // says that it unpacks to 3 GB
      await refused(
        written('bomb.npz', zipOf([{ name: 'x.npy', packed, size: 3e9 }])),
        /"x\.npy" would unpack from 1 KB to 3 GB, as a zip bomb does/,
      );
      // unpacks to more than it says
      await refused(
        written('liar.npz', zipOf([{ name: 'x.npy', packed, size: 1000 }])),
        /unpacks to more than the 1 KB that the archive tells/,
      );
      // two entries with the same data
      await refused(
        written(
          'shared.npz',
          zipOf([
            { name: 'x.npy', packed, size: 1 << 20 },
            { name: 'y.npy', packed, size: 1 << 20, at: 0 },
          ]),
        ),
        /"x\.npy" and "y\.npy" share their data, as a zip bomb does/,
      );
    });
  });

  describe('JSON lines', () => {
    it('have numbers, texts and arrays by name; keys may be missing', async () => {
      const { columns, cells, lines } = await read(
        written(
          'a.jsonl',
          '\uFEFF{"a": 1, "b": "x"}\r\n\n{"b": "y", "c": [[1, 2], [3, null]], "a": 2.5}\n{"a": null, "b": ["two", "words"]}',
        ),
      );
      assert.deepEqual(columns, ['a', 'b', 'c']);
      assert.deepEqual(lines, [1, 3, 4]);
      assert.deepEqual(
        cells.map(row => row.map(flat)),
        [
          [1, 'x', null],
          [2.5, 'y', [1, 2, 3, Number.NaN]],
          [null, ['two', 'words'], null],
        ],
      );
    });

    it('say that NaN and the infinities are no JSON, as Python writes them', async () => {
      for (const word of ['NaN', 'Infinity', '-Infinity'])
        for (const line of [`{"v": ${word}}`, `{"v": [1, ${word}, 2]}`]) {
          const path = written('words.jsonl', `{"v": 1}\n${line}\n`);
          await refused(path, new RegExp(`^words\\.jsonl, line 2: ${word} is no JSON; write null where`));
        }
    });

    it('name the line that is wrong, or leave it out and count it', async () => {
      const text = '{"a": 1}\n{"a": 2\n3\n{"a": [[1], [1, 2]]}\n{"a": 9007199254740993}\n{"a": 7}\n';
      const path = written('b.jsonl', text);
      await refused(path, /^b\.jsonl, line 2: it is not JSON: /);
      const { cells, lines, bad } = await read(path, new BadRows('skip'));
      // what only a task that wants the column refuses
      assert.match((cells[1]![0] as Unusable).fault, /^is neither a text, a number nor a list/);
      assert.match((cells[2]![0] as Unusable).fault, /^holds 9007199254740992, which is beyond 2\^53/);
      assert.deepEqual([cells[0], cells[3]], [[1], [7]]);
      assert.deepEqual(lines, [1, 4, 5, 6]);
      assert.equal(bad.count, 2);
      assert.match(bad.notes()[0]!, /^2 rows were skipped\. The first: b\.jsonl, line 2: it is not JSON/);
      const long = Array.from({ length: 100 }, () => '{"value": 1}').join('\n');
      await refused(
        written('d.jsonl', `${long}\n{"valeu": 1}`),
        /^d\.jsonl, line 101: the key "valeu" is none of the 1 that the first rows have; did you mean "value"\?$/,
      );
    });

    it('tells a file that is one JSON list, or has an object over several lines', async () => {
      const list = [{ a: 1 }, { a: 2 }, { a: 3 }];
      const one =
        /^w\.jsonl is one JSON list, and no object a line: name the file \.json, as which it is read\.$/;
      const lines = JSON.stringify(list).replaceAll('},{', '},\n{');
      for (const text of [
        JSON.stringify(list),
        JSON.stringify(list, null, 1),
        lines,
        `\n${lines}`,
        `\uFEFF${lines}`,
      ])
        await refused(written('w.jsonl', text.trimStart()), one);
      await refused(
        written('w.jsonl', JSON.stringify(list[0], null, 2)),
        /^w\.jsonl, line 1: an object stands over several lines; write each on one line, or all as one list/,
      );
      await refused(
        written('e.jsonl', '[]\n[]\n{}'),
        /^e\.jsonl holds no values: its first rows are empty\.$/,
      );
      // lists of objects, a row each
      const {
        columns,
        cells,
        lines: places,
      } = await read(written('r.jsonl', `${JSON.stringify(list)}\n\n${JSON.stringify(list)}\n`));
      assert.deepEqual(columns, ['0.a', '1.a', '2.a']);
      assert.deepEqual(
        [cells, places],
        [
          [
            [1, 2, 3],
            [1, 2, 3],
          ],
          [1, 3],
        ],
      );
    });

    it('tell of objects by their paths, and of lists by their places; a late key is no column', async () => {
      const nested = await read(
        written('n.jsonl', '{"translation": {"en": "a", "de": "b"}, "n": 1}\n{"translation": {"en": "c"}}'),
      );
      assert.deepEqual(nested.columns, ['translation.en', 'translation.de', 'n']);
      assert.deepEqual(nested.cells, [
        ['a', 'b', 1],
        ['c', null, null],
      ]);
      const listed = await read(written('l.jsonl', '["x", 1]\n["y", 2]'));
      assert.deepEqual(listed.columns, ['0', '1']);
      assert.deepEqual(listed.cells, [
        ['x', 1],
        ['y', 2],
      ]);
      const long = Array.from({ length: 100 }, () => '{"value": 1}').join('\n');
      const late = await read(written('k.jsonl', `${long}\n{"value": 2, "note": "x"}`));
      assert.deepEqual(late.cells.at(-1), [2]);
    });

    it('spoil no task that does not want them with values that no task reads', async () => {
      const text = '{"text": "a", "id": 9007199254740993, "spans": [{"from": 1}]}\n';
      const path = written('u.jsonl', text);
      assert.deepEqual((await readRecords(path, 'u.jsonl', ['text'])).texts.get('text'), ['a']);
      await assert.rejects(
        readRecords(path, 'u.jsonl', ['text', 'id']),
        /^DataError: u\.jsonl, line 1: "id" holds 9007199254740992, which is beyond 2\^53/,
      );
      await assert.rejects(
        readRecords(path, 'u.jsonl', ['spans']),
        /^DataError: u\.jsonl, line 1: "spans" is neither a text, a number nor a list of numbers of one shape\.$/,
      );
    });
  });

  it('JSON: one list of objects, also inside of an object', async () => {
    for (const text of [
      '[{"a": 1, "b": {"c": "x"}}, {"a": 2}]',
      '{"data": [{"a": 1, "b": {"c": "x"}}, {"a": 2}]}',
    ]) {
      const { columns, cells, lines } = await read(written('a.json', text));
      assert.deepEqual(columns, ['a', 'b.c']);
      assert.deepEqual(cells, [
        [1, 'x'],
        [2, null],
      ]);
      assert.deepEqual(lines, [1, 2]);
    }
    await refused(written('b.json', '{"a": 1}\n{"a": 2}'), /^b\.json is not JSON: .* is named \.jsonl\.$/);
    await refused(written('c.json', '{"a": 1}'), /^c\.json holds no list of objects/);
    await refused(
      written('d.json', '[{"a": 1}, 5]'),
      /^d\.json, row 2: it is no object with named values, but 5/,
    );
  });

  it('.ts: series of the UEA archive, by steps and dimensions, with their class', async () => {
    const head =
      '#comment\n@problemName Vowels\n@timeStamps false\n@univariate false\n@classLabel true one two\n@data\n';
    const { columns, cells } = await read(written('a.ts', `${head}1,2,3:4,5,6:one\n\n7:?:two\n`));
    assert.deepEqual(columns, ['series', 'label']);
    assert.deepEqual(
      cells.map(([series, label]) => [flat(series), (series as { shape: number[] }).shape, label]),
      [
        [[1, 4, 2, 5, 3, 6], [3, 2], 'one'],
        [[7, Number.NaN], [1, 2], 'two'],
      ],
    );
    await refused(
      written('b.ts', `${head}1,2:3:one`),
      /b\.ts, line 7: dimension 1 has 1 step, dimension 0 has 2/,
    );
    await refused(written('c.ts', `${head}1,2:3,x:one`), /c\.ts, line 7: "x" of dimension 1 is no number/);
    await refused(
      written('d.ts', `${head}1,2:3,4:three`),
      /d\.ts, line 7: the class "three" is none of the 2/,
    );
    await refused(
      written('e.ts', 'export const a = 1;\n'),
      /e\.ts, line 1: data stand before the line "@data"/,
    );
  });

  it('ARFF: attributes, quotes, missing values and relational series', async () => {
    const text = `% comment
@RELATION r
@ATTRIBUTE 'my name' string
@attribute value NUMERIC
@attribute bag relational
 @attribute t0 numeric
 @attribute t1 numeric
@end bag
@attribute class {a, 'b c'}
@DATA
'x, y',1.5,'1,2\\n3,4',a
z,?,"5,6\\n7,8",'b c'
`;
    const { columns, cells } = await read(written('a.arff', text));
    assert.deepEqual(columns, ['my name', 'value', 'bag', 'class']);
    assert.deepEqual(
      cells.map(row => row.map(flat)),
      [
        ['x, y', 1.5, [1, 3, 2, 4], 'a'],
        ['z', null, [5, 7, 6, 8], 'b c'],
      ],
    );
    await refused(
      written('b.arff', `${text}x,word,'1\\n2',a\n`),
      /b\.arff, line 13: "word" of "value" is no number/,
    );
    await refused(
      written('c.arff', `${text}x,1\n`),
      /c\.arff, line 13: it has 2 values, and there are 4 attributes/,
    );
  });

  it('a folder: a row for each file, its folder the label; its fingerprint is of names and contents', async () => {
    const path = join(folder, 'reviews');
    for (const [file, text] of [
      ['good/a.txt', 'fine'],
      ['good/b.txt', 'nice'],
      ['bad/a.txt', 'poor'],
      ['.hidden/x', 'no'],
    ] as const) {
      mkdirSync(join(path, file.split('/')[0]!), { recursive: true });
      writeFileSync(join(path, file), text);
    }
    const { columns, cells } = await read(path);
    assert.deepEqual(columns, ['file', 'label', 'text']);
    assert.deepEqual(cells, [
      ['bad/a.txt', 'bad', 'poor'],
      ['good/a.txt', 'good', 'fine'],
      ['good/b.txt', 'good', 'nice'],
    ]);
    const print = await fingerprintOf(path);
    assert.equal((await changeSince(path, print)).kind, 'same');
    writeFileSync(join(path, 'good/b.txt'), 'nicf');
    assert.equal((await changeSince(path, print)).kind, 'changed');
    writeFileSync(join(path, 'good/c.txt'), Buffer.from([0xff, 0xfe, 0xfd]));
    await refused(path, /^reviews\/good\/c\.txt: it is not UTF-8 text\.$/);
  });

  it('give tables to every task: texts, and numbers without a dialect to find', async () => {
    const path = written(
      't.jsonl',
      '{"word": "total", "n": 1.234}\n{"word": "a,b", "n": 5678}\n{"word": "", "n": 0.1}\n',
    );
    const { texts } = await readRecords(path, 't.jsonl', ['word', 'n']);
    assert.deepEqual(texts.get('word'), ['total', 'a,b', '']);
    const table = await readCsv(path, 't.jsonl', ['n']);
    assert.deepEqual([...table.values.get('n')!], [1.234, 5678, 0.1]);
    const array = await readCsv(golden('table.npy'), 'table.npy', ['2']);
    assert.deepEqual([...array.values.get('2')!], [0.5, 1.25, 2, 2.75]);
    await assert.rejects(
      readCsv(golden('f8-little.npy'), 'f8.npy', ['values']),
      /f8\.npy, row 1: "values" holds an array of 3 × 2 numbers, where one value is needed/,
    );
  });

  it('CSV rows of the wrong length are skipped and counted where that is asked for', async () => {
    const path = written('a.csv', 'a,b\n1,2\n3\n4,5\n');
    const bad = new BadRows('skip');
    const { texts } = await readRecords(path, 'a.csv', ['a'], { bad: bad });
    assert.deepEqual(texts.get('a'), ['1', '4']);
    assert.deepEqual(bad.read(), { skipped: 1 });
    const table = await readCsv(path, 'a.csv', ['a'], { bad: new BadRows('skip') });
    assert.deepEqual([...table.values.get('a')!], [1, 4]);
    assert.match(table.notes[0]!, /^1 row was skipped\. The first: a\.csv, line 3: /);
  });
});

interface Packed {
  name: string;
  packed: Buffer;
  size: number;
  /** the entry whose data it claims; left out: its own */
  at?: number;
}

/** An archive whose directory says what it is told to. */
function zipOf(entries: readonly Packed[]): Buffer {
  const parts: Buffer[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const { name, packed, at } of entries) {
    if (at !== undefined) {
      offsets.push(offsets[at]!);
      continue;
    }
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    parts.push(local, Buffer.from(name), packed);
    offsets.push(offset);
    offset += 30 + name.length + packed.length;
  }
  const directory = entries.map(({ name, packed, size }, index) => {
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(8, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(size, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offsets[index]!, 42);
    return Buffer.concat([entry, Buffer.from(name)]);
  });
  const whole = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(whole.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, whole, end]);
}
