import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCsv } from '../../../../src/trainer/data/csv.ts';
import { DataError } from '../../../../src/trainer/data/errors.ts';

const fixtures = join(import.meta.dirname, 'fixtures');

describe('reading tables', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-csv-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  function write(content: string | Uint8Array): string {
    const path = join(folder, 'a.csv');
    writeFileSync(path, content);
    return path;
  }
  const column = async (content: string | Uint8Array, name = 'y') => [
    ...(await readCsv(write(content), 'a.csv', [name])).values.get(name)!,
  ];
  const refused = (content: string | Uint8Array, message: RegExp, name = 'y') =>
    assert.rejects(column(content, name), (error: Error) => {
      assert.ok(error instanceof DataError, error.stack);
      assert.match(error.message, message);
      return true;
    });

  it('finds out the delimiter, also past delimiters inside quotes', async () => {
    for (const delimiter of [',', ';', '\t', '|'])
      assert.deepEqual(
        await column(`"a,;b"${delimiter}y\n1${delimiter}2\n3${delimiter}4\n`),
        [2, 4],
        delimiter,
      );
    assert.deepEqual(await column('y\n1\n2\n'), [1, 2]);
  });

  it('takes a comma as the decimal sign where it separates nothing', async () => {
    assert.deepEqual(await column('x;y\n1;2,5\n1;-0,25\n1;1e3\n'), [2.5, -0.25, 1000]);
  });

  it('takes empty and usual words for missing, counts them, and names what is strange', async () => {
    const path = write('x,y\n1,2\n1,\n1,NA\n1,n/a\n1,NaN\n1,-\n1,about 3\n1,7\n');
    const { values, missing, strange, rows } = await readCsv(path, 'a.csv', ['y', 'x'], { unreadable: 0.5 });
    assert.deepEqual([...values.get('y')!], [2, ...Array(6).fill(Number.NaN), 7]);
    assert.equal(missing.get('y'), 5);
    assert.equal(missing.get('x'), 0);
    assert.deepEqual(strange.get('y'), { count: 1, first: '"about 3" in line 8' });
    assert.equal(rows, 8);
  });

  const weather = [12.8, 10.6, 11.7];
  for (const [file, name] of [
    ['weather_bom_crlf.csv', 'temp_max'],
    ['weather_cr_only.csv', 'temp_max'],
    ['weather_utf16le_bom.csv', 'temp_max'],
    ['weather_semicolon_decimalcomma_latin1.csv', 'Höchsttemperatur'],
  ])
    it(`reads ${file}`, async () => {
      const { values, rows } = await readCsv(join(fixtures, file!), file!, [name!]);
      assert.deepEqual([...values.get(name!)!.slice(0, 3)], weather);
      assert.equal(rows, 39);
    });

  it('reads weather_missing.csv', async () => {
    const { values, missing } = await readCsv(join(fixtures, 'weather_missing.csv'), 'weather', ['temp_max']);
    assert.ok(Number.isNaN(values.get('temp_max')!.get(5)));
    assert.ok(missing.get('temp_max')! >= 1);
  });

  const spectrum = join(fixtures, 'csv-spectrum');
  const expectations = readdirSync(spectrum).filter(name => name.endsWith('.json'));
  for (const file of expectations.map(name => name.replace('.json', '.csv')))
    it(`agrees with csv-spectrum: ${file}`, async () => {
      const expected = JSON.parse(readFileSync(join(spectrum, file.replace('.csv', '.json')), 'utf8'));
      const rows: Record<string, string>[] = Array.isArray(expected) ? expected : [expected];
      const number = (cell: string) => (/^\d+$/.test(cell) ? Number(cell) : Number.NaN);
      for (const name of Object.keys(rows[0]!)) {
        const cells = rows.map(row => number(row[name]!));
        const read = readCsv(join(spectrum, file), file, [name], { unreadable: 0.9 });
        if (cells.every(Number.isNaN)) {
          await assert.rejects(read, /holds no numbers/, name);
          continue;
        }
        const { columns, values } = await read;
        assert.deepEqual(columns, Object.keys(rows[0]!));
        assert.deepEqual([...values.get(name)!], cells, name);
      }
    });

  it('takes a quote in the middle of a cell for what it is', async () => {
    const path = join(spectrum, 'location_coordinates.csv');
    const { values, columns } = await readCsv(path, 'location', ['Contact Phone Number']);
    assert.deepEqual([...values.get('Contact Phone Number')!], [2095257564]);
    assert.equal(columns.length, 4);
  });

  it('refuses ragged rows with the line', async () => {
    await refused('x,y\n1,2\n1,2,3\n', /^a\.csv, line 3: this row has 3 cells, the header has 2\.$/);
    await refused('x,y\n"a\nb",2\n1\n', /^a\.csv, line 4: this row has 1 cell,/);
    await assert.rejects(
      readCsv(join(fixtures, 'weather_ragged.csv'), 'ragged', ['temp_max']),
      /^DataError: ragged, line 6: this row has 5 cells, the header has 6\.$/,
    );
  });

  it('lists the columns there are when one is missing', async () => {
    await refused('x,"a b"\n1,2\n', /^a\.csv has no column "y"; it has "x", "a b"\.$/);
    const wide = Array.from({ length: 50 }, (_, i) => `c${i}`).join(',');
    await refused(`${wide}\n`, /"c29", …\.$/);
  });

  it('tells a missing header', async () => {
    await refused('1,2\n3,4\n', /has no header: its first line holds only numbers/);
    await assert.rejects(
      readCsv(join(fixtures, 'weather_no_header.csv'), 'weather', ['temp_max']),
      /has no column "temp_max".* Its first line looks like data/,
    );
  });

  it('refuses a column without numbers, and a table without rows', async () => {
    await refused(
      'x,y\n1,red\n2,blue\n',
      /^The column "y" of a\.csv holds no numbers \("red" in line 2\)\.$/,
    );
    await refused('x,y\n1,\n2,\n', /^The column "y" of a\.csv holds no numbers\.$/);
    await refused('x,y\n', /^a\.csv has a header and no rows\.$/);
    await refused('\n\n', /^a\.csv holds no rows\.$/);
    await assert.rejects(
      readCsv(join(fixtures, 'header_only.csv'), 'h', ['value']),
      /has a header and no rows/,
    );
  });

  it('reads the first line that tells Excel the delimiter', async () => {
    assert.deepEqual(await column('sep=;\nx;y\n1;2,5\n1;3\n'), [2.5, 3]);
    assert.deepEqual(await column('\ufeffsep=|\r\nx,1|y\r\n1|2\r\n'), [2]);
    await refused('"sep=,"\nx,y\n1,2\n3,oops\n', /^a\.csv, line 4: "oops"/);
  });

  it('tells a column whose name differs in case alone', async () => {
    const read = (names: string[]) => readCsv(write('Y,y,ý\n7,2,3\n4,5,6\n'), 'a.csv', names);
    const one = await read(['y']);
    assert.deepEqual([...one.values.get('y')!], [2, 5]);
    assert.deepEqual(one.notes, ['Columns "y" and "Y" differ in their case alone: "y" is read.']);
    assert.deepEqual((await read(['y', 'Y'])).notes, []);
  });

  it('leaves out units under the header, totals and remarks below the table, and says so', async () => {
    const notes = async (content: string) => {
      const { notes, values, lines } = await readCsv(write(content), 'a.csv', ['y']);
      return { notes: notes.join(' '), values: [...values.get('y')!], lines: [...lines] };
    };
    assert.deepEqual(await notes('date,y\n,°C\n2024-01-01,1\n2024-01-02,2\n'), {
      notes: 'Line 2 is left out: it names units ("°C"), not values.',
      values: [1, 2],
      lines: [3, 4],
    });
    const total = await notes('date,y\n2024-01-01,1\n2024-01-02,2\nTotal,3\n');
    assert.deepEqual(total.values, [1, 2]);
    assert.equal(total.notes, 'Line 4 is left out: "Total" begins no row of data.');
    const remark = await notes('date,y\n2024-01-01,1\n2024-01-02,2\n,\nSource: a book,\n');
    assert.deepEqual(remark.values, [1, 2]);
    assert.equal(remark.notes, 'Lines 4 to 5 are left out: "Source: a book" begins no row of data.');
    const within = await notes('date,y\n2024-01-01,1\nSubtotal,1\n2024-01-02,2\n');
    assert.deepEqual(within.values, [1, 1, 2]);
    assert.match(within.notes, /^Line 3 looks like a total, but rows of data follow/);
    // a hole in the middle is a row, and so is an empty target at the end beside its date
    assert.deepEqual((await notes('date,y\n2024-01-01,1\n,\n2024-01-03,\n')).values.length, 3 - 0);
  });

  for (const [what, above, notes] of [
    [
      'units and kinds of values',
      'd,y,z\nTS,V,mA\n,Avg,Smp',
      'Lines 2 to 3 are left out: they name units ("V"), not values.',
    ],
    [
      'types, an empty line and roles',
      'd,y,z\ndate,double,int\n\nkey,value,value',
      'Lines 2 to 4 are left out: they name units ("double"), not values.',
    ],
    [
      'a symbol and the name of the index',
      'Price,y,z\nTicker,AAPL,AAPL\nDate,,',
      'Lines 2 to 3 are left out: they name units ("AAPL"), not values.',
    ],
    [
      'a line of the logger above',
      '"TOA5","CR1000","1234"\n"d","y","z"\n"TS","V","mA"\n"","Avg","Smp"',
      'The header is line 2: line 1 stands above it. Lines 3 to 4 are left out: they name units ("V"), not values.',
    ],
    [
      'remarks above',
      '# Station: Zurich\n# Exported 2024-03-01\nd,y,z',
      'The header is line 3: lines 1 to 2 stand above it.',
    ],
    [
      'remarks with commas above',
      'Source,World Indicators,\n\nUpdated,2024-03-01,\nd,y,z',
      'The header is line 4: lines 1 to 3 stand above it.',
    ],
    [
      'groups of columns above',
      ',Air,Air\nd,y,z\nUTC,C,C',
      'The header is line 2: line 1 stands above it. Line 3 is left out: it names units ("C"), not values.',
    ],
  ])
    it(`finds the header and the rows of a table with ${what}`, async () => {
      const rows = '\n2024-01-01,1.5,7\n2024-01-02,2.5,8\n2024-01-03,3.5,9\n';
      for (const text of [above + rows, (above + rows).replaceAll(',', ';')]) {
        const table = await readCsv(write(text), 'a.csv', ['y']);
        assert.deepEqual([...table.values.get('y')!], [1.5, 2.5, 3.5]);
        assert.equal(table.time?.isDate, true);
        assert.equal(table.notes.join(' '), notes);
      }
    });

  it('takes words of a fourth line under the header for cells, and a column of words for one', async () => {
    await refused(
      'd,y\na,b\nc,d\ne,f\ng,h\n2024-01-01,1\n',
      /^a\.csv, line 5: "h" in column "y" is no number/,
    );
    await refused('text\na|b\nc|d\ne|f\n', /has no column "y"; it has "text"/);
  });

  for (const [word, row] of [
    ['Gesamtsumme', 'Gesamtsumme,26'],
    ['Σ', 'Σ,26'],
    ['Итого', 'Итого,26'],
    ['合計', '合計,26'],
    ['several statistics', 'Average,6.5\nMax,8\nMin,5'],
    ['a remark in one cell', 'Source: a book'],
    ['the count of rows', '\n(4 rows affected)'],
  ])
    it(`leaves out ${word} below the table`, async () => {
      const table = await readCsv(write(`k,y\n1,5\n2,6\n3,7\n4,8\n${row}\n`), 'a.csv', ['y']);
      assert.deepEqual([...table.values.get('y')!], [5, 6, 7, 8]);
      assert.match(table.notes.join(' '), /left out/);
    });

  it('tells a last row without a key that is the sum or the mean', async () => {
    for (const last of [',26', ',6.5']) {
      const { notes, rows } = await readCsv(write(`k,y\n1,5\n2,6\n3,7\n4,8\n${last}\n`), 'a.csv', ['y']);
      assert.equal(rows, 5);
      assert.match(notes.join(' '), /^Line 6 looks like a total: its numbers are the sum or the mean/);
    }
    const { notes } = await readCsv(write('k,y\n1,5\n2,6\n3,7\n4,8\n,9\n'), 'a.csv', ['y']);
    assert.deepEqual(notes, []);
  });

  it('keeps rows of people named Max, and refuses a remark that rows follow', async () => {
    const people = await readCsv(write('k,y\nAnna,5\nTom,6\nMin,7\nMax,8\n'), 'a.csv', ['y']);
    assert.deepEqual([...people.values.get('y')!], [5, 6, 7, 8]);
    await refused('x,y\n1,2\nSource: a book\n3,4\n', /^a\.csv, line 3: this row has 1 cell/);
    await refused('x,y\n1,2\n3\n', /^a\.csv, line 3: this row has 1 cell/);
  });

  it('reads UTF-16 without a mark, and says what UTF-32 is', async () => {
    const little = Buffer.from('x,y\n1,2\n3,4\n', 'utf16le');
    assert.deepEqual(await column(little), [2, 4]);
    assert.deepEqual(await column(Buffer.from(little).swap16()), [2, 4]);
    await refused(
      Buffer.from([0xff, 0xfe, 0, 0, 0x79, 0, 0, 0]),
      /^a\.csv is written in UTF-32; save it as UTF-8\.$/,
    );
  });

  it('refuses a column whose name stands twice', async () => {
    await refused('y,x,y\n1,2,3\n', /^a\.csv has two columns named "y", the 1st and the 3rd/);
    assert.deepEqual(await column('x,x,y\n1,2,3\n'), [3]);
  });

  it('refuses broken quotes and binary noise with their place', async () => {
    await refused('x,y\n1,"2\n3,4\n', /^a\.csv, line 2: a quote is opened and never closed\.$/);
    await refused(
      'x,y\n1,"2"3\n',
      /^a\.csv, line 2: something stands between a closing quote and the delimiter\.$/,
    );
    await refused(Buffer.from([0x79, 0x0a, 0x31, 0x00, 0x32]), /^a\.csv is not a text file: byte 3 is 0\.$/);
  });

  it('says that a file cannot be read', async () => {
    await assert.rejects(readCsv(join(folder, 'gone.csv'), 'gone.csv', ['y']), DataError);
    await assert.rejects(readCsv(folder, 'folder', ['y']), DataError);
  });
});
