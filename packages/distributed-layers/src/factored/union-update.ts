/**
 * The row form of the update (mathematics.md §3b, spherical-losses' row-form.ts) over the union of the ranks'
 * minibatches. What a rank adds from its own examples:
 *
 *     E = −Hᵀdiag(2ηα)H    Y = Z_cᵀH    v = Hᵀy    Δw̄ = −ηHᵀ(Dβ + y)    Δω = −ηHᵀ(a∘Hω + …)    R = ΓᵀH, sent to the owners, who make N = RᵀR
 *
 * Then every rank changes U, U⁻¹, C, w̄ and ω by the same sums in the same way, and each owner its own rows of V.
 */
import { axpy, fill, gemm, type Matrix, type Workspace } from '@vastmax/linalg-core';
import {
  crossProduct,
  gammaVector,
  mapChange,
  solveMap,
  touchedGradient,
  updateColumnSum,
  updateGram,
  updateMapAndRows,
  updateShift,
  type BackwardPass,
  type FactoredWeights,
  type ForwardPass,
  type LossGradients,
  type TargetPairs,
  type TouchedRows,
} from '@vastmax/spherical-losses/factored-parts';
import type { RowPartition } from '../rows/row-partition.ts';
import type { FusedSums, Sum } from './fused-sums.ts';

export interface OwnExamples {
  readonly forward: ForwardPass;
  readonly gradients: LossGradients;
  readonly backward: BackwardPass;
  readonly pairs: TargetPairs;
  /** diag(α)H. */
  readonly alphaHidden: Matrix;
}

export class UnionUpdate {
  readonly #workspace: Workspace;
  readonly #weights: FactoredWeights;
  readonly #partition: RowPartition;

  constructor(workspace: Workspace, weights: FactoredWeights, partition: RowPartition) {
    this.#workspace = workspace;
    this.#weights = weights;
    this.#partition = partition;
  }

  /** D over all ranks. */
  get #classes(): number {
    return this.#partition.rows;
  }

  /** This rank's share of the sums, but for N. @returns R of this rank's own examples, a row for each touched class. */
  async share(examples: OwnExamples, learningRate: number, sums: FusedSums): Promise<Matrix> {
    const workspace = this.#workspace;
    const d = this.#weights.width;
    const inputs = { ...examples, workspace, learningRate };
    await sums.put('change', mapChange(inputs));
    await sums.put('cross', crossProduct(inputs));
    await sums.put('gammaVector', gammaVector(inputs));
    const columnSum = workspace.matrix('column sum change', 1, d);
    fill(0, columnSum);
    updateColumnSum({ ...inputs, weights: { classes: this.#classes, columnSum } });
    await sums.put('columnSum', columnSum);
    const shift = workspace.matrix('shift change', 1, d);
    fill(0, shift);
    updateShift({ ...inputs, weights: { classes: this.#classes, shift } });
    await sums.put('shift', shift);
    return touchedGradient(inputs);
  }

  /** N of the rows that this rank owns. */
  async shareGram(gradient: Matrix, sums: FusedSums): Promise<void> {
    const d = this.#weights.width;
    const gram = this.#workspace.matrix('N', d, d);
    gemm(gradient, gradient, gram, { transposeA: true });
    await sums.put('gram', gram);
  }

  /** From the reduced sums. @returns T = I + E. */
  solve(sums: FusedSums, reciprocalCondition: Matrix): Matrix {
    return solveMap(
      this.#workspace,
      this.#weights,
      this.#taken(sums, 'change', 'E', this.#weights.width),
      reciprocalCondition,
    );
  }

  /**
   * After `solve`: change everything.
   * @param owned rows that this rank owns and anybody touches, in the order of the exchange.
   */
  apply(sums: FusedSums, owned: TouchedRows, learningRate: number, kind: 'regular' | 'singular'): void {
    const weights = this.#weights;
    const { centredGram, width } = weights;
    updateGram(this.#workspace, weights, this.#taken(sums, 'cross', 'Y', width), learningRate);
    axpy(learningRate ** 2, this.#taken(sums, 'gram', 'N', width), centredGram);
    const v = this.#taken(sums, 'gammaVector', 'v', 1);
    gemm(v, v, centredGram, { transposeA: true, alpha: -(learningRate ** 2) / this.#classes, beta: 1 });
    axpy(1, this.#taken(sums, 'columnSum', 'column sum change', 1), weights.columnSum);
    axpy(1, this.#taken(sums, 'shift', 'shift change', 1), weights.shift);
    updateMapAndRows(this.#workspace, weights, owned, learningRate, kind);
  }

  #taken(sums: FusedSums, sum: Sum, name: string, rows: number): Matrix {
    return sums.take(sum, this.#workspace.matrix(name, rows, this.#weights.width));
  }
}
