/**
 * The reference for the preconditioner: the inputs' second moment as f64 loops, and its power by Jacobi's eigenvalue
 * method, which has nothing in common with the inverses and products of the layer's own.
 */
import type { PreconditionerOptions } from '../factored/preconditioner.ts';

/** The preconditioner by its definition, in f64. */
export class DensePreconditioner {
  /** P, d×d. */
  readonly matrix: Float64Array;
  readonly #width: number;
  readonly #moment: Float64Array;
  readonly #options: PreconditionerOptions;
  #steps = 0;

  constructor(width: number, options: PreconditionerOptions) {
    this.#width = width;
    this.#options = options;
    this.#moment = new Float64Array(width * width);
    this.matrix = new Float64Array(width * width);
    for (let i = 0; i < width; i++) this.matrix[i * (width + 1)] = 1;
  }

  /** To be called before each step: computes P when it is due. */
  begin(): void {
    const { refreshEvery = 100 } = this.#options;
    if (this.#steps > 0 && this.#steps % refreshEvery === 0) this.#refresh();
  }

  /** hᵀPh of one row. */
  norm(row: ArrayLike<number>): number {
    return this.apply(row).reduce((sum, value, i) => sum + value * row[i]!, 0);
  }

  /** hᵀP of each row, m×d. */
  apply(hidden: ArrayLike<number>): Float64Array {
    const width = this.#width;
    const out = new Float64Array(hidden.length);
    for (let at = 0; at < hidden.length; at += width) {
      for (let i = 0; i < width; i++) {
        for (let j = 0; j < width; j++) out[at + j]! += hidden[at + i]! * this.matrix[i * width + j]!;
      }
    }
    return out;
  }

  /** To be called after each step. @param hidden m×d. */
  end(hidden: ArrayLike<number>): void {
    const width = this.#width;
    const rows = hidden.length / width;
    const { decay = 0.99 } = this.#options;
    this.#steps++;
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) {
        let sum = 0;
        for (let row = 0; row < rows; row++) sum += hidden[row * width + i]! * hidden[row * width + j]!;
        this.#moment[i * width + j] = decay * this.#moment[i * width + j]! + ((1 - decay) * sum) / rows;
      }
    }
  }

  #refresh(): void {
    const width = this.#width;
    const { power, damping = 0.1 } = this.#options;
    const { values, vectors } = symmetricEigenvalues(this.#moment, width);
    const trace = values.reduce((sum, value) => sum + value, 0);
    const powers = values.map((value) => (value + (damping * trace) / width) ** -power);
    const weighted = values.reduce((sum, value, i) => sum + value * powers[i]!, 0);
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) {
        let sum = 0;
        for (let k = 0; k < width; k++) sum += vectors[i * width + k]! * powers[k]! * vectors[j * width + k]!;
        this.matrix[i * width + j] = (trace / weighted) * sum;
      }
    }
  }
}

/** Cyclic Jacobi rotations. @returns eigenvalues, and eigenvectors as the columns of a d×d matrix. */
function symmetricEigenvalues(
  matrix: Float64Array,
  width: number,
): { readonly values: Float64Array; readonly vectors: Float64Array } {
  const a = matrix.slice();
  const vectors = new Float64Array(width * width);
  for (let i = 0; i < width; i++) vectors[i * (width + 1)] = 1;
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < width; p++) {
      for (let q = p + 1; q < width; q++) {
        const off = a[p * width + q]!;
        if (off === 0) continue;
        const theta = (a[q * (width + 1)]! - a[p * (width + 1)]!) / (2 * off);
        const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const cosine = 1 / Math.hypot(tangent, 1);
        const sine = tangent * cosine;
        for (let k = 0; k < width; k++) rotate(a, k * width + p, k * width + q, cosine, sine);
        for (let k = 0; k < width; k++) rotate(a, p * width + k, q * width + k, cosine, sine);
        for (let k = 0; k < width; k++) rotate(vectors, k * width + p, k * width + q, cosine, sine);
      }
    }
  }
  return { values: Float64Array.from({ length: width }, (_, i) => a[i * (width + 1)]!), vectors };
}

function rotate(values: Float64Array, first: number, second: number, cosine: number, sine: number): void {
  const x = values[first]!;
  const y = values[second]!;
  values[first] = cosine * x - sine * y;
  values[second] = sine * x + cosine * y;
}
