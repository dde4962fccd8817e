// Matrix products in plain TypeScript. The strides of a and b are free, so transposed operands need no copy; a
// 4×4 tile keeps 16 sums in registers, in float64, over the whole of k: one order, one rounding at the end.
import type { Gemm, Slice } from '../provider.ts';

/** A matrix in place: element (i, j) stands at data[offset + i * rowStride + j * columnStride]. */
export interface Matrix {
  data: Float32Array;
  offset: number;
  rowStride: number;
  columnStride: number;
}

export function rowMajor(data: Float32Array, offset: number, columns: number): Matrix {
  return { data, offset, rowStride: columns, columnStride: 1 };
}

export function transposed(matrix: Matrix): Matrix {
  return { ...matrix, rowStride: matrix.columnStride, columnStride: matrix.rowStride };
}

/** c (m, n) += a (m, k) · b (k, n); the columns of c are neighbours (columnStride 1). */
export function multiplyAdd(m: number, n: number, k: number, a: Matrix, b: Matrix, c: Matrix): void {
  const wholeM = m - (m % 4);
  const wholeN = n - (n % 4);
  for (let i = 0; i < wholeM; i += 4) for (let j = 0; j < wholeN; j += 4) tile(k, a, b, c, i, j);
  for (let i = 0; i < m; i++) for (let j = i < wholeM ? wholeN : 0; j < n; j++) cell(k, a, b, c, i, j);
}

function tile(k: number, a: Matrix, b: Matrix, c: Matrix, i: number, j: number): void {
  const A = a.data;
  const B = b.data;
  const ai = a.rowStride;
  const ak = a.columnStride;
  const bj = b.columnStride;
  const bk = b.rowStride;
  let pa = a.offset + i * ai;
  let pb = b.offset + j * bj;
  let c00 = 0;
  let c01 = 0;
  let c02 = 0;
  let c03 = 0;
  let c10 = 0;
  let c11 = 0;
  let c12 = 0;
  let c13 = 0;
  let c20 = 0;
  let c21 = 0;
  let c22 = 0;
  let c23 = 0;
  let c30 = 0;
  let c31 = 0;
  let c32 = 0;
  let c33 = 0;
  for (let p = 0; p < k; p++) {
    const b0 = B[pb]!;
    const b1 = B[pb + bj]!;
    const b2 = B[pb + 2 * bj]!;
    const b3 = B[pb + 3 * bj]!;
    const a0 = A[pa]!;
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    const a1 = A[pa + ai]!;
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
    const a2 = A[pa + 2 * ai]!;
    c20 += a2 * b0;
    c21 += a2 * b1;
    c22 += a2 * b2;
    c23 += a2 * b3;
    const a3 = A[pa + 3 * ai]!;
    c30 += a3 * b0;
    c31 += a3 * b1;
    c32 += a3 * b2;
    c33 += a3 * b3;
    pa += ak;
    pb += bk;
  }
  const C = c.data;
  let pc = c.offset + i * c.rowStride + j;
  addFour(C, pc, c00, c01, c02, c03);
  addFour(C, (pc += c.rowStride), c10, c11, c12, c13);
  addFour(C, (pc += c.rowStride), c20, c21, c22, c23);
  addFour(C, pc + c.rowStride, c30, c31, c32, c33);
}

function addFour(C: Float32Array, at: number, c0: number, c1: number, c2: number, c3: number): void {
  C[at] = C[at]! + c0;
  C[at + 1] = C[at + 1]! + c1;
  C[at + 2] = C[at + 2]! + c2;
  C[at + 3] = C[at + 3]! + c3;
}

/** One element, for the edges that fill no tile. */
function cell(k: number, a: Matrix, b: Matrix, c: Matrix, i: number, j: number): void {
  const A = a.data;
  const B = b.data;
  let pa = a.offset + i * a.rowStride;
  let pb = b.offset + j * b.columnStride;
  let sum = 0;
  for (let p = 0; p < k; p++) {
    sum += A[pa]! * B[pb]!;
    pa += a.columnStride;
    pb += b.rowStride;
  }
  const at = c.offset + i * c.rowStride + j;
  c.data[at] = c.data[at]! + sum;
}

/** c (rows, width) = bias in every row, or zeros. */
export function fillRows(rows: number, width: number, bias: Slice | null, c: Matrix): void {
  for (let row = 0; row < rows; row++) {
    const at = c.offset + row * c.rowStride;
    if (bias) for (let j = 0; j < width; j++) c.data[at + j] = bias.data[bias.offset + j]!;
    else c.data.fill(0, at, at + width);
  }
}

export function addRows(rows: number, width: number, bias: Slice, c: Matrix): void {
  for (let row = 0; row < rows; row++) {
    const at = c.offset + row * c.rowStride;
    for (let j = 0; j < width; j++) c.data[at + j] = c.data[at + j]! + bias.data[bias.offset + j]!;
  }
}

export function gemm({ m, n, k, a, transA, b, transB, bias, c, accumulate }: Gemm): void {
  const out = rowMajor(c.data, c.offset, n);
  if (!accumulate) fillRows(m, n, bias, out);
  else if (bias) addRows(m, n, bias, out);
  const left = transA ? transposed(rowMajor(a.data, a.offset, m)) : rowMajor(a.data, a.offset, k);
  const right = transB ? transposed(rowMajor(b.data, b.offset, k)) : rowMajor(b.data, b.offset, n);
  multiplyAdd(m, n, k, left, right, out);
}

/** out (D) = Σ over rows of a (N, D), in float64. */
export function columnSums(rows: number, width: number, a: Slice, out: Slice): void {
  const sums = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    const at = a.offset + row * width;
    for (let j = 0; j < width; j++) sums[j] = sums[j]! + a.data[at + j]!;
  }
  out.data.set(sums, out.offset);
}
