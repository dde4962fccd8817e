// What the hover over a path says: the answer of `unroll data` itself, at the shell, read as the editor reads it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTold, toldText } from '../../../src/extension/experiments/told.ts';
import { unroll } from '../cli/unroll.ts';

describe('what is told of data files', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-told-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const tell = (...names: string[]) => {
    const files = names.map(name => join(folder, name));
    const told = readTold(unroll(['data', '--json', '--begin', ...files]).stdout);
    return names.map(name => told.get(join(folder, name))!);
  };

  it('rows, columns, shares and tasks; a file that cannot be read hides no other', () => {
    const rows = Array.from({ length: 40 }, (_, row) => ({
      series: Array.from({ length: 2 + (row % 3) }, (_, step) => row + step),
      label: ['low', 'high'][row % 2],
    }));
    writeFileSync(join(folder, 'a.jsonl'), rows.map(row => JSON.stringify(row)).join('\n'));
    writeFileSync(join(folder, 'b.parquet'), 'PAR1 and no more');
    writeFileSync(join(folder, 'c.txt'), 'It is a truth. '.repeat(100));
    const [series, cut, text] = tell('a.jsonl', 'b.parquet', 'c.txt');
    assert.equal(
      toldText(series!),
      [
        'JSON lines · 2 KB · 40 rows · 2 columns',
        'fits classify: series in "series", classes in "label"',
        'series: arrays; 2 to 4 steps (median 3)',
        'label: text; 3 to 4 characters (median 4); 2 values: low 50.0 %, high 50.0 %',
      ]
        .join('\n')
        .replace('2 KB', series!.lines[0]!.split(' · ')[1]!),
    );
    assert.deepEqual(series!.suggested, [
      {
        task: 'classify',
        fields: { label: 'label', values: ['series'] },
        why: 'series in "series", classes in "label"',
        vectors: true,
      },
    ]);
    assert.match(toldText(cut!), /^b\.parquet is cut off: it has 16 bytes/);
    assert.match(
      toldText(text!),
      /^text · .*\n(fits .*\n)+1,500 characters, 10 different, about 400 words; /,
    );
    assert.deepEqual(text!.suggested.map(({ task }) => task).slice(0, 1), ['char-lm']);
  });

  it('of large files only the beginning is read, and it says so; a cut row is no bad row', () => {
    // 20,000 rows are read of these, 16 MB of those
    writeFileSync(join(folder, 'rows.csv'), `day,value\n${'2024-01-01,5\n'.repeat(30_000)}`);
    const wide = `${'7'.repeat(2000)},${'8'.repeat(2000)}\n`;
    writeFileSync(join(folder, 'bytes.csv'), `a,b\n${wide.repeat(5000)}`);
    writeFileSync(join(folder, 'bytes.jsonl'), `${JSON.stringify({ a: 'x'.repeat(4000) })}\n`.repeat(5000));
    const lines = tell('rows.csv', 'bytes.csv', 'bytes.jsonl').map(({ lines: [first] }) => first!);
    assert.match(lines[0]!, / · 20,000 rows · 2 columns · its beginning, of a longer file$/);
    assert.match(lines[1]!, / · 4,19\d rows · 2 columns · its beginning, of a longer file$/);
    assert.match(lines[2]!, / · 4,1\d\d rows · 1 column · its beginning, of a longer file$/);
  });

  it('what is no answer is left out; lines are few and short', () => {
    assert.equal(readTold('no JSON\n{"kind":"data","path":"a"}\n{"kind":"fault"}\n[1]\nnull\n{"ki').size, 0);
    const lines = [
      'CSV',
      ...Array.from({ length: 99 }, (_, at) => `${at}: ${'x'.repeat(300)}`),
      'fits tag: x',
    ];
    const shown = toldText({ fault: null, lines, suggested: [] }).split('\n');
    assert.equal(shown.length, 26);
    assert.deepEqual(shown.slice(0, 2), ['CSV', 'fits tag: x']);
    assert.equal(shown.at(-1), '… and 76 further lines');
    assert.equal(Math.max(...shown.map(({ length }) => length)), 120);
  });
});
