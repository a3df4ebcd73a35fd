/**
 * The preconditioned step W ← W − ηGᵀHP with a symmetric positive definite d×d matrix P on the right (mathematics.md
 * §3c): an adaptive rate that does not need the D×d gradient. The exact update only needs K = HP in place of H in the
 * right factor of each term (exact-update.ts, row-form.ts).
 *
 *     S  secondMoment   d×d, S ← ρS + (1 − ρ)HᵀH/m after each step
 *     P  matrix         d×d, (S + λ(tr S/d)I)^(−p), times the factor with tr(PS) = tr S; I until the first refresh
 *
 * p = 1 is recursive least squares, Newton's step of the squared error; p = ½ is the side of the inputs in Shampoo (V.
 * Gupta et al., arXiv:1802.09568). The factor keeps the mean of hᵀPh at that of hᵀh, so a learning rate keeps its
 * meaning.
 *
 * The alternative is to whiten the inputs, h' = Lᵀh with P = LLᵀ. It needs one more product for each step, and whenever
 * P changes, all of W has to be rebased.
 */
import {
  addDiagonal,
  affine,
  axpy,
  copy,
  createHostArray,
  fill,
  gemm,
  read,
  solve,
  symmetricRank2Update,
  write,
  type Backend,
  type FloatArray,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';

/** The power of the inverse second moment, its damping, and how often it is computed. */
export interface PreconditionerOptions {
  /** p: 1 for the inverse of the inputs' second moment, 0.5 for the inverse of its square root. */
  readonly power: 0.5 | 1;
  /** λ: what is added to each eigenvalue of the second moment, in units of their mean; 0.1 unless given. */
  readonly damping?: number;
  /** ρ: what remains of the second moment's average after a step; 0.99 unless given. */
  readonly decay?: number;
  /** Steps between two computations of P; 100 unless given. */
  readonly refreshEvery?: number;
}

function withDefaults({
  power,
  damping = 0.1,
  decay = 0.99,
  refreshEvery = 100,
}: PreconditionerOptions): Required<PreconditionerOptions> {
  return { power, damping, decay, refreshEvery };
}

/** @throws OutputLayerError `bad-option`. */
export function checkPreconditioner(options: PreconditionerOptions): void {
  const { power, damping, decay, refreshEvery } = withDefaults(options);
  const fail = (name: string, what: string, value: unknown): never => {
    throw new OutputLayerError(
      'bad-option',
      `factored layer: preconditioner.${name} must be ${what}, got ${String(value)}`,
    );
  };
  const given: number = power;
  if (given !== 0.5 && given !== 1) fail('power', '0.5 or 1', given);
  if (!(damping >= 1e-4) || !Number.isFinite(damping)) fail('damping', 'a finite number of at least 1e-4', damping);
  if (!(decay >= 0 && decay < 1)) fail('decay', 'at least 0 and below 1', decay);
  if (!Number.isSafeInteger(refreshEvery) || refreshEvery < 1)
    fail('refreshEvery', 'a whole number of at least 1', refreshEvery);
}

export class Preconditioner implements Disposable {
  readonly secondMoment: Matrix;
  readonly options: Required<PreconditionerOptions>;
  readonly #width: number;
  #matrix: Matrix;
  /** P from the newest S, used by steps that are not known to be applied yet. */
  #candidate: Matrix;
  #hasCandidate = false;
  readonly #products: Matrix;
  readonly #system: Matrix;
  readonly #inverse: Matrix;
  readonly #result: Matrix;
  readonly #identity: Matrix;
  readonly #reciprocalCondition: Matrix;
  readonly #moments: FloatArray;
  readonly #values: FloatArray;

  constructor(backend: Backend, width: number, options: PreconditionerOptions) {
    this.options = withDefaults(options);
    this.#width = width;
    const square = (): Matrix => backend.createMatrix(width, width);
    this.#matrix = square();
    this.#candidate = square();
    this.secondMoment = square();
    this.#products = square();
    this.#system = square();
    this.#inverse = square();
    this.#result = square();
    this.#identity = square();
    this.#reciprocalCondition = backend.createMatrix(1, 1);
    this.#moments = createHostArray(backend, width * width);
    this.#values = createHostArray(backend, width * width);
    setIdentity(this.#identity);
    this.reset();
  }

  /** P of the last step. */
  get matrix(): Matrix {
    return this.#matrix;
  }

  /** P = I and no statistics. */
  reset(): void {
    this.#hasCandidate = false;
    setIdentity(this.#matrix);
    fill(0, this.secondMoment);
  }

  /** K = HP, m×d. 2md². */
  apply(workspace: Workspace, hidden: Matrix): Matrix {
    const out = workspace.matrix('preconditioned hidden', hidden.rows, hidden.columns);
    gemm(hidden, this.#hasCandidate ? this.#candidate : this.#matrix, out);
    return out;
  }

  /** Adds a minibatch to S. md² where a backend has a symmetric product. */
  observe(hidden: Matrix): void {
    if (hidden.rows === 0) return;
    const { decay } = this.options;
    symmetricRank2Update(hidden, hidden, this.#products, { alpha: (1 - decay) / (2 * hidden.rows) });
    affine(this.secondMoment, decay, 0, this.secondMoment);
    axpy(1, this.#products, this.secondMoment);
  }

  /** Whether P is to be computed before the step that follows `steps` others. */
  isDue(steps: number): boolean {
    return steps > 0 && steps % this.options.refreshEvery === 0;
  }

  /**
   * Computes P from S for the next steps; the same S gives the same P. P stays as it is when S is 0 or not finite. About
   * 3d³ operations for p = 1, 5d³ for each of about ten iterations for p = ½.
   */
  async refresh(): Promise<void> {
    const { power, damping } = this.options;
    const moments = await read(this.secondMoment, this.#moments);
    const width = this.#width;
    let trace = 0;
    let squares = 0;
    for (let i = 0; i < width; i++) trace += moments[i * (width + 1)]!;
    for (const value of moments) squares += value ** 2;
    if (!(trace > 0) || !Number.isFinite(squares)) return;
    const smallest = (damping * trace) / width;
    // All eigenvalues of the damped matrix are between `smallest` and `largest`.
    const largest = Math.sqrt(squares) + smallest;
    const scale = 1 / Math.sqrt(smallest * largest);
    affine(this.secondMoment, scale, 0, this.#system);
    addDiagonal(smallest * scale, this.#system);
    if (power === 1) solve(this.#system, this.#identity, this.#result, this.#reciprocalCondition);
    else this.#invertSquareRoot(Math.sqrt(largest / smallest));
    const values = await read(this.#result, this.#values);
    symmetrize(values, width);
    let weighted = 0;
    for (let i = 0; i < values.length; i++) weighted += values[i]! * moments[i]!;
    const factor = trace / weighted;
    if (!(factor > 0) || !Number.isFinite(factor)) return;
    for (let i = 0; i < values.length; i++) values[i]! *= factor;
    write(values, this.#candidate);
    this.#hasCandidate = true;
  }

  /** To be called when a step with the computed P is known to be applied: a rejected step must not change P. */
  commit(): void {
    if (!this.#hasCandidate) return;
    [this.#matrix, this.#candidate] = [this.#candidate, this.#matrix];
    this.#hasCandidate = false;
  }

  /**
   * Result = system^(−½) by the product form of the Denman–Beavers iteration (S. H. Cheng et al., SIAM J. Matrix Anal.
   * Appl. 22, 2001), M ← ½I + ¼(M + M⁻¹), Y ← ½Y(I + M⁻¹) with M = system and Y = I at first: it converges from any
   * positive definite matrix, quadratically near the end, and uses only products and inverses.
   * @param bound the eigenvalues of the system are between 1/bound and bound.
   */
  #invertSquareRoot(bound: number): void {
    const result = this.#result;
    copy(this.#identity, result);
    // An eigenvalue of M follows the same rule, the more slowly the further it is from 1.
    for (let eigenvalue = bound; ; eigenvalue = 0.5 + (eigenvalue + 1 / eigenvalue) / 4) {
      solve(this.#system, this.#identity, this.#inverse, this.#reciprocalCondition);
      copy(result, this.#products);
      gemm(this.#products, this.#inverse, result, { alpha: 0.5, beta: 0.5 });
      if (eigenvalue - 1 < 1e-8) return;
      axpy(1, this.#inverse, this.#system);
      affine(this.#system, 0.25, 0, this.#system);
      addDiagonal(0.5, this.#system);
    }
  }

  [Symbol.dispose](): void {
    for (const matrix of [
      this.#matrix,
      this.#candidate,
      this.secondMoment,
      this.#products,
      this.#system,
      this.#inverse,
      this.#result,
      this.#identity,
      this.#reciprocalCondition,
    ]) {
      matrix[Symbol.dispose]();
    }
  }
}

function setIdentity(matrix: Matrix): void {
  fill(0, matrix);
  addDiagonal(1, matrix);
}

/** The mean of a square matrix and its transpose, in place. */
function symmetrize(values: FloatArray, width: number): void {
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < i; j++) {
      const mean = (values[i * width + j]! + values[j * width + i]!) / 2;
      values[i * width + j] = mean;
      values[j * width + i] = mean;
    }
  }
}
