import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDate, showDate } from '../../../../src/trainer/data/dates.ts';
import { readTable } from '../../../../src/trainer/data/table.ts';

const DAY = 86_400_000;

describe('dates', () => {
  const cells: [string, string][] = [
    ['2024-03-04', '2024-03-04'],
    ['2024/3/4', '2024-03-04'],
    ['2024.03.04', '2024-03-04'],
    ['2024-03', '2024-03-01'],
    ['2024-03-04T05:06', '2024-03-04 05:06'],
    ['2024-03-04 05:06:07.5', '2024-03-04 05:06:07.500'],
    ['2024-03-04T00:30:00+01:00', '2024-03-03 23:30'],
    ['2024-03-04T05:06:07Z', '2024-03-04 05:06:07'],
    ['04.03.2024', '2024-03-04'],
    ['4.3.24', '2024-03-04'],
    ['04.03.2024 05:06', '2024-03-04 05:06'],
    ['25/12/2024', '2024-12-25'],
    ['12/25/2024 5:06 PM', '2024-12-25 17:06'],
    ['12/25/2024 12:06 am', '2024-12-25 00:06'],
    ['20240304', '2024-03-04'],
    ['4 March 2024', '2024-03-04'],
    ['04-Mar-24', '2024-03-04'],
    ['March 4, 2024', '2024-03-04'],
    ['Mar 2024', '2024-03-01'],
    ['1. Mai 2024', '2024-05-01'],
    ['2024Q3', '2024-07-01'],
    ['Q3 2024', '2024-07-01'],
    ['2024-W01', '2024-01-01'],
    ['2020-W53-7', '2021-01-03'],
    ['01.01.71', '1971-01-01'],
    ['Mon, 04 Mar 2024 05:06:07 GMT', '2024-03-04 05:06:07'],
    ['Mon Mar 04 2024 00:30:00 GMT+0100 (CET)', '2024-03-03 23:30'],
    ['Montag, 4. März 2024', '2024-03-04'],
    ['2024-10-27 02:30 CEST', '2024-10-27 00:30'],
    ['2024-10-27 02:30 CET', '2024-10-27 01:30'],
    ['2024-10-27T02:30+01:00[Europe/Berlin]', '2024-10-27 01:30'],
    ['3/4/2024 5:06 p.m.', '2024-04-03 17:06'],
    ['04.03.2024 05:06 Uhr', '2024-03-04 05:06'],
    ['2024030405', '2024-03-04 05:00'],
    ['2024M03', '2024-03-01'],
  ];
  for (const [text, shown] of cells)
    it(`reads ${text}`, () => {
      const date = readDate(text)!;
      assert.equal(showDate(Number.isNaN(date.dayFirst) ? date.monthFirst : date.dayFirst), shown);
    });

  it('keeps both readings of 03/04/2024', () => {
    const { dayFirst, monthFirst } = readDate('03/04/2024')!;
    assert.equal(showDate(dayFirst), '2024-04-03');
    assert.equal(showDate(monthFirst), '2024-03-04');
  });

  it('takes no other text for a date', () => {
    for (const text of [
      '',
      '12',
      '1.5',
      '2024',
      '2023-02-29',
      '31.04.2024',
      '13/13/2024',
      'about 2024',
      'Room 12',
      '1704067200',
      '2024-03-04 05:06 XYZT',
      '99999999',
      '10.0.0.1',
      '2024-03-04T25:61',
      '2023-W53',
      '2024-W54',
      '2024-W00',
    ])
      assert.equal(readDate(text), null, text);
  });
});

describe('the column that tells time', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-time-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  async function table(
    times: readonly string[],
    options: { header?: string; order?: 'file' | 'time'; time?: string } = {},
  ) {
    const { header = 'date', order = 'file', time } = options;
    const path = join(folder, 'a.csv');
    writeFileSync(path, `${header};y\n${times.map((cell, row) => `${cell};${row}\n`).join('')}`);
    return readTable(path, 'a.csv', { targets: ['y'], features: ['y'], order, unreadable: 0, time });
  }
  const days = (count: number, from = Date.UTC(2024, 0, 1), step = DAY) =>
    Array.from({ length: count }, (_, row) => new Date(from + row * step).toISOString().slice(0, 16));

  it('says nothing of rows that are in order', async () => {
    for (const [name, times] of Object.entries({
      daily: days(30),
      hourly: days(30, Date.UTC(2024, 1, 28), 3_600_000),
      monthly: Array.from({ length: 30 }, (_, row) => `${2020 + Math.floor(row / 12)}-${(row % 12) + 1}`),
      'ends of months': Array.from({ length: 30 }, (_, row) =>
        new Date(Date.UTC(2020, row + 1, 0)).toISOString().slice(0, 10),
      ),
      quarterly: Array.from({ length: 12 }, (_, row) => `${2020 + (row >> 2)}Q${(row % 4) + 1}`),
      yearly: Array.from({ length: 12 }, (_, row) => `${2000 + row}-01-01`),
      'working days': days(60).filter(day => new Date(day).getUTCDay() % 6 !== 0),
    })) {
      const { warnings, table: read } = await table(times);
      assert.equal(read.time?.column, 'date', name);
      assert.deepEqual(warnings, [], name);
    }
  });

  it('tells dates with the day first beside dates with the month first, and does not sort by them', async () => {
    const times = days(40).map((day, row) => {
      const [year, month, date] = day.slice(0, 10).split('-');
      return row % 2 ? `${date}/${month}/${year}` : `${month}/${date}/${year}`;
    });
    const said =
      'The dates of "date" have the day first in line 15 and the month first in line 14, so that others cannot be told apart: write all as 2024-03-04.';
    assert.deepEqual((await table(times)).warnings, [said]);
    await assert.rejects(table(times, { order: 'time' }), { message: `a.csv: ${said}` });
  });

  it('tells dates that go down, and turns them by choice, rows keeping their numbers', async () => {
    const down = days(10).reverse();
    assert.match(
      (await table(down)).warnings.join(' '),
      /^Dates go down: "date" begins with 2024-01-10 \(line 2\) and ends with 2024-01-01 \(line 11\)\. .*"order" to "time"/,
    );
    const { table: turned, notes, warnings } = await table(down, { order: 'time' });
    assert.deepEqual([...turned.values.get('y')!], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    assert.deepEqual([...turned.numbers], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert.deepEqual(warnings, []);
    assert.match(notes[0]!, /sorted by "date", earliest first/);
  });

  it('tells numbers that go down in a column named for time', async () => {
    const { warnings } = await table(['9', '8', '7', '6', '5', '4', '3'], { header: 'year' });
    assert.match(warnings[0]!, /^Dates go down: "year" begins with 9 \(line 2\)/);
  });

  it('tells rows out of order, with the place', async () => {
    const times = days(20);
    [times[6], times[7]] = [times[7]!, times[6]!];
    assert.match(
      (await table(times)).warnings[0]!,
      /"date" goes back in 1 row, first in line 9: 2024-01-07 after 2024-01-08/,
    );
  });

  it('tells dates that stand twice', async () => {
    const times = days(20);
    times[5] = times[4]!;
    const { warnings } = await table(times);
    assert.match(warnings.join(' '), /1 row repeats a date of "date", first 2024-01-05 in lines 6 and 7/);
  });

  it('tells gaps, in the interval that the dates have', async () => {
    const gap = days(30);
    gap.splice(10, 3);
    assert.match(
      (await table(gap)).warnings.join(' '),
      /"date" has 1 gap in its interval of 1 day: 4 days before 2024-01-14 \(line 12\)\./,
    );
    const months = Array.from({ length: 30 }, (_, row) => `${2020 + Math.floor(row / 12)}-${(row % 12) + 1}`);
    months.splice(14, 1);
    assert.match(
      (await table(months)).warnings.join(' '),
      /1 gap in its interval of 1 month: 2 months before 2021-04-01 \(line 16\)/,
    );
    const work = days(60).filter(day => new Date(day).getUTCDay() % 6 !== 0);
    work.splice(11, 1);
    assert.match(
      (await table(work)).warnings.join(' '),
      /interval of 1 working day: 2 working days before 2024-01-17/,
    );
    const numbers = Array.from({ length: 20 }, (_, row) => String(row < 9 ? row : row + 5));
    assert.match(
      (await table(numbers, { header: 't' })).warnings.join(' '),
      /"t" has 1 gap in its interval of 1: 6 before 14 \(line 11\)/,
    );
  });

  it('reads parts of seconds: no row of a fast sensor repeats another', async () => {
    const fast = (row: number) => new Date(Date.UTC(2024, 0, 1) + 250 * row).toISOString();
    assert.deepEqual((await table(Array.from({ length: 20 }, (_, row) => fast(row)))).warnings, []);
    assert.match(
      (await table(Array.from({ length: 20 }, (_, row) => fast(row < 9 ? row : row + 2)))).warnings.join(' '),
      /1 gap in its interval of 250 ms: 750 ms before 2024-01-01 00:00:02\.750 \(line 11\)/,
    );
  });

  it('rounds steps of decimal times, and tells their gaps', async () => {
    const tenths = (row: number) => String(row * 0.1);
    assert.deepEqual(
      (
        await table(
          Array.from({ length: 40 }, (_, row) => tenths(row)),
          { header: 't' },
        )
      ).warnings,
      [],
    );
    assert.match(
      (
        await table(
          Array.from({ length: 40 }, (_, row) => tenths(row < 20 ? row : row + 5)),
          { header: 't' },
        )
      ).warnings.join(' '),
      /"t" has 1 gap in its interval of 0\.1: 0\.6 before 2\.5 \(line 22\)/,
    );
  });

  describe('daylight saving time', () => {
    const local = (start: number, zone: (offset: number) => string) =>
      Array.from({ length: 48 }, (_, row) => {
        const time = new Date(start + row * 3_600_000);
        const text = time.toLocaleString('sv-SE', { timeZone: 'Europe/Berlin' });
        return text + zone((Date.parse(`${text.replace(' ', 'T')}Z`) - time.getTime()) / 3_600_000);
      });
    const [spring, autumn] = [Date.UTC(2024, 2, 30, 12), Date.UTC(2024, 9, 26, 12)];
    it('without a zone: the hour that is missing or stands twice is told', async () => {
      assert.match(
        (await table(local(spring, () => ''))).warnings.join(' '),
        /1 gap in its interval of 1 hour: 2 hours before 2024-03-31 03:00/,
      );
      assert.match(
        (await table(local(autumn, () => ''))).warnings.join(' '),
        /1 row repeats a date of "date", first 2024-10-27 02:00 in lines 14 and 15/,
      );
    });
    for (const [name, zone] of Object.entries({
      'by its offset': (offset: number) => `+0${offset}:00`,
      'by its name': (offset: number) => (offset === 2 ? ' CEST' : ' CET'),
      'by both': (offset: number) => `+0${offset}00 [Europe/Berlin]`,
    }))
      it(`with a zone ${name}: no hour is missing or twice`, async () => {
        for (const start of [spring, autumn])
          assert.deepEqual((await table(local(start, zone))).warnings, []);
      });
  });

  it('puts dates together of columns for day and time, or year, month and day', async () => {
    const path = join(folder, 'parts.csv');
    const facts = { targets: ['y'], features: [], order: 'file', unreadable: 0 } as const;
    const hours = Array.from(
      { length: 40 },
      (_, row) => `2024-01-0${1 + Math.floor(row / 24)},${row % 24}:30,${row}`,
    );
    writeFileSync(path, `day,clock,y\n${hours.join('\n')}\n`);
    const clock = await readTable(path, 'parts.csv', facts);
    assert.equal(clock.table.time?.column, 'day clock');
    assert.equal(clock.table.time?.times.get(25), Date.UTC(2024, 0, 2, 1, 30));
    assert.deepEqual(clock.warnings, []);
    const dates = Array.from(
      { length: 60 },
      (_, row) => new Date(Date.UTC(2024, 0, row < 40 ? row + 1 : row + 2)),
    );
    writeFileSync(
      path,
      `year,month,day,y\n${dates.map((date, row) => [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), row].join()).join('\n')}\n`,
    );
    assert.deepEqual((await readTable(path, 'parts.csv', facts)).warnings, [
      '"year month day" has 1 gap in its interval of 1 day: 2 days before 2024-02-11 (line 42).',
    ]);
    // a date that is the same in every row does not tell time
    writeFileSync(
      path,
      `made,day,y\n${days(20)
        .map((day, row) => `2024-06-01,${day},${row}`)
        .join('\n')}\n`,
    );
    assert.equal((await readTable(path, 'parts.csv', facts)).table.time?.column, 'day');
  });

  it('tells where the interval changes', async () => {
    const times = [...days(20, Date.UTC(2024, 0, 1), 3_600_000), ...days(20, Date.UTC(2024, 0, 2))];
    assert.match(
      (await table(times)).warnings.join(' '),
      /The interval of "date" changes: 1 hour up to 2024-01-0\d.* \(line 2\d\), 1 day from there/,
    );
  });

  it('decides day and month from the whole column', async () => {
    const slashes = (dayFirst: boolean, from: number) =>
      days(20, from).map(day => {
        const [year, month, date] = day.slice(0, 10).split('-');
        return dayFirst ? `${date}/${month}/${year}` : `${month}/${date}/${year}`;
      });
    for (const dayFirst of [true, false]) {
      const { warnings, table: read } = await table(slashes(dayFirst, Date.UTC(2024, 2, 1)));
      assert.deepEqual(warnings, []);
      assert.equal(showDate(read.time!.times.get(1)), '2024-03-02');
    }
    // days up to 12 only: rising order decides
    const { table: few } = await table(['01/05/2024', '01/12/2024', '02/02/2024', '02/09/2024']);
    assert.equal(showDate(few.time!.times.get(2)), '2024-02-02');
    assert.equal(showDate(few.time!.times.get(3)), '2024-02-09');
    const twin = ['01/01/2024', '02/02/2024', '03/03/2024', '03/04/2024'];
    assert.match(
      (await table(twin)).warnings.join(' '),
      /can have the day or the month first; the day is taken/,
    );
    await assert.rejects(table(twin, { order: 'time' }), /the day or the month first/);
  });

  it('takes the column that is named, and refuses one without dates', async () => {
    const path = join(folder, 'b.csv');
    writeFileSync(path, 'a;b;y\n2024-01-01;2024-03-03;1\n2024-01-02;2024-03-02;2\n2024-01-03;2024-03-01;3\n');
    const facts = { targets: ['y'], features: ['y'], order: 'time' as const, unreadable: 0 };
    assert.deepEqual(
      [...(await readTable(path, 'b.csv', { ...facts, time: 'b' })).table.values.get('y')!],
      [3, 2, 1],
    );
    await assert.rejects(table(['x', 'y', 'z'], { time: 'date' }), /"date" of a\.csv holds no dates/);
    await assert.rejects(table(['x', 'y', 'z'], { order: 'time' }), /a\.csv has no column of dates/);
    await assert.rejects(
      table(['2024-01-01', '', '2024-01-03'], { order: 'time' }),
      /line 3: "date" has no date here/,
    );
    await assert.rejects(table(['1', '2'], { time: 'when' }), /has no column "when"/);
  });
});
