// Eigenvalues and singular values of small square matrices, in float64: G. Golub, C. Van Loan, Matrix Computations,
// chapters 7 (Hessenberg form, shifted QR) and 8 (tridiagonal form, implicit QL). Tested against numpy.

export interface Eigenvalues {
  re: Float64Array;
  im: Float64Array;
}

/** What a linear map does to lengths: ρ, the largest singular value, and the largest by the smallest. */
export interface Spectrum {
  radius: number;
  sigma: number;
  condition: number;
}

const SWEEPS = 60;

/** matrix (n, n), row-major. NaN where the iteration does not converge, or where a number is not finite. */
export function spectrumOf(matrix: ArrayLike<number>, n: number): Spectrum {
  const { re, im } = eigenvaluesOf(matrix, n);
  let radius = 0;
  for (let i = 0; i < n; i++) radius = Math.max(radius, Math.hypot(re[i]!, im[i]!));
  const sigma = singularValuesOf(matrix, n);
  return {
    radius: re.some(Number.isNaN) ? Number.NaN : radius,
    sigma: sigma[0]!,
    condition: sigma[0]! / sigma[n - 1]!,
  };
}

/** A diagonal map, complex or real, of these absolute values. */
export function spectrumOfDiagonal(sizes: ArrayLike<number>): Spectrum {
  let [largest, smallest] = [0, Number.POSITIVE_INFINITY];
  for (let i = 0; i < sizes.length; i++) {
    largest = Math.max(largest, sizes[i]!);
    smallest = Math.min(smallest, sizes[i]!);
  }
  return { radius: largest, sigma: largest, condition: largest / smallest };
}

/** In no particular order. */
export function eigenvaluesOf(matrix: ArrayLike<number>, n: number): Eigenvalues {
  const re = Float64Array.from(matrix);
  if (!re.every(Number.isFinite)) return { re: re.slice(0, n).fill(Number.NaN), im: new Float64Array(n) };
  toHessenberg(re, n);
  return qr(re, new Float64Array(n * n), n);
}

/** Largest first. Those below 1e-8 of the largest are not told apart from 0, since they are roots of WᵀW's eigenvalues. */
export function singularValuesOf(matrix: ArrayLike<number>, n: number): Float64Array {
  const product = new Float64Array(n * n);
  for (let k = 0; k < n; k++)
    for (let i = 0; i < n; i++) {
      const a = matrix[k * n + i]!;
      if (a !== 0) for (let j = 0; j < n; j++) product[i * n + j]! += a * matrix[k * n + j]!;
    }
  if (!product.every(Number.isFinite)) return new Float64Array(n).fill(Number.NaN);
  toHessenberg(product, n);
  // of a symmetric matrix it is tridiagonal
  const diagonal = Float64Array.from({ length: n }, (_, i) => product[i * (n + 1)]!);
  const beside = Float64Array.from({ length: n }, (_, i) => (i < n - 1 ? product[(i + 1) * n + i]! : 0));
  ql(diagonal, beside);
  return diagonal
    .map(value => Math.sqrt(Math.max(0, value)))
    .sort()
    .reverse();
}

/** Math.hypot takes most of the time of a small matrix. Float32's range squared is well inside of float64's. */
function length(a: number, b: number): number {
  return Math.sqrt(a * a + b * b);
}

/** QᵀAQ by Householder's reflections, in place: zeros below the first subdiagonal. */
function toHessenberg(a: Float64Array, n: number): void {
  const v = new Float64Array(n);
  const sums = new Float64Array(n);
  for (let k = 0; k < n - 2; k++) {
    let squares = 0;
    for (let i = k + 1; i < n; i++) squares += (v[i] = a[i * n + k]!) ** 2;
    const norm = Math.sqrt(squares);
    if (norm === 0) continue;
    const alpha = v[k + 1]! > 0 ? -norm : norm;
    // |v|² of v - alpha e
    const ownSquares = 2 * (squares - alpha * v[k + 1]!);
    v[k + 1]! -= alpha;
    if (ownSquares === 0) continue;
    sums.fill(0);
    for (let i = k + 1; i < n; i++) {
      const own = v[i]!;
      for (let j = k, at = i * n + k; j < n; j++, at++) sums[j]! += own * a[at]!;
    }
    for (let i = k + 1; i < n; i++) {
      const factor = (2 / ownSquares) * v[i]!;
      for (let j = k, at = i * n + k; j < n; j++, at++) a[at]! -= factor * sums[j]!;
    }
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = k + 1, at = i * n + j; j < n; j++, at++) sum += a[at]! * v[j]!;
      const factor = (2 / ownSquares) * sum;
      for (let j = k + 1, at = i * n + j; j < n; j++, at++) a[at]! -= factor * v[j]!;
    }
    a[(k + 1) * n + k] = alpha;
    for (let i = k + 2; i < n; i++) a[i * n + k] = 0;
  }
}

/** The eigenvalues of a Hessenberg matrix, used up: QR steps with Wilkinson's complex shift, an eigenvalue split off at a time. */
function qr(re: Float64Array, im: Float64Array, n: number): Eigenvalues {
  const found: Eigenvalues = { re: new Float64Array(n), im: new Float64Array(n) };
  let last = n - 1;
  let sweeps = 0;
  while (last >= 0) {
    let first = last;
    while (first > 0 && !splits(re, im, n, first)) first--;
    if (first === last) {
      found.re[last] = re[last * (n + 1)]!;
      found.im[last] = im[last * (n + 1)]!;
      last--;
      sweeps = 0;
      continue;
    }
    if (++sweeps > SWEEPS) {
      found.re.fill(Number.NaN, 0, last + 1);
      return found;
    }
    step(re, im, n, first, last, shiftOf(re, im, n, last, sweeps));
  }
  return found;
}

/** Sets a subdiagonal entry to 0 where it is as good as that. */
function splits(re: Float64Array, im: Float64Array, n: number, row: number): boolean {
  const at = row * n + row - 1;
  const beside = (i: number) => Math.abs(re[i * (n + 1)]!) + Math.abs(im[i * (n + 1)]!);
  const size = beside(row) + beside(row - 1);
  if (Math.abs(re[at]!) + Math.abs(im[at]!) > Number.EPSILON * (size || 1)) return false;
  re[at] = 0;
  im[at] = 0;
  return true;
}

/** The eigenvalue of the last 2 × 2 block that is nearer to its corner; now and then another one, against cycles. */
function shiftOf(
  re: Float64Array,
  im: Float64Array,
  n: number,
  last: number,
  sweeps: number,
): [number, number] {
  const [d, c] = [last * (n + 1), last * n + last - 1];
  if (sweeps % 11 === 10) return [re[d]! + Math.abs(re[c]!), im[d]! + Math.abs(im[c]!)];
  const [a, b] = [(last - 1) * (n + 1), (last - 1) * n + last];
  // λ = d + δ - ± √(δ² + bc), δ = (a - d)/2: the root of the smaller distance
  const [deltaRe, deltaIm] = [(re[a]! - re[d]!) / 2, (im[a]! - im[d]!) / 2];
  const insideRe = deltaRe ** 2 - deltaIm ** 2 + re[b]! * re[c]! - im[b]! * im[c]!;
  const insideIm = 2 * deltaRe * deltaIm + re[b]! * im[c]! + im[b]! * re[c]!;
  const size = length(insideRe, insideIm);
  let rootRe = Math.sqrt(Math.max(0, (size + insideRe) / 2));
  let rootIm = Math.sign(insideIm || 1) * Math.sqrt(Math.max(0, (size - insideRe) / 2));
  if (rootRe * deltaRe + rootIm * deltaIm > 0) [rootRe, rootIm] = [-rootRe, -rootIm];
  return [re[d]! + deltaRe + rootRe, im[d]! + deltaIm + rootIm];
}

/** H - s = QR, then RQ + s, of the block from `first` to `last`, by Givens' rotations. */
function step(
  re: Float64Array,
  im: Float64Array,
  n: number,
  first: number,
  last: number,
  [shiftRe, shiftIm]: [number, number],
): void {
  for (let i = first; i <= last; i++) {
    re[i * (n + 1)]! -= shiftRe;
    im[i * (n + 1)]! -= shiftIm;
  }
  const cosines = new Float64Array(last - first);
  const [sinesRe, sinesIm] = [new Float64Array(last - first), new Float64Array(last - first)];
  for (let k = first; k < last; k++) {
    const [upper, lower] = [k * n, (k + 1) * n];
    // [c s; -s̄ c] turns (f, g) into (r, 0), c real
    const [fRe, fIm, gRe, gIm] = [re[upper + k]!, im[upper + k]!, re[lower + k]!, im[lower + k]!];
    const f = length(fRe, fIm);
    const whole = length(f, length(gRe, gIm));
    let [c, sRe, sIm] = [1, 0, 0];
    if (whole > 0 && f > 0) {
      c = f / whole;
      sRe = (fRe * gRe + fIm * gIm) / f / whole;
      sIm = (fIm * gRe - fRe * gIm) / f / whole;
    } else if (whole > 0) {
      c = 0;
      sRe = gRe / whole;
      sIm = -gIm / whole;
    }
    for (let j = k; j <= last; j++) {
      const aRe = re[upper + j]!;
      const aIm = im[upper + j]!;
      const bRe = re[lower + j]!;
      const bIm = im[lower + j]!;
      re[upper + j] = c * aRe + sRe * bRe - sIm * bIm;
      im[upper + j] = c * aIm + sRe * bIm + sIm * bRe;
      re[lower + j] = c * bRe - sRe * aRe - sIm * aIm;
      im[lower + j] = c * bIm - sRe * aIm + sIm * aRe;
    }
    cosines[k - first] = c;
    sinesRe[k - first] = sRe;
    sinesIm[k - first] = sIm;
  }
  // row by row, which is as memory has them: no row asks for another
  for (let i = first; i <= last; i++) {
    const begin = Math.max(first, i - 1);
    let at = i * n + begin;
    let aRe = re[at]!;
    let aIm = im[at]!;
    for (let k = begin - first; k < last - first; k++, at++) {
      const c = cosines[k]!;
      const sRe = sinesRe[k]!;
      const sIm = sinesIm[k]!;
      const bRe = re[at + 1]!;
      const bIm = im[at + 1]!;
      // times the conjugate transpose of the rotation
      re[at] = c * aRe + sRe * bRe + sIm * bIm;
      im[at] = c * aIm + sRe * bIm - sIm * bRe;
      const nextRe = c * bRe - sRe * aRe + sIm * aIm;
      aIm = c * bIm - sRe * aIm - sIm * aRe;
      aRe = nextRe;
    }
    re[at] = aRe;
    im[at] = aIm;
  }
  for (let i = first; i <= last; i++) {
    re[i * (n + 1)]! += shiftRe;
    im[i * (n + 1)]! += shiftIm;
  }
}

/** The eigenvalues of a symmetric tridiagonal matrix take the place of its diagonal; `beside` is used up. */
function ql(diagonal: Float64Array, beside: Float64Array): void {
  const n = diagonal.length;
  for (let first = 0; first < n; first++)
    for (let sweeps = 0; ; sweeps++) {
      let last = first;
      while (
        last < n - 1 &&
        Math.abs(beside[last]!) > Number.EPSILON * (Math.abs(diagonal[last]!) + Math.abs(diagonal[last + 1]!))
      )
        last++;
      if (last === first) break;
      if (sweeps > SWEEPS) {
        diagonal.fill(Number.NaN);
        return;
      }
      const delta = (diagonal[first + 1]! - diagonal[first]!) / (2 * beside[first]!);
      const root = length(delta, 1);
      let g = diagonal[last]! - diagonal[first]! + beside[first]! / (delta + (delta < 0 ? -root : root));
      let [s, c, p] = [1, 1, 0];
      let i = last - 1;
      for (; i >= first; i--) {
        const [f, b] = [s * beside[i]!, c * beside[i]!];
        const r = length(f, g);
        beside[i + 1] = r;
        if (r === 0) {
          diagonal[i + 1]! -= p;
          beside[last] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = diagonal[i + 1]! - p;
        const turned = (diagonal[i]! - g) * s + 2 * c * b;
        p = s * turned;
        diagonal[i + 1] = g + p;
        g = c * turned - b;
      }
      if (i >= first) continue;
      diagonal[first]! -= p;
      beside[first] = g;
      beside[last] = 0;
    }
}
