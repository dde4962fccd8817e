// Forecasts of several columns and rows at the shell: noise stays noise whatever is chosen, what is known in advance helps,
// and predict and evaluate agree.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream } from '../../../src/trainer/random.ts';
import { jsonLines, unroll } from './unroll.ts';

const ROWS = 600;
const TO_COME = 4;

describe('forecasts of several columns and rows at the shell', () => {
  let folder: string;
  const random = randomStream(1, 'test', 0);
  const draw = () => Array.from({ length: ROWS + TO_COME }, () => random.normal());
  const [a, b, k, noise] = [draw(), draw(), draw(), draw()];
  // follows what is known of its own row at once: nothing before tells it
  const y = k.map((value, row) => 2 * value + 0.1 * noise[row]!);
  const table = (rows: number) => {
    const lines = Array.from({ length: rows }, (_, row) => {
      const day = new Date(Date.UTC(2024, 0, 1 + row)).toISOString().slice(0, 10);
      const isThere = row < ROWS;
      return [day, isThere ? a[row] : '', isThere ? b[row] : '', isThere ? y[row] : '', k[row]].join(',');
    });
    return `day,a,b,y,k\n${lines.join('\n')}\n`;
  };
  const run = (...args: string[]) => unroll(args, { cwd: folder });
  const train = (name: string, data: object) => {
    const experiment = {
      data: { task: 'forecast', path: 'a.csv', window: 6, ...data },
      model: { layers: [{ type: 'gru', units: 8 }, { type: 'dense' }] },
      training: { steps: 250, optimizer: { type: 'adam', learningRate: 0.01 } },
    };
    writeFileSync(join(folder, `${name}.rnn.json`), JSON.stringify(experiment));
    const made = run('train', `${name}.rnn.json`, '--json');
    assert.equal(made.code, 0, made.stderr);
    return jsonLines(made.stdout).at(-1) as unknown as { run: string; metrics: Record<string, number> };
  };
  /** RMSE of always saying the mean of the training part, in its deviations, over the test part. */
  const floorOf = (values: readonly number[]) => {
    const trained = values.slice(0, 0.7 * ROWS);
    const mean = trained.reduce((sum, value) => sum + value, 0) / trained.length;
    const square = (list: readonly number[]) =>
      list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length;
    return Math.sqrt(square(values.slice(0.8 * ROWS, ROWS)) / square(trained));
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-forecasts-'));
    writeFileSync(join(folder, 'a.csv'), table(ROWS));
    writeFileSync(join(folder, 'more.csv'), table(ROWS + TO_COME));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const strategy of ['direct', 'recursive'] as const)
    it(`${strategy}: no option beats noise, and predict and evaluate say the same`, () => {
      const horizon = 3;
      const data = {
        target: ['a', 'b'],
        known: ['k'],
        calendar: ['weekday'],
        missing: 'mask',
        horizon,
        strategy,
      };
      const { run: made, metrics } = train(strategy, data);
      const floor = Math.sqrt((floorOf(a) ** 2 + floorOf(b) ** 2) / 2);
      for (const figure of ['testRmse', 'testRmseStep1', 'testRmseStep3'])
        assert.ok(metrics[figure]! > 0.93 * floor, `${figure} ${metrics[figure]} beats ${floor}`);
      const { scaling } = JSON.parse(readFileSync(join(made, 'task.json'), 'utf8'));
      const [said] = jsonLines(run('predict', made, 'more.csv', '--json').stdout) as never as [
        { 'rmse.a': number; 'rmse.b': number; rows: unknown[]; next: { row: number; target: string }[] },
      ];
      const [scored] = jsonLines(run('evaluate', made, '--data', 'more.csv', '--json').stdout) as never as [
        { figures: Record<string, number>; origins: { row: number; rmse: number }[] },
      ];
      const together = Math.sqrt(
        ((said['rmse.a'] / scaling.a.std) ** 2 + (said['rmse.b'] / scaling.b.std) ** 2) / 2,
      );
      assert.ok(Math.abs(scored.figures['rmseStep3']! / together - 1) < 1e-4, JSON.stringify(scored.figures));
      assert.deepEqual(
        said.next.map(({ row, target }) => `${target}${row}`),
        ['a', 'b'].flatMap(name => [1, 2, 3].map(step => name + (ROWS + step))),
      );
      assert.equal(said.rows.length, 2 * (ROWS - 6 - horizon + 1));
      assert.equal(scored.origins.length, ROWS - 6 - horizon + 1);
      assert.equal(scored.origins[0]!.row, 6);
      const told = run('evaluate', made);
      assert.match(told.stdout, /RMSE by origin +\d+ origins: least \S+ from row \d+, median \S+, most/);
      // without what is known of the rows to come nothing is said of them
      const short = run('predict', made, 'a.csv', '--next');
      assert.equal(short.stdout.trim(), 'row,target,truth,prediction,persistence');
      assert.match(short.stderr, /give "k" of the next 3 rows behind it, found of 0/);
    });

  it('what is known in advance is used, by either strategy', () => {
    const data = { target: 'y', horizon: 2 };
    const without = train('without', data).metrics;
    assert.ok(without['testRmse']! > 0.93 * 2, `${without['testRmse']}`);
    for (const strategy of ['direct', 'recursive']) {
      const { metrics, run: made } = train(`known-${strategy}`, { ...data, known: ['k'], strategy });
      assert.ok(metrics['testRmse']! < 0.6, `${strategy} ${metrics['testRmse']}`);
      const rows = run('predict', made, 'more.csv', '--next').stdout.trim().split('\n').slice(1);
      assert.equal(rows.length, 2);
      rows.forEach((line, step) => {
        const [row, , prediction] = line.split(',');
        assert.equal(Number(row), ROWS + 1 + step);
        assert.ok(Math.abs(Number(prediction) - 2 * k[ROWS + step]!) < 1.5, `${strategy} ${line}`);
      });
    }
  });

  it('a recursive model with a calendar goes on with the dates that follow', () => {
    const { run: made } = train('calendar', {
      target: 'y',
      calendar: ['weekday'],
      horizon: 3,
      strategy: 'recursive',
    });
    const next = (file: string) => run('predict', made, file, '--next').stdout;
    assert.equal(next('a.csv').trim().split('\n').length, 4);
    assert.equal(next('a.csv'), next('more.csv'), 'the dates in the file are those that follow');
  });

  it('sample writes what follows the own data, of each column in its unit, with its quantiles', () => {
    const data = { target: ['a', 'y'], quantiles: [0.2, 0.8], horizon: 2 };
    const { run: made } = train('own', data);
    const [sampled] = jsonLines(run('sample', made, '--json').stdout) as never as [{ next: object[] }];
    const [said] = jsonLines(run('predict', made, 'a.csv', '--next', '--json').stdout) as never as [
      { next: Record<string, number>[] },
    ];
    assert.deepEqual(sampled.next, said.next);
    const [head, ...lines] = run('sample', made).stdout.trim().split('\n');
    assert.equal(head, 'row,target,prediction,q0.2,q0.8');
    assert.deepEqual(
      lines.map(line => line.split(',').slice(0, 2).join()),
      ['601,a', '602,a', '601,y', '602,y'],
    );
    for (const row of said.next) assert.ok(row['q0.2']! < row['q0.8']!, JSON.stringify(row));
    // y is spread twice as wide as a
    const width = (row: Record<string, number>) => row['q0.8']! - row['q0.2']!;
    const ratio = width(said.next[2]!) / width(said.next[0]!);
    assert.ok(ratio > 1.4 && ratio < 2.8, `${ratio}`);
    const refused = run('sample', made, '--temperature', '1');
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /^--temperature is of language models; a forecast has the rows of its horizon/m,
    );
  });

  // that it says what predict says is test/golden/forecast_export.py's to check, with PyTorch
  it('are exported with code that predicts, which takes the dates of its rows for a calendar', () => {
    const plain = { target: ['a', 'b'], known: ['k'], horizon: 3, quantiles: [0.1, 0.5, 0.9] };
    const dated = { target: 'a', calendar: ['weekday'] };
    for (const [name, data] of [
      ['coded', plain],
      ['dated', dated],
    ] as const) {
      const { run: made } = train(name, data);
      const exported = run('export', made, '--format', 'pytorch', '--out', name);
      assert.equal(exported.code, 0, exported.stderr);
      const code = readFileSync(join(folder, name, 'model.py'), 'utf8');
      assert.match(code, /def predict\(model, columns, dates=\(\)\):/);
      const { calendar } = JSON.parse(readFileSync(join(folder, name, 'task.json'), 'utf8'));
      assert.deepEqual(calendar, name === 'dated' ? dated.calendar : []);
    }
  });
});
