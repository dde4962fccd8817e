// The table of a comparison: against numbers worked out by hand and by counting.
import assert from 'node:assert/strict';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import {
  bestRow,
  type ComparedRun,
  csv,
  differenceTo,
  effectsOf,
  markdown,
  rowsOf,
  signFlip,
  spreadOf,
} from '../../../src/runs/comparison.ts';
import {
  comparisonNumbers,
  comparisonTable,
  differenceText,
  statesText,
} from '../../../src/runs/comparison-text.ts';
import { distinctions, factorsOf, onlyDifferences, seedlessKey } from '../../../src/runs/differences.ts';

const run = (label: string, key: string, seed: number, final: number | null): ComparedRun => ({
  id: `${key}-${seed}`,
  label,
  key,
  seed,
  unit: null,
  seen: 'tokens',
  state: 'finished',
  final,
  best: final,
  bestStep: 10 * seed,
  test: null,
  metric: null,
  metricOf: null,
  parameters: 100,
  secondsPerStep: 0.01,
  tokensPerSecond: null,
  memoryBytes: null,
  reach: 5,
});
const experiment = (layer: string, more = '') =>
  parseExperiment(`{"data":{"task":"adding"},"model":{"layers":[${layer},{"type":"dense"}]}${more}}`)
    .experiment!;

describe('the table of a comparison', () => {
  const runs = [
    run('RNN · seed 1', 'rnn', 1, 1),
    run('RNN · seed 2', 'rnn', 2, 2),
    run('RNN · seed 3', 'rnn', 3, 6),
    run('LSTM · seed 1', 'lstm', 1, 0.5),
    run('LSTM · seed 2', 'lstm', 2, 1),
    run('LSTM · seed 3', 'lstm', 3, null),
  ];

  it('has one row for the seeds of a model, with mean and sample deviation', () => {
    const [rnn, lstm] = rowsOf(runs);
    assert.deepEqual([rnn!.label, rnn!.runs.length, lstm!.label], ['RNN', 3, 'LSTM']);
    // deviations −2, −1, 3: (4 + 1 + 9) / 2 = 7
    assert.deepEqual(rnn!.figures.final, { mean: 3, sd: Math.sqrt(7), n: 3 });
    assert.deepEqual(lstm!.figures.final, { mean: 0.75, sd: Math.sqrt(0.125), n: 2 });
    assert.equal(rnn!.figures.tokensPerSecond, null);
    assert.deepEqual(spreadOf([4]), { mean: 4, sd: null, n: 1 });
    assert.equal(rowsOf([run('a', 'x', 1, 1), run('a', 'x', 1, 1)]).length, 2, 'the same seed twice');
    assert.equal(rowsOf([run('seed 1', 'x', 1, 1), run('seed 2', 'x', 2, 1)])[0]!.label, '2 seeds');
  });

  it('has as its best row the one whose mean is least, wherever it stands', () => {
    const of = (...bests: (number | null)[]) =>
      bestRow(rowsOf(bests.map((best, i) => run(`row ${i}`, String(i), 1, best))))?.label ?? null;
    assert.equal(of(2, 1, 3), 'row 1');
    assert.equal(of(1, 2, 3), 'row 0');
    assert.equal(of(3, null, 2), 'row 2');
    assert.equal(of(4), 'row 0');
    assert.equal(of(null), null);
    const units = ['nats', 'bits'].map((unit, i) => ({ ...run(unit, unit, 1, i), unit }));
    assert.equal(bestRow(rowsOf(units)), null, 'losses of two units are not compared');
  });

  it('has every figure as a number, with its deviation beside it', () => {
    const { head, rows } = comparisonNumbers(rowsOf(runs));
    const [rnn, lstm] = rows.map(row => Object.fromEntries(head.map((name, i) => [name, row[i]])));
    assert.deepEqual(
      ['run', 'seeds', 'final', 'finalSd', 'best', 'bestSd', 'test', 'testSd', 'parameters', 'reach'].map(
        name => rnn![name],
      ),
      ['RNN', 3, 3, Math.sqrt(7), 3, Math.sqrt(7), null, null, 100, 5],
    );
    assert.deepEqual([lstm!['run'], lstm!['final'], lstm!['finalSd']], ['LSTM', 0.75, Math.sqrt(0.125)]);
  });

  it('compares with a baseline seed by seed', () => {
    const [rnn, lstm] = rowsOf(runs);
    // −0.5 and −1: of four sign patterns, two are as far from zero
    assert.deepEqual(differenceTo(rnn!, lstm!, 'final'), { mean: -0.75, pairs: 2, p: 0.5 });
    const alone = rowsOf([run('a', 'a', 1, 1), run('b', 'b', 2, 4)]);
    assert.deepEqual(differenceTo(alone[0]!, alone[1]!, 'final'), { mean: 3, pairs: 0, p: null });
    assert.equal(differenceTo(rnn!, lstm!, 'memoryBytes'), null);
  });

  it('tests over all signs of the differences', () => {
    assert.equal(signFlip([1, 1, 1, 1, 1, 1]), 2 / 64);
    assert.equal(signFlip([1, -1]), 1);
    // |±1 ±2 ±3| ≥ 4: 1+2+3 = 6, −1+2+3 = 4, and their opposites
    assert.equal(signFlip([-1, 2, 3]), 4 / 8);
    assert.equal(signFlip([0.1, 0.2, 0.3]), 2 / 8);
  });

  it('gives each factor of a grid its own effect', () => {
    const effects = effectsOf(
      ['cell', 'units'],
      [
        { levels: ['RNN', '8'], value: 4 },
        { levels: ['RNN', '16'], value: 2 },
        { levels: ['LSTM', '8'], value: 3 },
        { levels: ['LSTM', '16'], value: 1 },
      ],
    );
    assert.deepEqual(
      effects.map(({ factor, levels }) => [factor, ...levels.map(({ value, effect }) => [value, effect])]),
      [
        ['cell', ['RNN', 0.5], ['LSTM', -0.5]],
        ['units', ['8', 1], ['16', -1]],
      ],
    );
    assert.deepEqual(effectsOf(['cell'], [{ levels: ['RNN'], value: 4 }]), []);
  });

  it('has a column of seeds and one of differences only where they say something', () => {
    const headOf = (rows: ReturnType<typeof rowsOf>, baseline = rows[0]!) =>
      comparisonTable(rows, baseline).head;
    const columns = ['state', 'val loss', 'best', 'at step', 'parameters', 'reach', 'ms/step'];
    const [one, other] = [run('RNN', 'rnn', 1, 1), run('LSTM', 'lstm', 1, 0.25)];
    assert.deepEqual(headOf(rowsOf([one])), ['run', ...columns]);
    assert.deepEqual(headOf(rowsOf([one, other])), ['run', ...columns, 'best against RNN']);
    assert.deepEqual(comparisonTable(rowsOf([one, other]), null).head, ['run', ...columns]);
    assert.deepEqual(headOf(rowsOf(runs)), ['run', 'seeds', ...columns, 'best against RNN']);

    const pair = rowsOf([one, other]);
    const { rows } = comparisonTable(pair, pair[0]!);
    assert.deepEqual(
      rows.map(cells => cells.at(-1)),
      ['', '−0.75'],
    );
    assert.deepEqual(
      comparisonTable(rowsOf(runs), rowsOf(runs)[0]!).rows.map(cells => cells[1]),
      ['3', '3'],
    );
  });

  it('tells the state that all runs have, or how many have which', () => {
    assert.equal(statesText([]), '');
    assert.equal(statesText(['finished', 'finished']), 'finished');
    assert.equal(statesText(['finished', 'failed', 'finished']), '2 finished, 1 failed');
  });

  it('tells a difference with its sign, and its p where there is one', () => {
    assert.equal(differenceText(null), '');
    assert.equal(differenceText({ mean: -0.75, pairs: 3, p: 0.25 }), '−0.75, p 0.25');
    assert.equal(differenceText({ mean: 0.5, pairs: 1, p: null }), '+0.5');
    assert.equal(differenceText({ mean: 0, pairs: 2, p: 1 }), '+0, p 1');
  });

  it('is written as Markdown and as CSV', () => {
    assert.equal(markdown(['run', 'val'], [['a|b', '1']]), '| run | val |\n| --- | --: |\n| a\\|b | 1 |');
    assert.equal(
      csv(
        ['run', 'val'],
        [
          ['a,"b"', 1],
          ['c', null],
        ],
      ),
      'run,val\r\n"a,""b""",1\r\nc,\r\n',
    );
  });
});

describe('what tells experiments apart', () => {
  const small = experiment('{"type":"lstm","units":64}');
  const large = experiment('{"type":"lstm","units":96}', ',"training":{"seed":7}');

  it('is named by the fields in which they differ, seeds aside', () => {
    assert.deepEqual(distinctions([small, large]), ['64 units', '96 units']);
    const slow = experiment(
      '{"type":"lstm","units":64}',
      ',"training":{"optimizer":{"type":"adam","learningRate":0.1}}',
    );
    assert.deepEqual(distinctions([small, slow]), ['lr 0.001', 'lr 0.1']);
    assert.deepEqual(distinctions([small, small]), ['', '']);
  });

  it('names another kind by its name alone', () => {
    const rnn = experiment('{"type":"rnn","units":64}');
    assert.deepEqual(
      factorsOf([small, rnn]).map(({ path }) => path),
      ['model.layers.0.type'],
    );
    assert.deepEqual(distinctions([small, rnn]), ['LSTM', 'RNN']);
  });

  it('is shown field by field, the seed too', () => {
    const a = experiment('{"type":"gru","units":8}');
    const b = experiment('{"type":"gru","units":9}', ',"training":{"seed":7}');
    assert.deepEqual(onlyDifferences(a, b), [
      { 'model.layers.0.units': 8, 'training.seed': a.training.seed },
      { 'model.layers.0.units': 9, 'training.seed': 7 },
    ]);
    assert.deepEqual(onlyDifferences(a, a), [{}, {}]);
  });

  it('is nothing for runs that differ in their seed', () => {
    const other = { ...small, name: 'x', training: { ...small.training, seed: 9 } };
    assert.equal(seedlessKey(small), seedlessKey(other));
    assert.notEqual(seedlessKey(small), seedlessKey(large));
  });
});
