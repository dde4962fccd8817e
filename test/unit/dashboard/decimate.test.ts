// Decimation never loses a spike, and what was shown once does not move.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { curveRange, DecimatedCurve, Smoother } from '../../../src/extension/dashboard/decimate.ts';
import { ScalarTable } from '../../../src/runs/columns.ts';

function tableOf(values: readonly number[]): ScalarTable {
  const table = new ScalarTable();
  for (const [i, value] of values.entries()) add(table, i + 1, value);
  return table;
}

function add(table: ScalarTable, step: number, value: number): void {
  table.push(step, step / 10, step * 64, [['trainLoss', { mean: value, min: value - 1, max: value + 1 }]]);
}

const source = (table: ScalarTable) => table.columns.get('trainLoss');
const anyLoss = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -1000, max: 1000 }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 1e6, -1e6) },
);

describe('decimation of curves', () => {
  it('keeps the extremes of every stretch, the steps in order and the number of points bounded', () => {
    fc.assert(
      fc.property(
        fc.array(anyLoss, { minLength: 1, maxLength: 700 }),
        fc.integer({ min: 4, max: 60 }),
        (values, most) => {
          const decimated = new DecimatedCurve(most);
          decimated.follow(source(tableOf(values)), 0.9);
          const curve = decimated.curve();
          const points = curve.step.length;
          assert.ok(points <= most + 1, `${points} points`);
          assert.equal(curve.step.at(-1), values.length);
          let row = 0;
          for (let i = 0; i < points; i++) {
            const stretch = values.slice(row, curve.step[i]).filter(Number.isFinite);
            if (stretch.length === 0) assert.ok(Number.isNaN(curve.max[i]));
            else {
              assert.equal(curve.max[i], Math.fround(Math.max(...stretch) + 1));
              assert.equal(curve.min[i], Math.fround(Math.min(...stretch) - 1));
            }
            row = curve.step[i]!;
          }
          assert.equal(row, values.length);
        },
      ),
    );
  });

  it('gives the same however the rows arrive', () => {
    fc.assert(
      fc.property(
        fc.array(anyLoss, { minLength: 2, maxLength: 400 }),
        fc.array(fc.nat(400), { maxLength: 6 }),
        (values, cuts) => {
          const table = new ScalarTable();
          const inParts = new DecimatedCurve(20);
          let written = 0;
          for (const cut of [...cuts.sort((a, b) => a - b), values.length]) {
            for (; written < Math.min(cut, values.length); written++)
              add(table, written + 1, values[written]!);
            inParts.follow(source(table), 0.5);
          }
          const atOnce = new DecimatedCurve(20);
          atOnce.follow(source(tableOf(values)), 0.5);
          assert.deepEqual(inParts.curve(), atOnce.curve());
        },
      ),
    );
  });

  it('begins anew when the run went back to a checkpoint', () => {
    const table = tableOf([5, 4, 3, 2, 1]);
    const decimated = new DecimatedCurve(100);
    decimated.follow(source(table), 0);
    table.dropAfter(2);
    add(table, 3, 30);
    add(table, 4, 40);
    add(table, 5, 50);
    decimated.follow(source(table), 0);
    // as long as before, with the same steps
    assert.deepEqual([...decimated.curve().mean], [5, 4, 30, 40, 50]);
  });

  it('marks what was not finite by its step and leaves a gap there', () => {
    const decimated = new DecimatedCurve(100);
    decimated.follow(source(tableOf([1, 2, Number.NaN, Number.POSITIVE_INFINITY, 3])), 0.9);
    const curve = decimated.curve();
    assert.deepEqual([...curve.broken], [3, 4]);
    assert.ok(Number.isNaN(curve.smooth[2]!));
    assert.equal(curve.mean[4], 3);
  });

  it('gives every row of a stretch when there is room, smoothed from the first row on', () => {
    const values = Array.from({ length: 5000 }, (_, i) => Math.sin(i) + 5);
    const column = source(tableOf(values))!;
    const fine = curveRange(column, 1000, 1100, 500, 0.9);
    assert.equal(fine.rowsPerPoint, 1);
    assert.deepEqual([fine.step[0], fine.step.at(-1)], [999, 1101]);
    const smoother = new Smoother(0.9);
    const expected = values.map(value => smoother.next(value))[998]!;
    assert.equal(fine.smooth[0], Math.fround(expected));
  });
});

describe('smoothing', () => {
  it('is right from the first value on and does not depend on what follows', () => {
    const first = new Smoother(0.99);
    assert.ok(Math.abs(first.next(7) - 7) < 1e-12);
    const constant = new Smoother(0.97);
    for (let i = 0; i < 50; i++) assert.ok(Math.abs(constant.next(3) - 3) < 1e-9);
  });

  it('passes over what is not finite', () => {
    const smoother = new Smoother(0.5);
    smoother.next(2);
    assert.equal(smoother.next(Number.NaN), 2);
    assert.ok(Math.abs(smoother.next(2) - 2) < 1e-12);
  });
});
