/**
 * The update in m×m form (arXiv:1606.08061 §5, with Woodbury's identity for the minibatch): cheapest while m < d. 14md²
 * + 8m²d + ⅔m³ operations. With a = 2ηα, and P = I − 11ᵀ/D for the centred parts:
 *
 *     F = H U⁻¹    (I − H Hᵀ diag(a)) F̃ = F    U ← U − H̃ᵀ diag(a) H    U⁻¹ ← U⁻¹ + Hᵀ diag(a) F̃    V_c ← V_c − η γ_jc F̃_j
 *     M = (PG)ᵀPG = R + Rᵀ + ΓΓᵀ − yyᵀ/D,  R = diag(2α) H (Z_c + diag(α) H C)ᵀ  with Z_c = Z − y w̄ᵀ/D
 *     B = η(2 diag(α) H C + Z_c) − (η²/2) M H        C ← C − BᵀH − HᵀB
 *     ω ← ω − Hᵀ(a∘Hω + η(β − 2αs/D))        w̄ ← w̄ − ηHᵀ(Dβ + y)
 */
import {
  addDiagonal,
  binary,
  gatherRows,
  gemm,
  scaleRows,
  scatterAddRows,
  scatterRows,
  solve,
  symmetricRank2Update,
  unary,
  type Matrix,
} from '@vastmax/linalg-core';
import { ofPairs, project } from './forward-pass.ts';
import {
  touchedRows,
  updateColumnSum,
  updateRowsInFreshBasis,
  updateShift,
  type ExactUpdate,
  type UpdateInputs,
} from './exact-update.ts';

export class SmallBatchUpdate implements ExactUpdate {
  readonly form = 'small-batch';
  /** Pairs of pairs that share a class: their γ products make ΓΓᵀ. */
  #first: Int32Array = new Int32Array(0);
  #second: Int32Array = new Int32Array(0);
  #place: Int32Array = new Int32Array(0);
  #order: Int32Array = new Int32Array(0);
  #start: Int32Array = new Int32Array(0);

  solve({ workspace, weights, forward, gradients, learningRate, reciprocalCondition }: UpdateInputs): Matrix {
    const { hidden } = forward;
    const system = workspace.matrix('small system', hidden.rows, hidden.rows);
    // −2η HHᵀ diag(α): symmetric until its columns are scaled.
    symmetricRank2Update(hidden, hidden, system, { transpose: true, alpha: -learningRate });
    binary('multiply', system, gradients.alpha.resize(1, hidden.rows), system);
    gradients.alpha.resize(hidden.rows, 1);
    addDiagonal(1, system);
    const before = workspace.matrix('F', hidden.rows, hidden.columns);
    gemm(hidden, weights.inverse, before);
    solve(system, before, workspace.matrix('F new', hidden.rows, hidden.columns), reciprocalCondition);
    return system;
  }

  apply(inputs: UpdateInputs, kind: 'regular' | 'singular'): void {
    const { workspace, weights, forward, gradients, pairs, learningRate, alphaHidden } = inputs;
    const { hidden } = forward;
    this.#updateGram(inputs);
    updateColumnSum(inputs);
    updateShift(inputs);
    // U, with the old H̃.
    gemm(forward.projected ?? project(workspace, hidden, weights), alphaHidden, weights.map, {
      transposeA: true,
      alpha: -2 * learningRate,
      beta: 1,
    });
    weights.markUpdated();

    if (kind === 'singular') {
      updateRowsInFreshBasis(workspace, weights, touchedRows(inputs), learningRate);
      return;
    }
    const after = workspace.matrix('F new', hidden.rows, hidden.columns);
    gemm(alphaHidden, after, weights.inverse, { transposeA: true, alpha: 2 * learningRate, beta: 1 });
    const byPair = workspace.matrix('gradient by pair', pairs.count, hidden.columns);
    scaleRows(ofPairs(workspace, pairs, forward.pairRows, 'F new by pair', after), gradients.gamma, byPair);
    // The rows are at hand from the forward pass; storing them is a copy, adding to the table's would read it again.
    scatterAddRows(byPair, forward.pairSlots, forward.touchedRows, { scale: -learningRate });
    scatterRows(forward.touchedRows, forward.slotClasses, weights.rows);
  }

  #updateGram(inputs: UpdateInputs): void {
    const { workspace, weights, forward, backward, learningRate, alphaHidden } = inputs;
    const { hidden } = forward;
    const m = hidden.rows;
    const inner = workspace.matrix('gradient gram', m, m);
    // R + Rᵀ.
    symmetricRank2Update(alphaHidden, backward.halfGradient, inner, { transpose: true, alpha: 2 });
    gemm(backward.gammaSum, backward.gammaSum, inner, { transposeB: true, alpha: -1 / weights.classes, beta: 1 });
    this.#addGammaGram(inputs, inner);

    // B takes the place of the centred gradient.
    const change = backward.centredGradient;
    gemm(inner, hidden, change, { alpha: (-learningRate * learningRate) / 2, beta: learningRate });
    symmetricRank2Update(change, hidden, weights.centredGram, { alpha: -1, beta: 1 });
  }

  /** inner += ΓΓᵀ, from the pairs that share a class: Σ_c n_c² products instead of 2m²C. */
  #addGammaGram(inputs: UpdateInputs, inner: Matrix): void {
    const { workspace, gradients } = inputs;
    const m = inner.rows;
    const products = this.#pairsOfPairs(inputs, m);
    if (products === 0) return;
    const first = workspace.matrix('gamma first', products, 1);
    // No class twice: each pair goes with itself, in order.
    if (products === inputs.pairs.count) unary('square', gradients.gamma, first);
    else {
      const second = workspace.matrix('gamma second', products, 1);
      gatherRows(gradients.gamma, workspace.indices('pair first', this.#first, products), first);
      gatherRows(gradients.gamma, workspace.indices('pair second', this.#second, products), second);
      binary('multiply', first, second, first);
    }
    scatterAddRows(first, workspace.indices('pair place', this.#place, products), inner.resize(m * m, 1));
    inner.resize(m, m);
  }

  /** Lists every ordered pair of pairs of the same class, with its place j·m + k in the m×m matrix. */
  #pairsOfPairs({ pairs }: UpdateInputs, m: number): number {
    let products = 0;
    for (let slot = 0; slot < pairs.touched; slot++) products += pairs.pairsOfSlot[slot]! ** 2;
    if (this.#first.length < products) {
      const room = Math.ceil(products * 1.5);
      this.#first = new Int32Array(room);
      this.#second = new Int32Array(room);
      this.#place = new Int32Array(room);
    }
    if (this.#order.length < pairs.count) {
      this.#order = new Int32Array(Math.ceil(pairs.count * 1.5));
      this.#start = new Int32Array(Math.ceil(pairs.count * 1.5) + 1);
    }
    // Counting sort of the pairs by slot.
    const start = this.#start;
    start[0] = 0;
    for (let slot = 0; slot < pairs.touched; slot++) start[slot + 1] = start[slot]! + pairs.pairsOfSlot[slot]!;
    for (let pair = pairs.count - 1; pair >= 0; pair--) {
      const slot = pairs.slots[pair]!;
      this.#order[--start[slot + 1]!] = pair;
    }
    // start[slot + 1] now is where the slot begins.
    let product = 0;
    for (let slot = 0; slot < pairs.touched; slot++) {
      const begin = start[slot + 1]!;
      const end = begin + pairs.pairsOfSlot[slot]!;
      for (let i = begin; i < end; i++) {
        for (let j = begin; j < end; j++) {
          const one = this.#order[i]!;
          const other = this.#order[j]!;
          this.#first[product] = one;
          this.#second[product] = other;
          this.#place[product++] = pairs.rows[one]! * m + pairs.rows[other]!;
        }
      }
    }
    return products;
  }
}
