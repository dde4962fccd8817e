import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ReadOptions, readCsv } from '../../../../src/trainer/data/csv.ts';
import { DataError } from '../../../../src/trainer/data/errors.ts';

describe('number formats of columns', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-numbers-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  async function read(cells: readonly string[], options: ReadOptions & { delimiter?: string } = {}) {
    const { delimiter = ';', ...rest } = options;
    const quoted = (cell: string) => (cell.includes(delimiter) ? `"${cell}"` : cell);
    const path = join(folder, 'a.csv');
    writeFileSync(
      path,
      `k${delimiter}y\n${cells.map((cell, row) => `${row}${delimiter}${quoted(cell)}\n`).join('')}`,
    );
    const { values, notes, missing, formats } = await readCsv(path, 'a.csv', ['y'], rest);
    return {
      values: [...values.get('y')!],
      notes: notes.join(' '),
      missing: missing.get('y')!,
      format: formats.get('y')!,
    };
  }

  const otherScript = /^Column "y": digits of another script, ".*" is read as [\d.-]+\.$/;
  const readings: [name: string, cells: string[], values: number[], note: RegExp | null][] = [
    ['whole numbers', ['1', '-20', '+3'], [1, -20, 3], null],
    ['decimal points', ['1.5', '.25', '1e3', '2.', '-0.5E-1'], [1.5, 0.25, 1000, 2, -0.05], null],
    ['Arabic digits', ['١٢٫٣٤٥', '-٣', '٤٬٠٠٠٫٥'], [12.345, -3, 4000.5], otherScript],
    ['Persian digits', ['۱۲', '۳۴'], [12, 34], otherScript],
    ['Devanagari digits', ['१,००,०००.५', '-२'], [100_000.5, -2], otherScript],
    ['wide digits and signs', ['１２．５', '－３', '＋４'], [12.5, -3, 4], otherScript],
    ['marks that nobody sees', ['\u200f-1.5\u200e', '\u200b7', '\ufeff8'], [-1.5, 7, 8], null],
    ['a minus sign in the exponent', ['1.5e−3', '−2E−1'], [0.0015, -0.2], null],
    ['cells that end in a line', ['"1.5\n"', '"\n2.5"'], [1.5, 2.5], null],
    [
      'decimal commas',
      ['1,5', '-0,25', '3'],
      [1.5, -0.25, 3],
      /"1,5" is read as 1\.5, the comma as the decimal sign, in 2 of 3 cells/,
    ],
    [
      'a thousands dot beside hundreds',
      ['996', '1.050', '1.120'],
      [996, 1050, 1120],
      /"1\.050" is read as 1050, the dot as a thousands separator, in 2 of 3 cells/,
    ],
    [
      'a thousands comma beside hundreds',
      ['996', '1,050', '1,120'],
      [996, 1050, 1120],
      /"1,050" is read as 1050, the comma as a thousands separator/,
    ],
    ['a dot told apart by a decimal comma', ['1.050', '2.300,75'], [1050, 2300.75], /thousands separator/],
    ['a comma told apart by a decimal point', ['1,050', '2,300.75'], [1050, 2300.75], /thousands separator/],
    ['a dot told apart by a shorter decimal', ['1.050', '2.5'], [1.05, 2.5], null],
    ['a dot told apart by a leading zero', ['1.050', '0.125'], [1.05, 0.125], null],
    ['a dot told apart by two groups', ['1.050', '1.234.567'], [1050, 1234567], /thousands separator/],
    ['a comma told apart by two groups', ['1,050', '1,234,567'], [1050, 1234567], /thousands separator/],
    [
      'thousands spaces',
      ['1 050', '1 050,5', '12 345 678'],
      [1050, 1050.5, 12345678],
      /"1 050" is read as 1050/,
    ],
    ['no-break and narrow spaces', ['1\u00a0050', '1\u202f050'], [1050, 1050], null],
    ['Swiss apostrophes', ["1'050", '1’050.5'], [1050, 1050.5], /1'050/],
    ['Indian groups', ['12,34,567', '1,00,000'], [1234567, 100000], null],
    [
      'percent',
      ['12.5 %', '-3%', '0'],
      [12.5, -3, 0],
      /percent signs are left off, "12\.5 %" is read as 12\.5/,
    ],
    ['currency before', ['$1,050.25', '-$3', '$ 7.5'], [1050.25, -3, 7.5], /currency signs are left off/],
    ['currency behind', ['1.050,25 €', '3 €'], [1050.25, 3], /currency signs/],
    ['currency by its code', ['CHF 12.50', 'CHF 7.00'], [12.5, 7], /currency/],
    ['accounting brackets', ['(1,050.5)', '20.5'], [-1050.5, 20.5], null],
    ['a minus behind', ['5.5-', '7.5'], [-5.5, 7.5], null],
    ['the real minus sign', ['−5.5', '–2', '－3', '﹣4'], [-5.5, -2, -3, -4], null],
    ['prices without cents', ['CHF 20.-', 'CHF 1’234.50', 'CHF 3.--'], [20, 1234.5, 3], /currency/],
    ['prices without cents, with commas', ['20,-', '1.234,50', '3,—'], [20, 1234.5, 3], null],
    ['brackets inside a currency sign', ['$(1,234.50)', '$20.00'], [-1234.5, 20], /currency/],
    ['a percent sign behind brackets', ['(5)%', '6%'], [-5, 6], /percent/],
    ['currencies of two signs', ['R$ 1.234,50', 'R$ 20,00'], [1234.5, 20], /currency/],
    ['crowns and forints', ['1 234,50 Kč', '20,00 Kč'], [1234.5, 20], /currency/],
    ['spaces as wide as a digit', ['1\u2007050', '996'], [1050, 996], null],
    ['other apostrophes', ['1ʼ050', '1´060', '1`070'], [1050, 1060, 1070], null],
    ['a rounded thousand in brackets', ['(1.050)', '996'], [-1050, 996], /thousands separator/],
    ['a rounded thousand before percent', ['1.050 %', '996 %'], [1050, 996], /thousands separator/],
    ['an exponent behind a decimal comma', ['1,5E+03', '2,25e-1'], [1500, 0.225], /decimal sign/],
  ];
  for (const [name, cells, values, note] of readings)
    it(`reads ${name}`, async () => {
      const found = await read(cells);
      assert.deepEqual(found.values, values);
      if (note) assert.match(found.notes, note);
    });

  it('takes words for nothing as missing, and nothing else', async () => {
    const words = [
      '',
      'NA',
      'n/a',
      '#N/A',
      'NaN',
      'null',
      'None',
      '-',
      '--',
      '?',
      '.',
      '–',
      '<NA>',
      'n.a.',
      'missing',
      '-nan',
      'NaT',
      '\\N',
      '(null)',
      '#NULL!',
      '#N/A N/A',
      '-1.#IND',
      '1.#QNAN',
      '...',
    ];
    assert.equal((await read([...words, '3'])).missing, words.length);
  });

  for (const [name, cells, told] of [
    ['-9999', ['1.5', '-9999', '3', '-9999.0', '2'], '-9999 stands in 2 of 5 cells, first in line 3'],
    ['999.9', ['1.5', '999.9', '3', '2'], '999.9 stands in 1 of 4 cells, first in line 3'],
    ['9.96921e+36', ['1', '9.96921e+36', '3', '2'], '9.96921e+36 stands in 1 of 4 cells, first in line 3'],
  ] as const)
    it(`tells ${name} far from all others, and reads it`, async () => {
      const found = await read(cells);
      assert.deepEqual(found.values, cells.map(Number));
      assert.ok(found.notes.includes(`Column "y": ${told}, far from all others (`), found.notes);
    });

  it('tells no nines among others like them', async () => {
    for (const cells of [
      ['9000', '9999', '9500', '8000'],
      ['99', '1', '50'],
      ['99', '999', '9999'],
      ['98', '99', '97', '96'],
    ])
      assert.equal((await read(cells)).notes, '');
  });

  const refusals: [
    name: string,
    cells: string[],
    message: RegExp,
    options?: ReadOptions & { delimiter?: string },
  ][] = [
    [
      'three digits behind every dot',
      ['1.050', '1.121'],
      /^a\.csv, line 2: "1\.050" in column "y" can be read as 1\.05 or as 1050, and nothing in the file decides between them; set "numbers" to "1234\.5" or "1\.234,5"\.$/,
    ],
    [
      'three digits behind every comma',
      ['"1,050"', '"1,121"'],
      /line 2: "1,050" .* can be read as 1050 or as 1\.05, .* "1,234\.5" or "1234,5"/,
      { delimiter: '\t' },
    ],
    ['hundreds without a rounded thousand', ['20', '1.051'], /line 3: "1\.051" .* can be read as/],
    [
      'both signs before three digits',
      ['1.050', '1,121'],
      /line 2: "1\.050" .* and "1,121" in line 3 is written with the other sign/,
    ],
    [
      'a decimal point and a decimal comma',
      ['1.5', '2', '2,5'],
      /line 2: "1\.5" .* has a decimal point, but "2,5" in line 4 a decimal comma/,
    ],
    ['1e999', ['1', '1e999'], /line 3: "1e999" in column "y" is no finite number/],
    ['infinity in words', ['1', '-Infinity'], /line 3: "-Infinity" .* is no finite number/],
    ['infinity as C writes it', ['1.#INF', '1'], /line 2: "1\.#INF" .* is no finite number/],
    ['permille', ['1', '5 ‰'], /line 3: "5 ‰" .* is no number/],
    ['groups of underscores', ['1', '1_000'], /line 3: "1_000" .* is no number/],
    ['an error of division', ['1', '#DIV/0!'], /line 3: "#DIV\/0!" .* is no number/],
    ['inf', ['inf', '1'], /line 2: "inf" .* is no finite number/],
    ['a digit too many for a number', [`${'9'.repeat(400)}`, '1'], /line 2: "9{40}" .* is no finite number/],
    ['two currencies', ['$5', '€6'], /line 3: "€6" .* is in another currency than "\$5" in line 2/],
    ['some percent', ['5 %', '0.05'], /line 2: "5 %" .* has a percent sign and "0\.05" in line 3 has none/],
    ['groups of another length', ['1,5', '10.50,3'], /line 3: "10\.50,3" .* is no number/],
    [
      'a unit',
      ['1', '2 kg'],
      /line 3: "2 kg" in column "y" is no number\. Correct it, empty it, or let "unreadable" be at least 0\.5/,
    ],
    [
      'an error of a spreadsheet',
      ['1', '#DIV/0!', '#REF!', '4'],
      /line 3: "#DIV\/0!" .* is no number, and 1 further cell like it/,
    ],
    ['a time of day', ['12:30', '1'], /line 2: "12:30"/],
    [
      'a cell that the set format has not',
      ['1,5', '1.5'],
      /line 3: "1\.5" .* is no number/,
      { numbers: '1234,5' },
    ],
  ];
  for (const [name, cells, message, options] of refusals)
    it(`refuses ${name}`, () =>
      assert.rejects(read(cells, options), (error: Error) => {
        assert.ok(error instanceof DataError, error.stack);
        assert.match(error.message, message);
        return true;
      }));

  it('lets "numbers" decide, in both ways', async () => {
    assert.deepEqual((await read(['1.050', '1.121'], { numbers: '1.234,5' })).values, [1050, 1121]);
    assert.deepEqual((await read(['1.050', '1.121'], { numbers: '1234.5' })).values, [1.05, 1.121]);
    assert.deepEqual((await read(['1,050', '1,121'], { numbers: '1,234.5' })).values, [1050, 1121]);
    assert.deepEqual((await read(["1'050.5"], { numbers: "1'234.5" })).values, [1050.5]);
    assert.deepEqual((await read(['1 050,5'], { numbers: '1 234,5' })).values, [1050.5]);
    assert.deepEqual((await read(['12,34,567.5'], { numbers: '1,234.5' })).values, [1234567.5]);
  });

  it('takes three decimals throughout for decimals where commas or tabs separate the cells', async () => {
    for (const delimiter of [',', '\t']) {
      const { values, notes } = await read(['100.000', '99.125', '103.272'], { delimiter });
      assert.deepEqual(values, [100, 99.125, 103.272]);
      assert.match(notes, /"100\.000" is read as 100, the dot as the decimal sign, in 3 of 3 cells/);
    }
  });

  it("lets another column of the file decide, and the format of a run's own data", async () => {
    const path = join(folder, 'b.csv');
    writeFileSync(path, 'x;y\n2,5;1.050\n3,5;1.121\n');
    const { values } = await readCsv(path, 'b.csv', ['y']);
    assert.deepEqual([...values.get('y')!], [1050, 1121]);
    writeFileSync(path, 'x;y\n2.5;1.050\n3.5;1.121\n');
    assert.deepEqual([...(await readCsv(path, 'b.csv', ['y'])).values.get('y')!], [1.05, 1.121]);
    assert.deepEqual((await read(['1.050', '1.121'], { formats: { y: '1.234,5' } })).values, [1050, 1121]);
    assert.deepEqual((await read(['1.050', '1.5'], { formats: { y: '1.234,5' } })).values, [1.05, 1.5]);
  });

  it('counts cells that are no number as missing up to the share that is set', async () => {
    const cells = [...Array.from({ length: 19 }, (_, row) => String(row)), 'about 3'];
    await assert.rejects(read(cells, { unreadable: 0.04 }), /let "unreadable" be at least 0\.05 to count/);
    const { values, missing } = await read(cells, { unreadable: 0.05 });
    assert.ok(Number.isNaN(values[19]));
    assert.equal(missing, 0);
  });

  it('reads back every number that it is given, in every format', async () => {
    const numbers = [0, 1, -7, 12.5, 999.25, 1000, 1050, -1050.5, 12345.125, 1234567, 98765432.75];
    const write: Record<string, (value: number) => string> = {
      '1234.5': value => String(value),
      '1234,5': value => String(value).replace('.', ','),
      '1,234.5': value => value.toLocaleString('en-US', { maximumFractionDigits: 9 }),
      '1.234,5': value => value.toLocaleString('de-DE', { maximumFractionDigits: 9 }),
      '1 234,5': value => value.toLocaleString('fr-FR', { maximumFractionDigits: 9 }),
      "1'234.5": value => value.toLocaleString('en-US', { maximumFractionDigits: 9 }).replaceAll(',', '’'),
    };
    for (const [format, toText] of Object.entries(write)) {
      const cells = numbers.map(toText);
      assert.deepEqual((await read(cells)).values, numbers, `${format} decided: ${cells}`);
      assert.deepEqual((await read(cells, { numbers: format as never })).values, numbers, `${format} set`);
    }
  });
});
