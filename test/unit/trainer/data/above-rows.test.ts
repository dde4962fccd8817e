// Lines that stand around a header: remarks above it are told and left out, a second header is told.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCsv } from '../../../../src/trainer/data/csv.ts';
import { readLabelled } from '../../../../src/trainer/tasks/labelled.ts';
import { readPairs } from '../../../../src/trainer/tasks/pairs.ts';

describe('lines around a header', () => {
  let path: string;
  before(() => {
    path = join(mkdtempSync(join(tmpdir(), 'unroll-above-')), 'a.csv');
  });
  after(() => rmSync(join(path, '..'), { recursive: true, force: true }));

  const texts = 'abc,x\nbcd,y\nabd,x\nbbb,y\nacc,x\nbdd,y\n';
  const labelled = async (content: string) => {
    writeFileSync(path, content);
    const { sequences, notes } = await readLabelled(path, {
      path: 'a.csv',
      units: 'characters',
      text: 'text',
      label: 'label',
    });
    return {
      labels: Array.from(sequences, ({ label }) => label),
      lines: sequences.lineOf(0),
      notes: notes.join(' '),
    };
  };
  const pairs = async (
    content: string,
    columns: { source: string | number; target: string | number | null },
  ) => {
    writeFileSync(path, content);
    const read = await readPairs(path, { path: 'a.csv', units: 'characters', ...columns });
    return { sources: Array.from(read.pairs, own => own.texts.source), notes: read.notes.join(' ') };
  };
  const names = { source: 'a', target: 'b' };

  for (const [name, above, note] of [
    ['one remark', '# made by a tool\n', 'The header is line 2: line 1 stands above it.'],
    [
      'a title and a date',
      'Export,\n2024-01-01,v2,x\n',
      'The header is line 3: lines 1 to 2 stand above it.',
    ],
    ['eleven lines', 'x\n'.repeat(11), 'The header is line 12: lines 1 to 11 stand above it.'],
  ] as const) {
    it(`texts with classes under ${name}`, async () => {
      const read = await labelled(`${above}text,label\n${texts}`);
      assert.deepEqual(read.labels, ['x', 'y', 'x', 'y', 'x', 'y']);
      assert.equal(read.lines, above.split('\n').length + 1);
      assert.equal(read.notes, note);
    });
    it(`pairs under ${name}`, async () => {
      const read = await pairs(`${above}a,b\nabc,cba\nbcd,dcb\n`, names);
      assert.deepEqual(read.sources, ['abc', 'bcd']);
      assert.equal(read.notes, note);
    });
  }

  it('no header within twelve lines: the first line is it, and is told', async () => {
    await assert.rejects(
      labelled(`${'x\n'.repeat(12)}text,label\n${texts}`),
      /has no column "text"; it has "x"\.$/,
    );
    await assert.rejects(pairs(`${'x\n'.repeat(12)}a,b\nabc,cba\n`, names), /has no column "a"/);
  });

  for (const [name, row, said] of [
    ['of words', 'chars,kind', 'kind'],
    ['that numbers the columns', '0,1', '1'],
    ['of units', '(text),(class)', '(class)'],
  ])
    it(`a second header ${name} is told for classes`, async () => {
      const read = await labelled(`text,label\n${row}\n${texts}`);
      assert.equal(
        read.notes,
        `Line 2 is the only one of class "${said}": take it out if it names units or numbers the columns.`,
      );
    });

  it('a rare class elsewhere, few rows and a first class that comes again are no second header', async () => {
    assert.equal((await labelled(`text,label\n${texts}zzz,rare\n`)).notes, '');
    assert.equal((await labelled('text,label\nabc,q\nbcd,y\nabd,x\n')).notes, '');
    assert.equal((await labelled(`text,label\n${texts}`)).notes, '');
  });

  it('numbers of columns are told for pairs, numbers among numbers are not', async () => {
    const note =
      'Line 2 holds numbers alone (0, 1) and is read as a pair: take it out if it numbers the columns.';
    assert.equal((await pairs('a,b\n0,1\nabc,cba\n', names)).notes, note);
    assert.equal((await pairs('a,b\n10,01\n12,21\n', names)).notes, '');
    assert.equal(
      (await pairs('0,1\nabc,cba\n', { source: 0, target: 1 })).notes,
      note.replace('Line 2', 'Line 1'),
    );
  });

  const numberWords = 'one,1\ntwo,2\nthree,3\nfour,4\nfive,5\nsix,6\n';
  const spoken = 'cat,K AE T\ndog,D AO G\nphone,F OW N\nme,M IY\nset,S EH T\n';
  const told = (line: number, shown: string, what: string, which = 'second header') =>
    `Line ${line} looks like a ${which} (${shown}) and is read as a ${what}: take it out if it is one.`;
  for (const [name, row, rows] of [
    ['of kinds', 'text,phonemes', numberWords],
    ['of units in brackets', '(letters),[IPA]', numberWords],
    ['of languages', 'English,fr', numberWords],
    ['of letters that no target has', 'word as written,how it is said', spoken],
    ['of letters that no source has', 'when it was,1', '2020-01,1\n2021-02,2\n2022-03,3\n2023-04,4\n'],
  ] as const) {
    const shown = row
      .split(',')
      .map(cell => `"${cell}"`)
      .join(', ');
    it(`a second header ${name} is told for pairs and unaligned labels`, async () => {
      assert.equal((await pairs(`a,b\n${row}\n${rows}`, names)).notes, told(2, shown, 'pair'));
      writeFileSync(path, `a,b\n${row}\n${rows}`);
      const columns = { text: 'a', label: 'b', labelName: 'target' };
      const read = await readLabelled(path, { path: 'a.csv', units: 'characters', ...columns });
      assert.equal(read.notes.join(' '), told(2, shown, 'row'));
    });
    it(`a header ${name} is told where columns have numbers`, async () => {
      const read = await pairs(`${row}\n${rows}`, { source: 0, target: 1 });
      assert.equal(read.notes, told(1, shown, 'pair', 'header'));
    });
  }

  it('a header that stands among the rows again is told', async () => {
    const again = (times: number) => `a,b\n${'abc,cba\nbcd,dcb\na,b\n'.repeat(times)}`;
    const one = 'Line 4 is the header again, read as a row: take it out.';
    assert.equal((await pairs(again(1), names)).notes, one);
    assert.equal(
      (await pairs(again(3), names)).notes,
      'Line 4, and 2 further lines, are the header again, read as a row: take them out.',
    );
    assert.equal((await pairs(again(1), { source: 0, target: 1 })).notes, '');
    const classes = await labelled(`text,label\n${texts}text,label\n${texts}`);
    assert.equal(classes.notes, one.replace('4', '8'));
  });

  it('rows with more cells than the header are told: texts that a delimiter cut', async () => {
    assert.equal(
      (await pairs('a,b\nHello, world,Bonjour\nyes,oui\n', names)).notes,
      '1 row has more cells than the header (line 2): its texts may be cut at a delimiter that they hold.',
    );
    assert.match(
      (await pairs('x,y\n1,2,3\n1,2\n4,5,6\n', { source: 0, target: 1 })).notes,
      /^2 rows have more cells than the first row \(line 2, 4\): their texts/,
    );
  });

  it('a column whose name differs in case alone is told for texts', async () => {
    const note = (name: string, twin: string) =>
      `Columns "${name}" and "${twin}" differ in their case alone: "${name}" is read.`;
    assert.equal((await pairs('a,B,b\nabc,x,cba\n', names)).notes, note('b', 'B'));
    assert.equal((await pairs('a,B,b\nabc,x,cba\n', { source: 0, target: 2 })).notes, '');
    const header = 'text,label,Text\n';
    assert.equal((await labelled(`${header}abc,x,\nbcd,y,\n`)).notes, note('text', 'Text'));
  });

  it('two columns of one name are refused for texts', async () => {
    const refusal = /^a\.csv has two columns named "(a|text)": give one of them another name\.$/;
    await assert.rejects(pairs('a,b,a\nabc,cba,x\n', names), { message: refusal });
    await assert.rejects(labelled('text,text,label\nabc,x,y\n'), { message: refusal });
  });

  it('pairs that begin with one of them have no second header', async () => {
    for (const rows of [
      numberWords,
      spoken,
      'text,txt\ntax,tx\n',
      '嗨,hi\n好,yes\n再见,bye\n谢谢,ty\n猫,cat\n',
    ])
      assert.equal((await pairs(`a,b\n${rows}`, names)).notes, '');
    // a format of its own has no header
    const typed = path.replace('.csv', '.jsonl');
    writeFileSync(typed, '{"a":"text","b":"phonemes"}\n{"a":"abc","b":"cba"}\n');
    const read = await readPairs(typed, { path: 'a.jsonl', units: 'characters', ...names });
    assert.deepEqual([read.pairs.length, read.notes], [2, []]);
  });

  for (const from of [0, 1])
    it(`numbers of columns from ${from} are told for a series`, async () => {
      const rows = Array.from({ length: 9 }, (_, row) => `${row / 10},${row * row},${5 - row}`).join('\n');
      const read = async (first: string) => {
        writeFileSync(path, `a,b,c\n${first}\n${rows}\n`);
        return (await readCsv(path, 'a.csv', ['a', 'b'])).notes.join(' ');
      };
      assert.match(
        await read([0, 1, 2].map(place => place + from).join(',')),
        /^Line 2 numbers the columns \(.*, …\) and is read as data: take it out if it is none\./,
      );
      assert.doesNotMatch(await read('0,1,3'), /numbers the columns/);
    });
});
