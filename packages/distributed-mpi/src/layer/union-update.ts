/**
 * The row form of the update (mathematics.md §3b, spherical-losses' row-form-update.ts) over the union of the ranks' minibatches. What a rank adds from
 * its own examples:
 *
 *     E = −Hᵀdiag(2ηα)H    Y = Z_cᵀH    v = Hᵀy    Δw̄ = −ηHᵀ(Dβ + y)    Δω = −ηHᵀ(a∘Hω + …)    R = ΓᵀH, sent to the owners, who make N = RᵀR
 *
 * Then every rank changes U, U⁻¹, C, w̄ and ω by the same sums in the same way, and each owner its own rows of V.
 */
import { addDiagonal, affine, axpy, binary, copy, fill, gemm, scatterRows, solve, symmetricRank2Update, type Indices, type Matrix, type Workspace } from '@vastmax/linalg-core';
import {
  touchedGradient,
  updateColumnSum,
  updateShift,
  type BackwardPass,
  type FactoredWeights,
  type ForwardPass,
  type LossGradients,
  type TargetPairs,
} from '@vastmax/spherical-losses/factored-parts';
import type { FusedSums, Sum } from './fused-sums.ts';

export interface OwnExamples {
  readonly forward: ForwardPass;
  readonly gradients: LossGradients;
  readonly backward: BackwardPass;
  readonly pairs: TargetPairs;
  /** diag(α)H. */
  readonly alphaHidden: Matrix;
}

/** The rows of V that this rank owns and anybody touches, in the order of the exchange. */
export interface OwnedRows {
  readonly classes: Int32Array;
  readonly count: number;
  readonly indices: Indices;
  /** count×d, in the current generation. */
  readonly rows: Matrix;
  /** R: count×d. */
  readonly gradient: Matrix;
}

export class UnionUpdate {
  readonly #workspace: Workspace;
  readonly #weights: FactoredWeights;
  /** D over all ranks. */
  readonly #classes: number;

  constructor(workspace: Workspace, weights: FactoredWeights, classes: number) {
    this.#workspace = workspace;
    this.#weights = weights;
    this.#classes = classes;
  }

  /** This rank's share of the sums, but for N. @returns R of this rank's own examples, a row for each touched class. */
  async share(examples: OwnExamples, learningRate: number, sums: FusedSums): Promise<Matrix> {
    const workspace = this.#workspace;
    const { forward, gradients, backward, pairs, alphaHidden } = examples;
    const d = this.#weights.width;
    const change = workspace.matrix('E', d, d);
    gemm(alphaHidden, forward.hidden, change, { transposeA: true, alpha: -2 * learningRate });
    await sums.put('change', change);
    const cross = workspace.matrix('Y', d, d);
    gemm(backward.centredSparse, forward.hidden, cross, { transposeA: true });
    await sums.put('cross', cross);
    const gammaVector = workspace.matrix('v', 1, d);
    gemm(backward.gammaSum, forward.hidden, gammaVector, { transposeA: true });
    await sums.put('gammaVector', gammaVector);

    const inputs = { workspace, forward, gradients, backward, learningRate };
    const columnSum = workspace.matrix('column sum change', 1, d);
    fill(0, columnSum);
    updateColumnSum({ ...inputs, weights: { classes: this.#classes, columnSum } });
    await sums.put('columnSum', columnSum);
    const shift = workspace.matrix('shift change', 1, d);
    fill(0, shift);
    updateShift({ ...inputs, weights: { classes: this.#classes, shift } });
    await sums.put('shift', shift);
    return touchedGradient({ workspace, forward, gradients, pairs });
  }

  /** N of the rows that this rank owns. */
  async shareGram(gradient: Matrix, sums: FusedSums): Promise<void> {
    const d = this.#weights.width;
    const gram = this.#workspace.matrix('N', d, d);
    gemm(gradient, gradient, gram, { transposeA: true });
    await sums.put('gram', gram);
  }

  /** T = I + E and the inverse that U would have, from the reduced sums. @returns T. */
  solve(sums: FusedSums, reciprocalCondition: Matrix): Matrix {
    const d = this.#weights.width;
    const change = this.#taken(sums, 'change', 'E', d);
    const contraction = this.#workspace.matrix('T', d, d);
    copy(change, contraction);
    addDiagonal(1, contraction);
    const spare = this.#weights.spare('inverse');
    const correction = this.#workspace.matrix('inverse correction', d, d);
    gemm(change, this.#weights.inverse, spare);
    solve(contraction, spare, correction, reciprocalCondition);
    binary('subtract', this.#weights.inverse, correction, spare);
    return contraction;
  }

  /** After `solve`: change everything. */
  apply(sums: FusedSums, owned: OwnedRows, learningRate: number, kind: 'regular' | 'singular'): void {
    const weights = this.#weights;
    const d = weights.width;
    const change = this.#workspace.matrix('E', d, d);
    this.#updateGram(sums, change, learningRate);
    axpy(1, this.#taken(sums, 'columnSum', 'column sum change', 1), weights.columnSum);
    axpy(1, this.#taken(sums, 'shift', 'shift change', 1), weights.shift);
    copy(weights.map, weights.spare('map'));
    gemm(weights.map, change, weights.spare('map'), { beta: 1 });
    weights.swap('map');
    weights.markUpdated();
    if (kind === 'singular') {
      this.#rowsInFreshBasis(owned, learningRate);
      return;
    }
    weights.swap('inverse');
    const inBasis = this.#workspace.matrix('gradient in basis', owned.count, d);
    gemm(owned.gradient, weights.inverse, inBasis);
    axpy(-learningRate, inBasis, owned.rows);
    scatterRows(owned.rows, owned.indices, weights.rows);
  }

  /** C ← C + (I + E/2)ᵀCE + (CE)ᵀ(I + E/2) − η(TᵀY + YᵀT) + η²(N − vᵀv/D), symmetric to the last bit. */
  #updateGram(sums: FusedSums, change: Matrix, learningRate: number): void {
    const workspace = this.#workspace;
    const { centredGram, width: d } = this.#weights;
    const product = workspace.matrix('CE', d, d);
    gemm(centredGram, change, product);
    const half = workspace.matrix('I + E/2', d, d);
    affine(change, 0.5, 0, half);
    addDiagonal(1, half);
    symmetricRank2Update(half, product, centredGram, { beta: 1 });
    const cross = this.#taken(sums, 'cross', 'Y', d);
    symmetricRank2Update(workspace.matrix('T', d, d), cross, centredGram, { alpha: -learningRate, beta: 1 });
    axpy(learningRate ** 2, this.#taken(sums, 'gram', 'N', d), centredGram);
    const v = this.#taken(sums, 'gammaVector', 'v', 1);
    gemm(v, v, centredGram, { transposeA: true, alpha: -(learningRate ** 2) / this.#classes, beta: 1 });
  }

  /** U has no usable inverse: the touched rows go on in a basis where U = I. */
  #rowsInFreshBasis({ classes, count, indices, rows, gradient }: OwnedRows, learningRate: number): void {
    const weights = this.#weights;
    const converted = this.#workspace.matrix('singular rows', count, weights.width);
    gemm(rows, weights.map, converted);
    binary('add', converted, weights.shift, converted);
    axpy(-learningRate, gradient, converted);
    weights.closeGeneration();
    scatterRows(converted, indices, weights.rows);
    weights.tagCurrent(classes, count);
  }

  #taken(sums: FusedSums, sum: Sum, name: string, rows: number): Matrix {
    return sums.take(sum, this.#workspace.matrix(name, rows, this.#weights.width));
  }
}
