// Orthogonal matrices against Gram-Schmidt one vector after the other, on the same draws.
import assert from 'node:assert/strict';
import { orthogonal } from '../../../../src/trainer/layers/initial.ts';
import { randomStream } from '../../../../src/trainer/random.ts';

/** Vectors of the longer side, each without its parts along those before it, as columns or rows of the matrix. */
function plainly(rows: number, columns: number, seed: number): number[] {
  const random = randomStream(seed, 'test', 0);
  const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
  const drawn = Array.from({ length: short }, () => Array.from({ length: long }, () => random.normal()));
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const made: number[][] = [];
  for (let vector of drawn) {
    for (const unit of made) {
      const along = dot(vector, unit);
      vector = vector.map((value, i) => value - along * unit[i]!);
    }
    const norm = Math.sqrt(dot(vector, vector));
    made.push(vector.map(value => value / norm));
  }
  return Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return rows >= columns ? made[column]![row]! : made[row]![column]!;
  });
}

describe('an orthogonal initial matrix', () => {
  for (const [rows, columns] of [
    [1, 1],
    [4, 4],
    [5, 5],
    [11, 11],
    [12, 4],
    [23, 6],
    [4, 12],
    [7, 9],
  ] as const)
    it(`of ${rows} rows and ${columns} columns is Gram-Schmidt of its draws`, () => {
      const made = orthogonal([rows, columns], randomStream(3, 'test', 0));
      const values = Array.from({ length: rows * columns }, (_, at) => made[at]!);
      plainly(rows, columns, 3).forEach((value, at) => {
        assert.ok(Math.abs(values[at]! - value) < 1e-6, `${at}: ${values[at]} is not ${value}`);
      });
    });
});
