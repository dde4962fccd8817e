// Real files at the shell: how their numbers and dates are read, and what is refused, each with its place.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsonLines, unroll } from './unroll.ts';

describe('unroll: data files', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-files-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const wave = (row: number) => 1000 + 300 * Math.sin(row / 9);
  /** v.csv beside e.rnn.json, which forecasts its column v */
  function write(csv: string, data: object = {}, training: object = { steps: 3 }): void {
    writeFileSync(join(folder, 'v.csv'), csv);
    writeFileSync(
      join(folder, 'e.rnn.json'),
      JSON.stringify({
        data: { task: 'forecast', path: 'v.csv', target: 'v', window: 8, ...data },
        model: { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
        training,
      }),
    );
  }
  const run = (...args: string[]) => unroll(args, { cwd: folder });
  const rows = (count: number, cells: (row: number) => string) =>
    Array.from({ length: count }, (_, row) => `${cells(row)}\n`).join('');
  const german = (row: number) => Math.round(wave(row)).toLocaleString('de-DE');
  const american = (row: number) => `"${Math.round(wave(row)).toLocaleString('en-US')}"`;

  for (const [name, csv] of [
    ['German', `t;v\n${rows(60, row => `${row};${german(row)}`)}`],
    ['American', `t,v\n${rows(60, row => `${row},${american(row)}`)}`],
  ] as const)
    it(`reads ${name} thousands as thousands, says so, and predicts in thousands`, () => {
      write(csv, {}, { steps: 40, optimizer: { type: 'adam', learningRate: 0.01 } });
      const check = run('check', 'e.rnn.json');
      assert.equal(check.code, 0, check.stderr);
      const thousand = name === 'German' ? '1.000' : '1,000';
      assert.ok(
        check.stdout
          .replace(/\s+/g, ' ')
          .includes(
            `Column "v": "${thousand}" is read as 1000, the ${name === 'German' ? 'dot' : 'comma'} as a thousands separator, in `,
          ),
        check.stdout,
      );
      const train = run('train', 'e.rnn.json', '--out', name, '--json');
      assert.equal(train.code, 0, train.stderr);
      assert.match(train.stderr, /is read as 1000/);
      const folder = jsonLines(train.stdout).at(-1)!['run'] as string;
      const predict = run('predict', folder, 'v.csv', '--json');
      const [{ rows: found, next }] = jsonLines(predict.stdout) as never as [
        { rows: { truth: number }[]; next: { row: number; prediction: number }[] },
      ];
      assert.deepEqual(
        found.map(({ truth }) => truth),
        Array.from({ length: 52 }, (_, row) => Math.round(wave(row + 8))),
      );
      assert.equal(next[0]!.row, 61);
      assert.ok(next[0]!.prediction > 600 && next[0]!.prediction < 1400, String(next[0]!.prediction));
    });

  const refusals: [name: string, csv: string, data: object, message: RegExp][] = [
    [
      'a number that is not finite',
      `t,v\n${rows(60, row => `${row},${row === 45 ? '1e999' : wave(row)}`)}`,
      {},
      /v\.csv, line 47: "1e999" in column "v" is no finite number/,
    ],
    [
      'a cell that is no number',
      `t,v\n${rows(60, row => `${row},${row === 30 ? 'n.v.' : wave(row)}`)}`,
      {},
      /v\.csv, line 32: "n\.v\." in column "v" is no number/,
    ],
    [
      'two number formats',
      `t;v\n${rows(60, row => `${row};${row % 2 ? '1,5' : '2.5'}`)}`,
      {},
      /v\.csv, line 2: "2\.5" .* decimal point, but "1,5" in line 3/,
    ],
    [
      'two readings',
      `t;v\n${rows(60, row => `${row};1.${100 + row}`)}`,
      {},
      /v\.csv, line 2: "1\.100" .* can be read as 1\.1 or as 1100/,
    ],
    [
      'dates that cannot be sorted',
      `k,v\n${rows(60, row => `x${row},${wave(row)}`)}`,
      { order: 'time' },
      /v\.csv has no column of dates/,
    ],
    [
      'two columns of one name',
      `v,v\n${rows(60, row => `${row},${wave(row)}`)}`,
      {},
      /two columns named "v", the 1st and the 2nd/,
    ],
    ['a format that is none', 't,v\n1,2\n', { numbers: '1.234' }, /`numbers` must be one of/],
  ];
  for (const [name, csv, data, message] of refusals)
    it(`refuses ${name}, in check and in train`, () => {
      write(csv, data);
      for (const command of [['check'], ['train', '--out', 'refused']]) {
        const { code, stderr, stdout } = run(command[0]!, 'e.rnn.json', ...command.slice(1));
        assert.equal(code, 2, stdout);
        assert.match(stderr.replace(/\s+/g, ' ') + stdout.replace(/\s+/g, ' '), message);
      }
    });

  const day = (row: number) => new Date(Date.UTC(2024, 0, 1 + row)).toISOString().slice(0, 10);
  const warnings: [name: string, csv: string, message: RegExp][] = [
    [
      'dates that go down',
      `date,v\n${rows(60, row => `${day(59 - row)},${wave(row)}`)}`,
      /Dates go down: "date" begins with 2024-02-29 \(line 2\) and ends with 2024-01-01 \(line 61\)/,
    ],
    [
      'a gap',
      `date,v\n${rows(60, row => `${day(row < 30 ? row : row + 5)},${wave(row)}`)}`,
      /1 gap in its interval of 1 day: 6 days before 2024-02-05 \(line 32\)/,
    ],
    [
      'a date that stands twice',
      `date,v\n${rows(60, row => `${day(row === 20 ? 19 : row)},${wave(row)}`)}`,
      /1 row repeats a date of "date", first 2024-01-20 in lines 21 and 22/,
    ],
    [
      'rows out of order',
      `date,v\n${rows(60, row => `${day(row === 20 ? 40 : row)},${wave(row)}`)}`,
      /"date" goes back in 1 row, first in line 23/,
    ],
  ];
  for (const [name, csv, message] of warnings)
    it(`tells ${name}, in check and before training`, () => {
      write(csv);
      const check = run('check', 'e.rnn.json');
      assert.equal(check.code, 0);
      assert.match(check.stderr.replace(/\s+/g, ' '), /e\.rnn\.json:1:\d+: warning: /);
      assert.match(check.stderr.replace(/\s+/g, ' '), message);
      assert.match(check.stdout, /no errors, \d warnings?$/m);
      const train = run('train', 'e.rnn.json', '--out', 'told');
      assert.equal(train.code, 0, train.stderr);
      assert.match(train.stderr.replace(/\s+/g, ' '), message);
    });

  it('turns rows that go down when asked to', () => {
    write(`date,v\n${rows(60, row => `${day(59 - row)},${wave(row)}`)}`, { order: 'time' });
    const check = run('check', 'e.rnn.json');
    assert.equal(check.stderr, '');
    assert.match(check.stdout, /no faults[\s\S]*sorted by "date", earliest first/);
  });

  it('keeps the numbers of rows when others are left out', () => {
    write(`t,v\n${rows(60, row => `${row},${[3, 17, 40].includes(row) ? '' : wave(row)}`)}`, {
      missing: 'drop',
    });
    const train = run('train', 'e.rnn.json', '--out', 'dropped', '--json');
    const predict = run('predict', jsonLines(train.stdout).at(-1)!['run'] as string, 'v.csv');
    const numbers = predict.stdout
      .trim()
      .split('\n')
      .slice(1)
      .map(line => Number(line.split(',')[0]));
    const kept = Array.from({ length: 60 }, (_, row) => row + 1).filter(row => ![4, 18, 41].includes(row));
    assert.deepEqual(numbers, [...kept.slice(8), 61]);
  });
});
