/**
 * Half a sweep of alternating least squares: every row x of one table given the other table V. Each is the solution of
 *
 *     (a₀G + λI + Σ y v vᵀ) x = Σ y v        G = VᵀV, the sums over the row's entries
 *
 * with a λ of its own. One eigendecomposition G = PEPᵀ serves them all: in the basis P, to which V is changed for good,
 * a₀G + λI is the diagonal a₀E + λ. A row of n ≤ d entries is then a system of n unknowns (leastSquaresRows of
 * linalg-core, n²d operations), where solving in d unknowns takes nd² + d³/3. Outputs V·x do not depend on the basis.
 */
import {
  addDiagonal,
  affine,
  binary,
  copy,
  createHostArray,
  fill,
  gatherRows,
  gemm,
  leastSquaresRows,
  scaleRows,
  scatterRows,
  solve,
  write,
  type FloatArray,
  type Matrix,
  type RowTable,
  type Workspace,
} from '@vastmax/linalg-core';
import type { CsrRows } from '@vastmax/sparse-data';
import { BlockSums } from '../ridge/host-sums.ts';
import { symmetricEigen } from '../ridge/symmetric-eigen.ts';
import { rowsPerBlock, type TableBlocks } from '../ridge/table-blocks.ts';

/** Rows solved by one call of a kernel. */
export const listsPerBlock = 1024;

/** V in the basis in which VᵀV is diagonal. */
export interface FixedRows {
  readonly table: RowTable;
  /** 1×d: a₀ times the eigenvalues of VᵀV. */
  readonly base: Matrix;
}

export class RowSolver {
  readonly #workspace: Workspace;
  readonly #blocks: TableBlocks;
  readonly #features: number;
  readonly #unobservedWeight: number;
  readonly #values: FloatArray;
  readonly #offsets = new Int32Array(listsPerBlock + 1);

  constructor(workspace: Workspace, blocks: TableBlocks, features: number, unobservedWeight: number) {
    this.#workspace = workspace;
    this.#blocks = blocks;
    this.#features = features;
    this.#unobservedWeight = unobservedWeight;
    this.#values = createHostArray(workspace.backend, features * features);
  }

  /**
   * Changes the basis of V. 4d² operations a row and one eigendecomposition of d×d on the host.
   * @param base 1×d, which is written.
   */
  async diagonalize(table: RowTable, base: Matrix): Promise<FixedRows> {
    const d = this.#features;
    const sums = new BlockSums(this.#workspace, d, this.#values);
    for (let first = 0; first < table.rows; first += rowsPerBlock)
      await this.#blocks.use(table, first, (block) => sums.add(block));
    const { values, vectors } = symmetricEigen(sums.gram, d);
    const basis = this.#workspace.matrix('basis', d, d);
    write(vectors, basis);
    for (let first = 0; first < table.rows; first += rowsPerBlock) {
      const turned = this.#workspace.matrix('turned rows', Math.min(rowsPerBlock, table.rows - first), d);
      this.#blocks.use(table, first, (block) => {
        gemm(block, basis, turned, { transposeB: true });
      });
      this.#blocks.put(turned, first, table);
    }
    // Negative by rounding only.
    write(
      values.map((value) => this.#unobservedWeight * Math.max(0, value)),
      base,
    );
    return { table, base };
  }

  /**
   * The solutions of `count` rows of `sets` from `first` on, at most listsPerBlock, into `out`, count×d.
   * @param sets entries of weight y, positive; `columns` are the rows of V.
   * @param penalties λ of each row of `sets`.
   */
  solve(
    { table, base }: FixedRows,
    sets: CsrRows,
    penalties: Float64Array,
    first: number,
    count: number,
    out: Matrix,
  ): void {
    const d = this.#features;
    const workspace = this.#workspace;
    const { offsets, indices, values } = sets;
    const starts = this.#offsets;
    starts[0] = 0;
    for (let row = 0; row < count; row++) {
      const length = offsets[first + row + 1]! - offsets[first + row]!;
      starts[row + 1] = starts[row]! + (length <= d ? length : 0);
    }
    const shortIndices = new Int32Array(starts[count]!);
    const shortWeights = values === undefined ? undefined : new Float64Array(starts[count]!);
    for (let row = 0; row < count; row++) {
      const start = offsets[first + row]!;
      const end = start + starts[row + 1]! - starts[row]!;
      shortIndices.set(indices.subarray(start, end), starts[row]!);
      if (values !== undefined) shortWeights?.set(values.subarray(start, end), starts[row]!);
    }
    const shifts = workspace.matrix('shifts', count, 1);
    write(penalties.subarray(first, first + count), shifts);
    const lists = {
      offsets: workspace.indices('offsets', starts, count + 1),
      indices: workspace.indices('short entries', shortIndices),
      weights: shortWeights === undefined ? undefined : this.#column('short weights', shortWeights),
    };
    leastSquaresRows(table, lists, { base, shifts }, out, workspace);
    for (let row = 0; row < count; row++) {
      const [start, end] = [offsets[first + row]!, offsets[first + row + 1]!];
      if (end - start <= d) continue;
      const weights = values?.subarray(start, end);
      const x = this.#solveLong({ table, base }, indices.subarray(start, end), weights, penalties[first + row]!);
      scatterRows(x, workspace.indices('long row', Int32Array.of(row)), out);
    }
  }

  /** In d unknowns: nd² + d³ operations. */
  #solveLong(
    { table, base }: FixedRows,
    entries: Int32Array,
    weights: Float32Array | Float64Array | undefined,
    penalty: number,
  ): Matrix {
    const d = this.#features;
    const workspace = this.#workspace;
    const system = workspace.matrix('system', d, d);
    const side = workspace.matrix('side', 1, d);
    const diagonal = workspace.matrix('diagonal', 1, d);
    affine(base, 1, penalty, diagonal);
    const identity = workspace.matrix('identity', d, d);
    fill(0, identity);
    addDiagonal(1, identity);
    binary('multiply', identity, diagonal, system);
    fill(0, side);
    for (let from = 0; from < entries.length; from += rowsPerBlock) {
      const part = entries.subarray(from, from + rowsPerBlock);
      const rows = workspace.matrix('entry rows', part.length, d);
      gatherRows(table, workspace.indices('entries', part), rows);
      const column = this.#column(
        'entry weights',
        weights?.subarray(from, from + rowsPerBlock) ?? new Float64Array(part.length).fill(1),
      );
      gemm(column, rows, side, { transposeA: true, beta: 1 });
      const weighted = workspace.matrix('weighted rows', part.length, d);
      if (weights === undefined) copy(rows, weighted);
      else scaleRows(rows, column, weighted);
      gemm(rows, weighted, system, { transposeA: true, beta: 1 });
    }
    const solution = workspace.matrix('solution', d, 1);
    solve(system, side.resize(d, 1), solution, workspace.matrix('condition', 1, 1));
    return solution.resize(1, d);
  }

  #column(name: string, values: Float32Array | Float64Array): Matrix {
    const column = this.#workspace.matrix(name, values.length, 1);
    write(values, column);
    return column;
  }
}
