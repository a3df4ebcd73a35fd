/**
 * Regularisers of W that the factored form applies exactly after a step, as weight decay is (factored-weights.ts), at a
 * cost that does not depend on D (mathematics.md §8). P = I − 11ᵀ/D.
 *
 * Decay of the touched rows, w_c ← (1 − δ_c)w_c. With Δ_c = −δ_c w_c, D_c = w_c − w̄/D and t = Σ_c Δ_c:
 *
 *     V_c ← (1 − δ_c)V_c − δ_c ωU⁻¹    C ← C + Σ_c(D_cᵀΔ_c + Δ_cᵀD_c + Δ_cᵀΔ_c) − tᵀt/D    w̄ ← w̄ + t
 *
 * Spread-out, ‖WWᵀ‖²_F = ‖Q‖²_F with the gradient 4WQ, is a product on the right, W ← W(I + E) with E = −4ηλQ:
 *
 *     U ← U + UE    U⁻¹ ← U⁻¹ − (I + E)⁻¹EU⁻¹    ω ← ω + ωE    w̄ ← w̄ + w̄E    C ← (I + E)C(I + E)
 */
import {
  addDiagonal,
  affine,
  axpy,
  binary,
  copy,
  fill,
  gatherRows,
  gemm,
  scaleRows,
  scatterRows,
  solve,
  symmetricRank2Update,
  write,
  type Backend,
  type Indices,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import { OutputLayerError, StepMonitor } from '@vastmax/output-layer';
import type { FactoredWeights } from './factored-weights.ts';
import type { TargetPairs } from './forward-pass.ts';

/** The weight decay of target rows: strength·frequency^power for each class. */
export interface RowDecay {
  /** λ. */
  readonly strength: number;
  /** ν, 1 unless given; another power needs frequencies. */
  readonly power?: number;
  /** How often each class is a target in one pass over the data, D numbers above 0; needed for a power other than 1. */
  readonly frequencies?: ArrayLike<number>;
}

export interface RegularizerOptions {
  /**
   * After each step w_c ← (1 − δ_c)·w_c for each target class c of the minibatch, exactly: δ_c = ηλ·n_c·f_c^(ν − 1) with
   * n_c examples that have the target (over m for a mean) and f_c in the data, so ηλ·f_c^ν in one pass over them, as
   * alternating least squares scales its regularisation (arXiv:2110.14037 §4). O(d²) a class.
   */
  readonly rowDecay?: RowDecay;
  /**
   * λ of the spread-out regulariser λ‖WWᵀ‖²: after each step W ← W(I − 4ηλWᵀW), exactly; class vectors are drawn away
   * from each other (arXiv:1708.06320 for descriptors). About 12d³ operations a step. 0 unless given.
   */
  readonly spreadOut?: number;
}

type LayerOptions = RegularizerOptions & { readonly classes: number; readonly reduction?: 'mean' | 'sum' };

/** @throws OutputLayerError `bad-option`. */
export function checkRegularizers({ classes, rowDecay, spreadOut }: LayerOptions): void {
  checkStrength('spreadOut', spreadOut);
  if (rowDecay === undefined) return;
  const { strength, power = 1, frequencies } = rowDecay;
  checkStrength('rowDecay.strength', strength);
  if (!Number.isFinite(power))
    throw new OutputLayerError('bad-option', `factored layer: rowDecay.power must be a finite number, got ${power}`);
  if (frequencies === undefined) {
    if (power === 1) return;
    throw new OutputLayerError('bad-option', `factored layer: rowDecay.power ${power} needs rowDecay.frequencies`);
  }
  if (frequencies.length !== classes) {
    throw new OutputLayerError(
      'bad-option',
      `factored layer: rowDecay has ${frequencies.length} frequencies, the layer ${classes} classes`,
    );
  }
  for (let i = 0; i < classes; i++) {
    if (frequencies[i]! > 0 && Number.isFinite(frequencies[i])) continue;
    throw new OutputLayerError(
      'bad-option',
      `factored layer: rowDecay.frequencies must be above 0, that of class ${i} is ${frequencies[i]}`,
    );
  }
}

function checkStrength(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isFinite(value) && value >= 0)) return;
  throw new OutputLayerError(
    'bad-option',
    `factored layer: ${name} must be a finite number of at least 0, got ${value}`,
  );
}

/** 4ηλ‖Q‖ must be below it before a step, so that I + E has an inverse after it. */
const largestContraction = 0.5;

export class Regularizers implements Disposable {
  readonly #options: LayerOptions;
  readonly #weights: FactoredWeights;
  readonly #workspace: Workspace;
  readonly #monitor: StepMonitor;
  readonly #reciprocalCondition: Matrix;
  /** δ of each slot. */
  #decays: Float64Array = new Float64Array(0);

  constructor(backend: Backend, options: LayerOptions, workspace: Workspace, weights: FactoredWeights) {
    this.#options = options;
    this.#weights = weights;
    this.#workspace = workspace;
    this.#monitor = new StepMonitor(backend);
    this.#reciprocalCondition = backend.createMatrix(1, 1);
  }

  /** Undefined for options without regularisers. */
  static of(
    backend: Backend,
    options: LayerOptions,
    workspace: Workspace,
    weights: FactoredWeights,
  ): Regularizers | undefined {
    const { rowDecay, spreadOut = 0 } = options;
    if (rowDecay === undefined && spreadOut === 0) return undefined;
    return new Regularizers(backend, options, workspace, weights);
  }

  /**
   * Before a weight of the step is changed: whether the rate is small enough.
   * @throws OutputLayerError `bad-option`.
   */
  async prepare(pairs: TargetPairs, learningRate: number): Promise<void> {
    this.#computeDecays(pairs, learningRate);
    const { spreadOut = 0 } = this.#options;
    if (spreadOut === 0) return;
    const { centredGram, columnSum, classes } = this.#weights;
    this.#monitor.watchSquares(0, centredGram);
    this.#monitor.watchSquares(1, columnSum);
    await this.#monitor.read();
    const norm = Math.sqrt(this.#monitor.value(0)) + this.#monitor.value(1) / classes;
    if (4 * learningRate * spreadOut * norm < largestContraction) return;
    throw new OutputLayerError(
      'bad-option',
      `factored step: learningRate ${learningRate} times spreadOut ${spreadOut} must be below ${(largestContraction / 4 / norm).toPrecision(3)} with these weights`,
    );
  }

  /** After the step: the rows of `pairs` are of the current epoch. @param touched their classes. */
  apply(pairs: TargetPairs, touched: Indices, learningRate: number): void {
    const { rowDecay, spreadOut = 0 } = this.#options;
    if (rowDecay !== undefined && pairs.touched > 0) this.#decayRows(pairs.touched, touched);
    if (spreadOut !== 0) this.#spread(4 * learningRate * spreadOut);
  }

  /** δ_c = ηλ·n_c·f_c^(ν − 1), over m for a mean. */
  #computeDecays(pairs: TargetPairs, learningRate: number): void {
    const { rowDecay, reduction } = this.#options;
    if (rowDecay === undefined) return;
    const { strength, power = 1, frequencies } = rowDecay;
    const count = pairs.touched;
    if (this.#decays.length < count) this.#decays = new Float64Array(Math.ceil(1.5 * count));
    const scale = (learningRate * strength) / (reduction === 'sum' ? 1 : pairs.examples);
    for (let slot = 0; slot < count; slot++) {
      const frequency = frequencies?.[pairs.classes[slot]!] ?? 1;
      const decay = scale * pairs.pairsOfSlot[slot]! * frequency ** (power - 1);
      this.#decays[slot] = decay;
      if (decay < 1) continue;
      throw new OutputLayerError(
        'bad-option',
        `factored step: learningRate ${learningRate} with rowDecay.strength ${strength} takes ${decay.toPrecision(3)} of the row of class ${pairs.classes[slot]!} off; it must be below 1`,
      );
    }
  }

  #decayRows(count: number, touched: Indices): void {
    const { width, classes, rows, map, inverse, shift, columnSum, centredGram } = this.#weights;
    const decays = this.#workspace.matrix('row decays', count, 1);
    const factored = this.#workspace.matrix('decayed rows', count, width);
    const change = this.#workspace.matrix('change of rows', count, width);
    const middle = this.#workspace.matrix('middle of rows', count, width);
    gatherRows(rows, touched, factored);
    // Δ, and D + Δ/2.
    gemm(factored, map, middle);
    binary('add', middle, shift, middle);
    write(this.#decays.subarray(0, count), decays);
    scaleRows(middle, decays, change);
    affine(change, -1, 0, change);
    const mean = this.#workspace.matrix('mean row', 1, width);
    affine(columnSum, 1 / classes, 0, mean);
    binary('subtract', middle, mean, middle);
    axpy(0.5, change, middle);
    symmetricRank2Update(middle, change, centredGram, { beta: 1 });
    const ones = this.#workspace.matrix('ones of rows', 1, count);
    const total = this.#workspace.matrix('change of column sum', 1, width);
    fill(1, ones);
    gemm(ones, change, total);
    gemm(total, total, centredGram, { transposeA: true, alpha: -1 / classes, beta: 1 });
    axpy(1, total, columnSum);
    // V_c − δ_c(V_c + ωU⁻¹).
    gemm(shift, inverse, mean);
    binary('add', factored, mean, change);
    scaleRows(change, decays, change);
    axpy(-1, change, factored);
    scatterRows(factored, touched, rows);
  }

  #spread(factor: number): void {
    const weights = this.#weights;
    const { width: d, classes, columnSum, shift, centredGram } = weights;
    const change = this.#workspace.matrix('spread E', d, d);
    copy(centredGram, change);
    gemm(columnSum, columnSum, change, { transposeA: true, alpha: 1 / classes, beta: 1 });
    affine(change, -factor, 0, change);
    const contraction = this.#workspace.matrix('spread I + E', d, d);
    copy(change, contraction);
    addDiagonal(1, contraction);

    const product = this.#workspace.matrix('spread product', d, d);
    gemm(change, weights.inverse, product);
    const correction = weights.spare('inverse');
    solve(contraction, product, correction, this.#reciprocalCondition);
    axpy(-1, correction, weights.inverse);

    copy(weights.map, weights.spare('map'));
    gemm(weights.map, change, weights.spare('map'), { beta: 1 });
    weights.swap('map');
    weights.markUpdated();

    const row = this.#workspace.matrix('spread row', 1, d);
    for (const vector of [shift, columnSum]) {
      gemm(vector, change, row);
      axpy(1, row, vector);
    }
    // C + (I + E/2)CE + its transpose.
    gemm(centredGram, change, product);
    affine(change, 0.5, 0, change);
    addDiagonal(1, change);
    symmetricRank2Update(change, product, centredGram, { beta: 1 });
  }

  [Symbol.dispose](): void {
    this.#monitor[Symbol.dispose]();
    this.#reciprocalCondition[Symbol.dispose]();
  }
}
