/**
 * Generalised cross-validation of a ridge regression (G. Golub, M. Heath, G. Wahba, Technometrics 1979): the error that
 * leave-one-out would find, on average, from one eigendecomposition for all λ.
 *
 * With centred features and targets, HᵀH = P diag(e) Pᵀ and S = (YᵀH)ᵀ(YᵀH) the residual sum of squares and the degrees
 * of freedom of W = YᵀH(HᵀH + λI)⁻¹ are
 *
 *     ‖Y‖² − Σ_i p_iᵀSp_i (e_i + 2λ)/(e_i + λ)²        1 + Σ_i e_i/(e_i + λ)
 *
 * and the criterion is (residual/n)/(1 − degrees/n)². The 1 is the constant feature's, if there is one.
 */
import { symmetricEigen } from './symmetric-eigen.ts';

export interface RidgeSums {
  /** n. */
  readonly examples: number;
  readonly features: number;
  /** Whether the last of the width = features + 1 columns is the constant feature. */
  readonly bias: boolean;
  /** HᵀH, width×width. */
  readonly gram: Float64Array;
  /** VᵀV, width×width. */
  readonly targetGram: Float64Array;
  /** Σ y². */
  readonly targetSquares: number;
}

/** The value of the criterion for one λ, and the degrees of freedom that the fit uses. */
export interface CrossValidation {
  readonly lambda: number;
  /** The criterion, in squared units of the targets for each example, all classes together. */
  readonly criterion: number;
  /** What the fit uses up of n. */
  readonly degreesOfFreedom: number;
}

export class GeneralizedCrossValidation {
  readonly #examples: number;
  readonly #bias: boolean;
  readonly #squares: number;
  readonly #eigenvalues: Float64Array;
  /** p_iᵀSp_i. */
  readonly #explained: Float64Array;

  /** One eigendecomposition, O(d³). */
  constructor(sums: RidgeSums) {
    const { examples, features, bias, targetSquares } = sums;
    const centred = bias && examples > 0;
    const gram = centred ? centredGram(sums) : sums.gram;
    const targetGram = centred ? centredTargetGram(sums) : sums.targetGram;
    const width = features + 1;
    this.#examples = examples;
    this.#bias = bias;
    this.#squares = centred ? targetSquares - sums.targetGram[width * width - 1]! / examples : targetSquares;
    const { values, vectors } = symmetricEigen(gram, features);
    // Negative by rounding only.
    this.#eigenvalues = values.map((value) => Math.max(0, value));
    this.#explained = quadraticForms(vectors, targetGram, features);
  }

  /** The largest eigenvalue, the scale of λ. */
  get scale(): number {
    return this.#eigenvalues.reduce((largest, value) => Math.max(largest, value), 0);
  }

  /** O(d). */
  at(lambda: number): CrossValidation {
    let residual = this.#squares;
    let degreesOfFreedom = this.#bias ? 1 : 0;
    for (let i = 0; i < this.#eigenvalues.length; i++) {
      const eigenvalue = this.#eigenvalues[i]!;
      const sum = eigenvalue + lambda;
      if (sum === 0) continue;
      residual -= (this.#explained[i]! * (eigenvalue + 2 * lambda)) / (sum * sum);
      degreesOfFreedom += eigenvalue / sum;
    }
    const n = this.#examples;
    const left = 1 - degreesOfFreedom / n;
    const criterion = left > 0 ? Math.max(0, residual) / n / (left * left) : Infinity;
    return { lambda, criterion, degreesOfFreedom };
  }

  /** The λ of the smallest criterion, from 1e-12 to 1e3 times the largest eigenvalue, to about one per cent. O(d). */
  best(): CrossValidation {
    const scale = this.scale || 1;
    const at = (exponent: number): CrossValidation => this.at(scale * 10 ** exponent);
    let best = { exponent: 0, value: at(0) };
    const tryAt = (exponent: number): void => {
      const value = at(exponent);
      if (value.criterion < best.value.criterion) best = { exponent, value };
    };
    for (let exponent = -12; exponent <= 3; exponent += 0.25) tryAt(exponent);
    for (let step = 0.125; step > 0.002; step /= 2) {
      const { exponent } = best;
      tryAt(exponent - step);
      tryAt(exponent + step);
    }
    return best.value;
  }
}

/** HᵀH − n·h̄ᵀh̄, features×features. */
function centredGram({ examples, features, gram }: RidgeSums): Float64Array {
  const width = features + 1;
  const sums = gram.subarray(features * width);
  return withoutBias(features, (i, j) => gram[i * width + j]! - (sums[i]! * sums[j]!) / examples);
}

/** TᵀST with T = [I; −h̄], which takes each class's count times h̄ off its row of V. */
function centredTargetGram({ examples, features, gram, targetGram }: RidgeSums): Float64Array {
  const width = features + 1;
  const mean = gram.subarray(features * width, features * width + features).map((sum) => sum / examples);
  const last = targetGram.subarray(features * width);
  return withoutBias(
    features,
    (i, j) =>
      targetGram[i * width + j]! - mean[i]! * last[j]! - last[i]! * mean[j]! + mean[i]! * mean[j]! * last[features]!,
  );
}

function withoutBias(features: number, valueAt: (i: number, j: number) => number): Float64Array {
  const out = new Float64Array(features * features);
  for (let i = 0; i < features; i++) for (let j = 0; j < features; j++) out[i * features + j] = valueAt(i, j);
  return out;
}

/** xᵀSx for each row x. */
function quadraticForms(rows: Float64Array, matrix: Float64Array, n: number): Float64Array {
  const forms = new Float64Array(n);
  for (let row = 0; row < n; row++) {
    let form = 0;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += matrix[i * n + j]! * rows[row * n + j]!;
      form += rows[row * n + i]! * sum;
    }
    forms[row] = form;
  }
  return forms;
}
