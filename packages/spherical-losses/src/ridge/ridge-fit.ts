/**
 * The ridge head: least squares of sparse targets on given features, W = YᵀH(HᵀH + λI)⁻¹, in one pass and without
 * anything of size D·d² (mathematics.md §9). With V = YᵀH, each class's sum of the features of its examples, and
 * U = (HᵀH + λI)⁻¹ this is the factored form W = VU. Sums can be added up and taken back, so fits merge, and examples
 * and classes can be forgotten.
 *
 * HᵀH is summed over minibatches in f64 on the host and inverted there: it is squared, so f32 would lose twice the
 * digits. V is a table of the backend. The column of V for the constant feature, each class's sum of targets, is on the
 * host, so that the given features are multiplied and added up as they are.
 */
import {
  createHostArray,
  fill,
  gatherRows,
  gemm,
  growTable,
  read,
  scaleRows,
  scatterAddRows,
  scatterRows,
  symmetricRank2Update,
  Workspace,
  write,
  type Backend,
  type FloatArray,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';
import { CallGuard, checkHidden, checkTargets, OutputLayerError } from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import { FactoredOutputLayer } from '../factored/factored-output-layer.ts';
import { TargetPairs } from '../factored/forward-pass.ts';
import { checkOptions, type FactoredOutputLayerOptions } from '../factored/layer-options.ts';
import { conditionOf, thresholdsFor } from '../factored/rebase-schedule.ts';
import { squaredError } from '../losses/built-in-losses.ts';
import type { SphericalLoss } from '../losses/loss.ts';
import { GeneralizedCrossValidation, type CrossValidation } from './cross-validation.ts';
import { addLastFeature, addSymmetric, BlockSums, sumSquares } from './host-sums.ts';
import { invertPositiveDefinite } from './positive-definite.ts';
import { startFactored, startMaterialized, type TargetSums } from './ridge-start.ts';
import { rowsPerBlock, TableBlocks } from './table-blocks.ts';

/** Number of classes and width of the features; `bias` adds a constant feature. */
export interface RidgeFitOptions {
  /** D. */
  readonly classes: number;
  /** Width of the features, without the constant one. */
  readonly features: number;
  /** Whether to append a constant feature 1, which is not penalised. True unless given. */
  readonly bias?: boolean;
}

/** Features of some examples, m×d, and their classes. */
export interface RidgeBatch {
  /** m×features: a matrix of the fit's backend, or its numbers row by row. */
  readonly hidden: Matrix | ArrayLike<number>;
  /** m×D: what the outputs of the classes should be, 1 without values; all others should be 0. */
  readonly targets: CsrRows;
}

/** Options of the layer that training goes on with; those of its start and its sizes are the fit's. */
export interface RidgeLayerOptions extends Omit<
  FactoredOutputLayerOptions,
  'classes' | 'features' | 'bias' | 'loss' | 'initialScale' | 'seed' | 'initialRows'
> {
  /** λ, added to the diagonal of HᵀH; chosen by generalised cross-validation unless given. */
  readonly lambda?: number;
  /** Of later steps; squaredError() unless given, which is what the fit minimises. */
  readonly loss?: SphericalLoss;
}

/**
 * One pass over the minibatches: O(d²) operations an example and O(d) for each of its targets.
 * @throws OutputLayerError `bad-option`, `shape`, `class-out-of-range`, `non-finite`.
 */
export async function fitRidge(
  backend: Backend,
  batches: Iterable<RidgeBatch> | AsyncIterable<RidgeBatch>,
  options: RidgeFitOptions,
): Promise<RidgeFit> {
  const fit = new RidgeFit(backend, options);
  try {
    for await (const { hidden, targets } of batches) await fit.add(hidden, targets);
  } catch (error) {
    fit[Symbol.dispose]();
    throw error;
  }
  return fit;
}

/** Pairs of an example and a class that are gathered at once. */
const pairsPerPiece = 8192;

/** The sums of a ridge regression. Memory: 4Dd bytes for V (8Dd on an f64 backend), 8 bytes a class, 8d² bytes. */
export class RidgeFit implements Disposable {
  readonly kind = 'ridge';
  readonly backend: Backend;
  readonly features: number;
  readonly bias: boolean;
  readonly #workspace: Workspace;
  readonly #blocks: TableBlocks;
  readonly #calls = new CallGuard(this.kind);
  readonly #pairs = new TargetPairs();
  /** V without the constant feature's column, D×features, and that column. */
  readonly #rows: RowTable;
  #counts: Float64Array;
  /** HᵀH, d×d. */
  readonly #gram: Float64Array;
  /** What is read from the backend. */
  readonly #values: FloatArray;
  /** Σ y² of each class. */
  #squares: Float64Array;
  #examples = 0;
  /** Until V changes. */
  #targetSums: TargetSums | undefined;
  #validation: GeneralizedCrossValidation | undefined;

  /** @throws OutputLayerError `bad-option`; LinalgError `out-of-memory`. */
  constructor(backend: Backend, { classes, features, bias = true }: RidgeFitOptions) {
    checkOptions({ classes, features, loss: squaredError() });
    this.backend = backend;
    this.features = features;
    this.bias = bias;
    this.#workspace = new Workspace(backend);
    this.#blocks = new TableBlocks(this.#workspace);
    this.#rows = backend.createTable(classes, features);
    this.#counts = new Float64Array(classes);
    this.#values = createHostArray(backend, features * features);
    this.#gram = new Float64Array(this.width * this.width);
    this.#squares = new Float64Array(classes);
  }

  get classes(): number {
    return this.#rows.rows;
  }

  /** d, the constant feature included. */
  get width(): number {
    return this.features + (this.bias ? 1 : 0);
  }

  /** n, those taken back not counted. */
  get examples(): number {
    return this.#examples;
  }

  /**
   * Adds a minibatch. md² operations where the backend knows that HᵀH is symmetric, and O(d) a target.
   * @throws OutputLayerError `shape`, `class-out-of-range`, `non-finite`: nothing has changed.
   */
  add(hidden: Matrix | ArrayLike<number>, targets: CsrRows): Promise<void> {
    return this.#calls.run('add', () => this.#accumulate('add', hidden, targets, 1));
  }

  /** Takes examples back that were added: the fit is then that of the others, up to rounding. As `add`. */
  remove(hidden: Matrix | ArrayLike<number>, targets: CsrRows): Promise<void> {
    return this.#calls.run('remove', () => this.#accumulate('remove', hidden, targets, -1));
  }

  /**
   * Adds the sums of another fit, which stays as it is: the fit of all examples of both. O(D·d).
   * @throws OutputLayerError `shape`, `bad-option` for other sizes or another backend.
   */
  merge(other: RidgeFit): void {
    this.#calls.checkChange('merge');
    const mine = `${this.classes} classes, ${this.features} features, bias ${this.bias}`;
    const theirs = `${other.classes} classes, ${other.features} features, bias ${other.bias}`;
    if (mine !== theirs)
      throw new OutputLayerError('shape', `ridge merge: the other fit has ${theirs}, this one ${mine}`);
    if (other.backend !== this.backend || other === this)
      throw new OutputLayerError('bad-option', 'ridge merge: the other fit must be another one on the same backend');
    this.#changed();
    this.#blocks.each(other.#rows, (block, first) => {
      scatterAddRows(block, this.#blocks.range(first, block.rows), this.#rows);
    });
    for (let i = 0; i < this.#gram.length; i++) this.#gram[i]! += other.#gram[i]!;
    for (let c = 0; c < this.classes; c++) {
      this.#counts[c]! += other.#counts[c]!;
      this.#squares[c]! += other.#squares[c]!;
    }
    this.#examples += other.#examples;
  }

  /** Adds classes at the end that no example has had as a target. O(count·d). */
  addClasses(count: number): void {
    this.#calls.checkChange('addClasses');
    if (!Number.isSafeInteger(count) || count < 1)
      throw new OutputLayerError(
        'bad-option',
        `ridge addClasses: count must be a whole number from 1 on, got ${count}`,
      );
    this.#changed();
    growTable(this.#rows, this.classes + count);
    this.#counts = withZeros(this.#counts, count);
    this.#squares = withZeros(this.#squares, count);
  }

  /**
   * Takes all targets of some classes back: their weights become 0, those of the others stay. The classes keep their
   * numbers and can be targets again. O(count·d).
   * @throws OutputLayerError `class-out-of-range`.
   */
  forgetClasses(classes: ArrayLike<number>): void {
    this.#calls.checkChange('forgetClasses');
    const indices = Int32Array.from(classes);
    for (const [i, index] of indices.entries()) {
      if (index === classes[i] && index >= 0 && index < this.classes) continue;
      throw new OutputLayerError(
        'class-out-of-range',
        `ridge forgetClasses: ${String(classes[i])} is not a class (0 to ${this.classes - 1})`,
      );
    }
    if (indices.length === 0) return;
    this.#changed();
    const zeros = this.#workspace.matrix('forgotten rows', indices.length, this.features);
    fill(0, zeros);
    scatterRows(zeros, this.#workspace.indices('forgotten classes', indices), this.#rows);
    for (const index of indices) this.#counts[index] = this.#squares[index] = 0;
  }

  /**
   * The λ of the smallest error by generalised cross-validation. VᵀV, D·d² operations, and one eigendecomposition, about
   * 9d³ on the host; both are kept until the fit changes.
   * @throws OutputLayerError `bad-option` without examples.
   */
  chooseLambda(): Promise<CrossValidation> {
    return this.#calls.run('chooseLambda', async () => (await this.#validated('chooseLambda')).best());
  }

  /** The criterion of given λ; as `chooseLambda`, and O(d) for each. */
  crossValidate(lambdas: readonly number[]): Promise<readonly CrossValidation[]> {
    return this.#calls.run('crossValidate', async () => {
      for (const lambda of lambdas) checkLambda('crossValidate', lambda);
      const validation = await this.#validated('crossValidate');
      return lambdas.map((lambda) => validation.at(lambda));
    });
  }

  /**
   * The factored layer with these weights, for scores, checkpoints and further training. The fit stays as it is. D·d²
   * operations for C = WᵀPW from VᵀV; 3D·d² where HᵀH + λI is ill-conditioned (κ above 3 in f32, 100 in f64): W = VU is
   * then stored, and C summed from its rows. Without a λ, `chooseLambda` first.
   * @throws OutputLayerError `bad-option` for a negative λ, or one too small for an inverse.
   */
  createLayer(options: RidgeLayerOptions = {}): Promise<FactoredOutputLayer> {
    return this.#calls.run('createLayer', async () => {
      const { lambda: given, loss = squaredError(), ...others } = options;
      const { classes, features, bias, width } = this;
      const layerOptions = { ...others, classes, features, bias, loss };
      checkOptions(layerOptions);
      const lambda = given ?? (await this.#validated('createLayer')).best().lambda;
      checkLambda('createLayer', lambda);
      const inverse = this.#gram.slice();
      for (let i = 0; i < features; i++) inverse[i * (width + 1)]! += lambda;
      const map = invertPositiveDefinite(inverse, width);
      if (map === undefined) {
        throw new OutputLayerError(
          'bad-option',
          `ridge createLayer: with ${this.#examples} examples of width ${width} and lambda ${lambda}, HᵀH + λI has no inverse; give a larger lambda`,
        );
      }
      const layer = new FactoredOutputLayer(this.backend, layerOptions);
      try {
        const condition = conditionOf(sumSquares(map), sumSquares(inverse), width);
        const isUsable = condition <= thresholdsFor(this.backend.precision).condition;
        const source = { rows: this.#rows, counts: bias ? this.#counts : undefined };
        await layer.initialize(async (weights) => {
          if (isUsable) startFactored(this.#workspace, weights, source, await this.#sumTargets(), map, inverse);
          else await startMaterialized(this.#workspace, weights, source, map);
        });
      } catch (error) {
        layer[Symbol.dispose]();
        throw error;
      }
      return layer;
    });
  }

  [Symbol.dispose](): void {
    this.#calls.close(() => {
      this.#rows[Symbol.dispose]();
      this.#workspace[Symbol.dispose]();
    });
  }

  async #accumulate(
    operation: 'add' | 'remove',
    given: Matrix | ArrayLike<number>,
    targets: CsrRows,
    sign: number,
  ): Promise<void> {
    const { features, width } = this;
    const hidden = this.#matrixOf(operation, given);
    checkHidden(this, operation, hidden);
    checkTargets(this, operation, hidden, targets);
    if (hidden.rows === 0) return;
    const product = this.#workspace.matrix('product', features, features);
    symmetricRank2Update(hidden, hidden, product, { alpha: 0.5 });
    const ones = this.#workspace.matrix('ones', 1, hidden.rows);
    const featureSum = this.#workspace.matrix('feature sum', 1, features);
    fill(1, ones);
    gemm(ones, hidden, featureSum);
    const [values, sums] = await Promise.all([read(product, this.#values), read(featureSum)]);
    for (let i = 0; i < features; i++) {
      if (Number.isFinite(values[i * (features + 1)])) continue;
      throw new OutputLayerError('non-finite', `ridge ${operation}: feature ${i} of the examples is not finite`);
    }
    this.#changed();
    addSymmetric(sign, values, this.#gram, features, width);
    if (this.bias) addLastFeature(sign, sums, hidden.rows, this.#gram);
    this.#examples += sign * hidden.rows;
    this.#addTargets(hidden, targets, sign);
  }

  #matrixOf(operation: string, given: Matrix | ArrayLike<number>): Matrix {
    if (!('length' in given)) return given;
    const { features } = this;
    if (given.length % features !== 0) {
      throw new OutputLayerError(
        'shape',
        `ridge ${operation}: ${given.length} numbers are not whole rows of ${features} features`,
      );
    }
    const matrix = this.#workspace.matrix('given rows', given.length / features, features);
    write(given, matrix);
    return matrix;
  }

  /** V ← V ± YᵀH. */
  #addTargets(rows: Matrix, targets: CsrRows, sign: number): void {
    const pairs = this.#pairs;
    const workspace = this.#workspace;
    pairs.build(targets, 1);
    let isPlain = pairs.isOneEach;
    for (let pair = 0; pair < pairs.count; pair++) {
      const weight = pairs.weights[pair]!;
      const target = pairs.pairClasses[pair]!;
      this.#counts[target]! += sign * weight;
      this.#squares[target]! += sign * weight * weight;
      if (weight !== 1) isPlain = false;
    }
    if (isPlain) {
      const classes = workspace.indices('classes', pairs.pairClasses, pairs.count);
      scatterAddRows(rows, classes, this.#rows, { scale: sign });
      return;
    }
    for (let first = 0; first < pairs.count; first += pairsPerPiece) {
      const end = Math.min(pairs.count, first + pairsPerPiece);
      const piece = workspace.matrix('rows of pairs', end - first, this.features);
      const weights = workspace.matrix('weights of pairs', end - first, 1);
      gatherRows(rows, workspace.indices('examples', pairs.rows.subarray(first, end)), piece);
      write(pairs.weights.subarray(first, end), weights);
      scaleRows(piece, weights, piece);
      const classes = workspace.indices('classes', pairs.pairClasses.subarray(first, end));
      scatterAddRows(piece, classes, this.#rows, { scale: sign });
    }
  }

  #changed(): void {
    this.#calls.willChange();
    this.#targetSums = undefined;
    this.#validation = undefined;
  }

  async #validated(operation: string): Promise<GeneralizedCrossValidation> {
    if (this.#examples < 1)
      throw new OutputLayerError(
        'bad-option',
        `ridge ${operation}: there are ${this.#examples} examples, add some first`,
      );
    const { gram: targetGram } = await this.#sumTargets();
    return (this.#validation ??= new GeneralizedCrossValidation({
      examples: this.#examples,
      features: this.features,
      bias: this.bias,
      gram: this.#gram,
      targetGram,
      targetSquares: this.#squares.reduce((sum, value) => sum + value, 0),
    }));
  }

  async #sumTargets(): Promise<TargetSums> {
    if (this.#targetSums !== undefined) return this.#targetSums;
    const { bias, features, width } = this;
    const sums = new BlockSums(this.#workspace, features, this.#values);
    for (let first = 0; first < this.classes; first += rowsPerBlock) {
      await this.#blocks.use(this.#rows, first, (block) =>
        sums.add(block, bias ? this.#counts.subarray(first, first + block.rows) : undefined),
      );
    }
    const gram = new Float64Array(width * width);
    const columnSum = new Float64Array(width);
    addSymmetric(1, sums.gram, gram, features, width);
    columnSum.set(sums.columnSum);
    if (bias) {
      addLastFeature(1, sums.weightedSum, sumSquares(this.#counts), gram);
      columnSum[features] = this.#counts.reduce((sum, count) => sum + count, 0);
    }
    return (this.#targetSums = { gram, columnSum });
  }
}

function withZeros(values: Float64Array, count: number): Float64Array {
  const longer = new Float64Array(values.length + count);
  longer.set(values);
  return longer;
}

function checkLambda(operation: string, lambda: number): void {
  if (Number.isFinite(lambda) && lambda >= 0) return;
  throw new OutputLayerError(
    'bad-option',
    `ridge ${operation}: lambda must be a finite number of at least 0, got ${lambda}`,
  );
}
