/**
 * Eigenvalues and eigenvectors of a symmetric matrix in f64 on the host: Householder's reduction to a tridiagonal matrix
 * and the implicit QL method (G. Golub, C. Van Loan, Matrix Computations, §8.3). Every inner loop runs along a row. The
 * rotations of the QL method are collected and applied by rows of Q, four at a time, which then stay in the first-level
 * cache. About 9n³ operations: a second for n = 512, some nine for n = 1,024.
 */

export interface SymmetricEigen {
  /** n, in no particular order. */
  readonly values: Float64Array;
  /** n×n, row i the unit eigenvector of `values[i]`. */
  readonly vectors: Float64Array;
}

/** @param matrix n×n, symmetric; not changed. @throws RangeError when it is not finite. */
export function symmetricEigen(matrix: Float64Array, n: number): SymmetricEigen {
  for (const value of matrix) if (!Number.isFinite(value)) throw new RangeError('symmetricEigen: not a finite matrix');
  const work = matrix.slice();
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const factors = reduce(work, n, diagonal, beside);
  const vectors = accumulate(work, factors, n);
  iterate(diagonal, beside, vectors, n);
  transpose(vectors, n);
  return { values: diagonal, vectors };
}

/**
 * A = Q T Qᵀ with T tridiagonal: `diagonal`, and `beside` from place 1 on. Q is a product of reflections I − βvvᵀ.
 * @returns β of each reflection; its v is left in the row of `a`, behind the diagonal.
 */
function reduce(a: Float64Array, n: number, diagonal: Float64Array, beside: Float64Array): Float64Array {
  const factors = new Float64Array(n);
  const product = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    const row = k * n;
    let squares = 0;
    for (let i = k + 2; i < n; i++) squares += a[row + i]! ** 2;
    const first = a[row + k + 1]!;
    diagonal[k] = a[row + k]!;
    if (squares === 0) {
      beside[k + 1] = first;
      continue;
    }
    const norm = Math.sqrt(first * first + squares) * (first > 0 ? -1 : 1);
    beside[k + 1] = norm;
    a[row + k + 1] = first - norm;
    const beta = 2 / ((first - norm) ** 2 + squares);
    factors[k] = beta;
    let scale = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += a[i * n + j]! * a[row + j]!;
      product[i] = beta * sum;
      scale += product[i]! * a[row + i]!;
    }
    for (let i = k + 1; i < n; i++) product[i]! -= 0.5 * beta * scale * a[row + i]!;
    for (let i = k + 1; i < n; i++) {
      const [v, w] = [a[row + i]!, product[i]!];
      for (let j = k + 1; j < n; j++) a[i * n + j]! -= v * product[j]! + w * a[row + j]!;
    }
  }
  if (n > 0) diagonal[n - 1] = a[n * n - 1]!;
  return factors;
}

/** Q, n×n. */
function accumulate(a: Float64Array, factors: Float64Array, n: number): Float64Array {
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * (n + 1)] = 1;
  const sums = new Float64Array(n);
  for (let k = n - 2; k >= 0; k--) {
    const beta = factors[k]!;
    if (beta === 0) continue;
    sums.fill(0);
    for (let i = k + 1; i < n; i++) {
      const v = a[k * n + i]!;
      for (let j = k + 1; j < n; j++) sums[j]! += v * q[i * n + j]!;
    }
    for (let i = k + 1; i < n; i++) {
      const v = beta * a[k * n + i]!;
      for (let j = k + 1; j < n; j++) q[i * n + j]! -= v * sums[j]!;
    }
  }
  return q;
}

const maxIterations = 60;

/** QL with implicit shifts until the numbers beside the diagonal are 0; the same rotations turn the columns of `vectors`. */
function iterate(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number): void {
  const rotations = new Rotations(vectors, n);
  for (let i = 1; i < n; i++) e[i - 1] = e[i]!;
  if (n > 0) e[n - 1] = 0;
  for (let l = 0; l < n; l++) {
    for (let iteration = 0; ; iteration++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) m++;
      if (m === l) break;
      if (iteration === maxIterations) throw new RangeError('symmetricEigen: the iteration does not converge');
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      let r = Math.hypot(g, 1);
      g = d[m]! - d[l]! + e[l]! / (g + (g < 0 ? -r : r));
      let [sine, cosine, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const f = sine * e[i]!;
        const b = cosine * e[i]!;
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1]! -= p;
          e[m] = 0;
          break;
        }
        sine = f / r;
        cosine = g / r;
        g = d[i + 1]! - p;
        r = (d[i]! - g) * sine + 2 * cosine * b;
        p = sine * r;
        d[i + 1] = g + p;
        g = cosine * r - b;
        rotations.add(i, sine, cosine);
      }
      if (r === 0 && i >= l) continue;
      d[l]! -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  rotations.apply();
}

/** Rotations of neighbouring columns, in their order, applied when there are many. */
class Rotations {
  readonly #rows: Float64Array;
  readonly #n: number;
  readonly #columns = new Int32Array(8192);
  readonly #sines = new Float64Array(8192);
  readonly #cosines = new Float64Array(8192);
  /** Four rows, column by column: as rows of a power of two they would share the places of the cache. */
  readonly #four: Float64Array;
  #count = 0;

  constructor(rows: Float64Array, n: number) {
    this.#rows = rows;
    this.#n = n;
    this.#four = new Float64Array(4 * n);
  }

  /** Of columns `column` and the next. */
  add(column: number, sine: number, cosine: number): void {
    this.#columns[this.#count] = column;
    this.#sines[this.#count] = sine;
    this.#cosines[this.#count] = cosine;
    if (++this.#count === this.#columns.length) this.apply();
  }

  apply(): void {
    const n = this.#n;
    const rows = this.#rows;
    const four = this.#four;
    for (let row = 0; row < n; row += 4) {
      const end = Math.min(4, n - row);
      for (let r = 0; r < end; r++) for (let i = 0; i < n; i++) four[4 * i + r] = rows[(row + r) * n + i]!;
      this.#applyToFour();
      for (let r = 0; r < end; r++) for (let i = 0; i < n; i++) rows[(row + r) * n + i] = four[4 * i + r]!;
    }
    this.#count = 0;
  }

  #applyToFour(): void {
    const x = this.#four;
    const columns = this.#columns;
    const sines = this.#sines;
    const cosines = this.#cosines;
    const count = this.#count;
    let column = -1;
    // The left one of the two columns turned last: the next rotation usually has it as its right one.
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let k = 0; k < count; k++) {
      const p = 4 * columns[k]!;
      if (p + 4 !== column) {
        if (column >= 0) {
          x[column] = a;
          x[column + 1] = b;
          x[column + 2] = c;
          x[column + 3] = d;
        }
        a = x[p + 4]!;
        b = x[p + 5]!;
        c = x[p + 6]!;
        d = x[p + 7]!;
      }
      column = p;
      const sine = sines[k]!;
      const cosine = cosines[k]!;
      const e = x[p]!;
      const f = x[p + 1]!;
      const g = x[p + 2]!;
      const h = x[p + 3]!;
      x[p + 4] = sine * e + cosine * a;
      x[p + 5] = sine * f + cosine * b;
      x[p + 6] = sine * g + cosine * c;
      x[p + 7] = sine * h + cosine * d;
      a = cosine * e - sine * a;
      b = cosine * f - sine * b;
      c = cosine * g - sine * c;
      d = cosine * h - sine * d;
    }
    if (column >= 0) {
      x[column] = a;
      x[column + 1] = b;
      x[column + 2] = c;
      x[column + 3] = d;
    }
  }
}

function transpose(matrix: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const value = matrix[i * n + j]!;
      matrix[i * n + j] = matrix[j * n + i]!;
      matrix[j * n + i] = value;
    }
  }
}
