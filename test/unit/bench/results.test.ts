// The parts of the benchmark that compute: medians, rows, targets, and the page that is made of them.
import assert from 'node:assert/strict';
import { CASES, operationsOf } from '../../../bench/cases.ts';
import { targetsOf } from '../../../bench/groups/cases.ts';
import { pageOf, type Section, show } from '../../../bench/report.ts';
import { type CaseRow, caseRow, isCase, peakKey, reached, vectorFloats } from '../../../bench/results.ts';
import type { Measured } from '../../../bench/rounds.ts';
import { geometricMean, median, medianInterval, medianRatio } from '../../../bench/statistics.ts';

const machine = {
  processor: 'Abacus 3',
  cores: 2,
  caches: 'L1d 32 KiB',
  memory: '4 GiB',
  system: 'Debian',
  node: 'v20.0.0',
  load: 0,
};

function measured(ms: number[], last: Measured['last'] = {}): Measured {
  return { ms, means: ms, processor: ms, last };
}

function rowOf(ratio: number, more: Partial<CaseRow> = {}): CaseRow {
  return {
    cell: 'lstm',
    shape: [64, 128, 64, 32, 65],
    provider: 'native',
    ratio,
    msOurs: 1,
    msPeer: ratio,
    peakFraction: 0.8,
    threads: 2,
    isa: 'avx512',
    peer: 'pytorch, 2 threads',
    ...more,
  };
}

describe('statistics of the benchmark', () => {
  it('take the middle, and the mean of the two middles', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.ok(Number.isNaN(median([])));
  });

  it('say between which values a median lies: those a sign test does not refuse', () => {
    const values = Array.from({ length: 100 }, (_, i) => i + 1);
    // for 100 the ranks 40 and 61, as in tables of the sign test
    assert.deepEqual(medianInterval(values.toReversed()), [40, 61]);
    assert.deepEqual(medianInterval([3, 1, 2]), [1, 3]);
  });

  it('make ratios round by round, so that a slow round of both counts once', () => {
    assert.equal(medianRatio([20, 200, 30], [10, 100, 10]), 2);
    assert.ok(Math.abs(geometricMean([2, 8]) - 4) < 1e-12);
  });
});

describe('the 18 cases', () => {
  it('are 18, each once', () => {
    assert.equal(new Set(CASES.map(({ cell, shape }) => `${cell} ${shape}`)).size, 18);
  });

  it('count the products of an LSTM step', () => {
    // 4 gates of 2 units from 1 input and 2 units, 6 rows, 3 classes: forward 6·(8·3 + 2·3) multiply-adds
    const { usual, needed } = operationsOf('lstm', [1, 2, 3, 2, 3]);
    assert.equal(usual, 3 * 2 * 6 * (8 * 3 + 6));
    assert.equal(usual - needed, 2 * 6 * 8 * 1);
  });

  it('become rows with ratio and share of the peak of that vector width', () => {
    const peaks = new Map([
      [peakKey(16, 2), 1e12],
      [peakKey(8, 2), 5e11],
    ]);
    const asked = { cell: 'rnn', shape: [1, 1, 1, 1, 1] as const };
    const ours = {
      name: 'native',
      peer: 'pytorch',
      measured: measured([1, 2, 3], { isa: 'avx2', threads: 2 }),
    };
    const row = caseRow(asked, ours, measured([4, 4, 12], { threads: 2 }), peaks);
    assert.equal(row.ratio, 4);
    assert.equal(row.msOurs, 2);
    assert.equal(row.peakFraction, 18 / 0.002 / 5e11);
    assert.equal(row.peer, 'pytorch, 2 threads');
    assert.ok(isCase(row));
    assert.ok(!isCase({ kind: 'recording', cost: 0.01 }));
  });

  it('know the width of a vector by its name, and no more than that', () => {
    assert.deepEqual(['avx512', 'AVX2', 'relaxed-simd', 'javascript'].map(vectorFloats), [16, 8, 4, null]);
  });
});

describe('targets', () => {
  it('of a provider are its mean, its lowest case and its mean share of the peak', () => {
    const rows = [rowOf(10), rowOf(2.5, { cell: 'gru', peakFraction: 0.5 }), rowOf(9, { provider: 'wasm' })];
    const targets = targetsOf(rows);
    assert.deepEqual(
      targets.map(target => [target.name, reached(target)]),
      [
        ['native: geometric mean of 2 ratios', true],
        ['native: lowest ratio (gru 64 128 64 32 65)', true],
        // of 80 and 50 %
        ['native: mean share of peak of 2 cases', false],
        ['wasm: geometric mean of 1 ratios', true],
      ],
    );
  });

  it('of the native engine are those of AVX2 where a processor has no more', () => {
    const targets = targetsOf([rowOf(2.7, { isa: 'avx2', peakFraction: 0.5 })]);
    assert.deepEqual(
      targets.map(({ name, target }) => [name, target]),
      [
        ['native: geometric mean of 1 ratios', 3.6],
        ['native: lowest ratio (lstm 64 128 64 32 65)', 1.15],
        ['native: mean share of peak of 1 cases', 55],
      ],
    );
  });

  it('are reached from above or from below', () => {
    const target = { name: '', value: 1, target: 1, unit: '' };
    assert.ok(reached({ ...target, atLeast: true }) && reached({ ...target, atLeast: false }));
    assert.ok(!reached({ ...target, value: 0.99, atLeast: true }));
    assert.ok(!reached({ ...target, value: 1.01, atLeast: false }));
    assert.ok(!reached({ ...target, value: Number.NaN, atLeast: true }));
  });
});

describe('the page of results', () => {
  const section: Section = {
    name: 'frame',
    title: 'What the frame adds',
    text: 'Measured.',
    columns: ['case', 'ms'],
    cells: [['lstm', '1.20']],
    targets: [
      { name: 'frame: added', value: 7, target: 5, atLeast: false, unit: ' %' },
      { name: 'frame: small', value: 0.1, target: 0.12, atLeast: false, unit: ' ms' },
    ],
    skipped: ['wasm: it is not built'],
    data: [],
    load: 0.3,
    date: '2026-01-02',
    versions: ['pytorch 2.13.0'],
  };

  it('names the machine and its peers, and what falls short by how much', () => {
    const page = pageOf([section, { ...section, name: 'other', targets: [], cells: [] }], machine);
    assert.match(page, /Abacus 3; 2 cores; caches: L1d 32 KiB/);
    assert.match(page, /Node v20\.0\.0, pytorch 2\.13\.0/);
    assert.match(page, /^1 figure falls short of its target: frame: added\.$/m);
    assert.match(page, /^\| frame: added \| 7\.00 % \| at most 5\.00 % \| \*\*short by 40 %\*\* \|$/m);
    assert.match(page, /^\| frame: small \| 0\.100 ms \| at most 0\.120 ms \| reached \|$/m);
    assert.match(page, /^- Left out: wasm: it is not built$/m);
    assert.match(page, /^\*2026-01-02; load of the machine when it began: 0\.3\*$/m);
    assert.match(page, /^Nothing could be measured\.$/m);
    assert.doesNotMatch(page, /Not measured/);
    const part = pageOf([section], machine, ['cases', 'memory']);
    assert.match(part, /^Not measured on this processor: cases, memory\.$/m);
  });

  it('writes three digits that count', () => {
    assert.deepEqual([1234.5, 12.345, 1.2345, 0.012345, 0, Number.NaN].map(show), [
      '1235',
      '12.3',
      '1.23',
      '0.0123',
      '0',
      '–',
    ]);
  });
});
