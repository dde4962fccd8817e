// Rows divided by their root mean square or by their length: the equations of kernels/row_norm.h.
import type { RowNorm, RowNormBackward } from '../provider.ts';

export function rowNorm({ rows, width, share, epsilon, x, weight, y, inverse }: RowNorm): void {
  for (let row = 0; row < rows; row++) {
    const [from, to] = [x.offset + row * width, y.offset + row * width];
    let squares = 0;
    for (let j = 0; j < width; j++) squares += x.data[from + j]! ** 2;
    const by = 1 / Math.sqrt(share * squares + epsilon);
    inverse.data[inverse.offset + row] = by;
    for (let j = 0; j < width; j++)
      y.data[to + j] = x.data[from + j]! * by * (weight ? weight.data[weight.offset + j]! : 1);
  }
}

export function rowNormBackward(call: RowNormBackward): void {
  const { rows, width, share, x, weight, inverse, dy, dx, dWeight } = call;
  const sums = new Float64Array(width);
  const weightAt = (j: number) => (weight ? weight.data[weight.offset + j]! : 1);
  for (let row = 0; row < rows; row++) {
    const [from, ofDy, to] = [x, dy, dx].map(({ offset }) => offset + row * width) as [
      number,
      number,
      number,
    ];
    const by = inverse.data[inverse.offset + row]!;
    let along = 0;
    for (let j = 0; j < width; j++) {
      along += dy.data[ofDy + j]! * weightAt(j) * x.data[from + j]!;
      sums[j]! += dy.data[ofDy + j]! * x.data[from + j]! * by;
    }
    const back = share * along * by ** 3;
    for (let j = 0; j < width; j++)
      dx.data[to + j] = dy.data[ofDy + j]! * weightAt(j) * by - x.data[from + j]! * back;
  }
  if (dWeight) for (let j = 0; j < width; j++) dWeight.data[dWeight.offset + j] = sums[j]!;
}
