/** Sums over the rows of blocks in f64 on the host, and what is computed from them there. */
import {
  gemm,
  read,
  symmetricRank2Update,
  write,
  type FloatArray,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';

/** XᵀX, 1ᵀX and yᵀX of the rows of a table, summed over blocks. */
export class BlockSums {
  readonly gram: Float64Array;
  readonly columnSum: Float64Array;
  readonly weightedSum: Float64Array;
  readonly #workspace: Workspace;
  readonly #width: number;
  readonly #values: FloatArray;

  /** @param values width² numbers, to read into. */
  constructor(workspace: Workspace, width: number, values: FloatArray) {
    this.gram = new Float64Array(width * width);
    this.columnSum = new Float64Array(width);
    this.weightedSum = new Float64Array(width);
    this.#workspace = workspace;
    this.#width = width;
    this.#values = values;
  }

  /** @param weights y of the rows. */
  async add(block: Matrix, weights: Float64Array = new Float64Array(block.rows)): Promise<void> {
    const { gram, columnSum, weightedSum } = this;
    const width = this.#width;
    const product = this.#workspace.matrix('block gram', width, width);
    const sides = this.#workspace.matrix('block sides', 2, block.rows);
    const sums = this.#workspace.matrix('block sums', 2, width);
    symmetricRank2Update(block, block, product, { alpha: 0.5 });
    const sideValues = new Float64Array(2 * block.rows).fill(1);
    sideValues.set(weights, block.rows);
    write(sideValues, sides);
    gemm(sides, block, sums);
    const [values, sumValues] = await Promise.all([read(product, this.#values), read(sums)]);
    for (let i = 0; i < gram.length; i++) gram[i]! += values[i]!;
    for (let i = 0; i < width; i++) {
      columnSum[i]! += sumValues[i]!;
      weightedSum[i]! += sumValues[width + i]!;
    }
  }
}

/** Adds ± a narrower square matrix to the first rows and columns of one of `width`. */
export function addSymmetric(
  sign: number,
  values: ArrayLike<number>,
  out: Float64Array,
  columns: number,
  width: number,
): void {
  for (let i = 0; i < columns; i++)
    for (let j = 0; j < columns; j++) out[i * width + j]! += sign * values[i * columns + j]!;
}

/** Adds ± (sums, corner) to the last row and the last column of a square matrix. */
export function addLastFeature(sign: number, sums: ArrayLike<number>, corner: number, out: Float64Array): void {
  const last = sums.length;
  const width = last + 1;
  for (let i = 0; i < last; i++) {
    out[last * width + i]! += sign * sums[i]!;
    out[i * width + last]! += sign * sums[i]!;
  }
  out[width * width - 1]! += sign * corner;
}

/** XᵀPX with P = I − 11ᵀ/D, from XᵀX and 1ᵀX. */
export function centredGramOf(gram: Float64Array, columnSum: Float64Array, classes: number): Float64Array {
  const width = columnSum.length;
  return gram.map((value, i) => value - (columnSum[Math.floor(i / width)]! * columnSum[i % width]!) / classes);
}

export function sumSquares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
