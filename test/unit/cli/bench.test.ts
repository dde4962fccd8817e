// unroll bench as a process: figures of the real trainer, orders on stdin, and what cannot be measured.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsonLines, unroll } from './unroll.ts';

const small = ['bench', '--engine', 'reference', '--shape', '3,5,7,4,6'];

describe('unroll bench', () => {
  let temporary: string;
  beforeEach(() => {
    temporary = mkdtempSync(join(tmpdir(), 'unroll-bench-test-'));
  });
  afterEach(() => rmSync(temporary, { recursive: true, force: true }));

  const measured = (...more: string[]) => unroll([...small, ...more], { env: { TMPDIR: temporary } });

  for (const cell of ['lstm', 'gru', 'rnn', 'bidirectional-lstm', 'tcn'])
    it(`measures ${cell} through a run that it leaves no trace of`, () => {
      const { code, stdout, stderr } = measured('--cell', cell, '--seconds', '0.2', '--json');
      assert.equal(stderr, '');
      assert.equal(code, 0);
      const [facts, ...more] = jsonLines(stdout);
      assert.equal(more.length, 0);
      assert.equal(facts!['cell'], cell);
      assert.deepEqual(facts!['shape'], [3, 5, 7, 4, 6]);
      assert.equal(facts!['engine'], 'reference');
      assert.equal(facts!['threads'], 1);
      assert.equal(facts!['recording'], true);
      assert.ok((facts!['steps'] as number) >= 3);
      assert.ok((facts!['msMedian'] as number) > 0);
      for (const name of ['firstLoss', 'loss'])
        assert.ok(Math.abs((facts![name] as number) - Math.log(6)) < 1.5, `${name}: ${facts![name]}`);
      assert.ok((facts!['peakMemoryBytes'] as number) > 20e6);
      const [before, after] = facts!['tensors'] as [number, number];
      assert.equal(after, before, 'no tensor is left over');
      assert.deepEqual(
        readdirSync(temporary).filter(name => name.startsWith('unroll-bench-')),
        [],
      );
    });

  it('trains alike whether the gradient flow is recorded or not, and whatever was measured before', () => {
    const [on, off] = [[], ['--no-recording']].map(
      more => jsonLines(measured('--steps', '200', '--json', ...more).stdout)[0]!,
    );
    assert.equal(on!['recording'], true);
    assert.equal(off!['recording'], false);
    assert.equal(on!['firstLoss'], off!['firstLoss']);
    assert.ok((on!['steps'] as number) >= 200);
    assert.ok((on!['loss'] as number) < (on!['firstLoss'] as number), 'it learns its two batches');
  });

  it('tells people the same in words', () => {
    const { stdout } = measured('--steps', '5');
    assert.match(
      stdout,
      /^lstm 3 5 7 4 6 · reference \(javascript, 1 thread\)\n.* ms a step, in the median of stretches of 100 ms; /,
    );
    assert.match(stdout, /loss 1\.\d+ → 1\.\d+, memory at most [\d.]+ MB/);
  });

  it('obeys orders on stdin, and answers what it cannot do with its error', () => {
    const orders = [
      { measure: { steps: 3 } },
      { open: { cell: 'gru', shape: [2, 3, 4, 5, 6], recording: false } },
      { measure: { steps: 3 } },
      { open: { cell: 'rnn', shape: [2, 3, 4, 5] } },
      { open: { cell: 'rnn', shape: [2, 300_000, 1000, 50_000, 3] } },
      { close: true },
    ];
    const input = orders.map(order => `${JSON.stringify(order)}\n`).join('');
    const { code, stdout } = unroll([...small, '--serve'], { env: { TMPDIR: temporary }, input });
    assert.equal(code, 0);
    const [early, opened, facts, wrong, huge, closed] = jsonLines(stdout);
    assert.match(early!['error'] as string, /open first/);
    assert.deepEqual(opened, { opened: true });
    assert.deepEqual([facts!['cell'], facts!['recording']], ['gru', false]);
    assert.match(wrong!['error'] as string, /five whole numbers/);
    assert.match(huge!['error'] as string, /of memory .* this machine has/);
    assert.deepEqual(closed, { closed: true });
  });

  it('lets several runs take turns, and tells the stretches of each', () => {
    const asked = [true, false].map(recording => ({ cell: 'gru', shape: [2, 3, 4, 5, 6], recording }));
    const orders = [{ open: asked }, { measure: { steps: 3 } }, { close: true }];
    const input = orders.map(order => `${JSON.stringify(order)}\n`).join('');
    const { stdout } = unroll([...small, '--serve'], { env: { TMPDIR: temporary }, input });
    const [opened, answer, closed] = jsonLines(stdout);
    assert.deepEqual([opened, closed], [{ opened: true }, { closed: true }]);
    const [on, off] = answer!['runs'] as { recording: boolean; firstLoss: number; msStretches: number[] }[];
    assert.deepEqual([on!.recording, off!.recording], [true, false]);
    assert.equal(on!.firstLoss, off!.firstLoss);
    assert.ok(on!.msStretches.length > 0 && on!.msStretches.every(ms => ms > 0));
    assert.equal(off!.msStretches.length, on!.msStretches.length);
  });

  for (const [args, message] of [
    [['--cell', 'lsm'], /--cell must be one of lstm, gru, rnn, .*found "lsm"/],
    [['--shape', '1,2,3,4'], /five whole numbers of at least 1, I,H,T,B,O, found "1,2,3,4"/],
    [['--shape', '1,0,3,4,5'], /found "1,0,3,4,5"/],
    [['--shape', '9,300000,1000,50000,5'], /would take about .* of memory/],
    [['--seconds', '-1'], /--seconds must be a number of at least 0.01/],
    [['--engine', 'cuda'], /--engine must be one of/],
  ] as const)
    it(`refuses ${args.join(' ')} with one sentence`, () => {
      const { code, stdout, stderr } = measured(...args);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.equal(stderr.trim().split('\n').length, 1);
    });
});
