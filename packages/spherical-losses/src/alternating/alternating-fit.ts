/**
 * Alternating least squares of implicit feedback (iALS; Y. Hu, Y. Koren, C. Volinsky, ICDM 2008), with the penalties
 * scaled by frequency of S. Rendle et al. (arXiv:2110.14037 §3): with examples u (users), classes c (items) and the
 * entries (u, c) of weight y
 *
 *     Σ_(u,c) y(x_u·w_c − 1)² + a₀ Σ_u Σ_c (x_u·w_c)² + λ Σ_u (n_u + a₀D)^ν ‖x_u‖² + λ Σ_c (n_c + a₀N)^ν ‖w_c‖²
 *
 * where n is the sum of a row's y, N how many examples and D how many classes there are. All x are solved exactly, then
 * all w. The first two sums are the loss `implicit` of the factored layer: its minimum, where the examples' hidden rows
 * are free.
 */
import {
  copy,
  copyColumns,
  fill,
  scatterRows,
  Workspace,
  fillNormalRows,
  type Backend,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';
import { CallGuard, OutputLayerError } from '@vastmax/output-layer';
import { transposeCsr, type CancellationSignal, type CsrRows } from '@vastmax/sparse-data';
import { FactoredOutputLayer } from '../factored/factored-output-layer.ts';
import { rebuildGram } from '../factored/gram-matrix.ts';
import { checkOptions, type FactoredOutputLayerOptions } from '../factored/layer-options.ts';
import { implicitLoss } from '../losses/built-in-losses.ts';
import type { SphericalLoss } from '../losses/loss.ts';
import { TableBlocks } from '../ridge/table-blocks.ts';
import {
  checkColumns,
  checkPenalties,
  checkSets,
  computePenalties,
  FoldIn,
  penaltiesOf,
  type AlternatingPenalties,
} from './fold-in.ts';
import { listsPerBlock, RowSolver, type FixedRows } from './row-solver.ts';

/** Width, weights and sweeps of alternating least squares. */
export interface AlternatingOptions extends AlternatingPenalties {
  /** d. */
  readonly features: number;
  /** Sweeps, each of all classes and then all examples; 8 unless given. */
  readonly epochs?: number;
  /** Of the random start; 1 unless given. */
  readonly seed?: number;
  /**
   * The classes of an earlier fit to the same sets, whose sweeps are gone on with, bit for bit as if they had not
   * stopped; a random start of the examples unless given. It stays the caller's.
   */
  readonly start?: FoldIn;
  /** Called after each block of rows. */
  readonly onProgress?: (progress: AlternatingProgress) => void;
  /** Called after each sweep, and awaited, with how many are done; the fit is not to be disposed. */
  readonly afterSweep?: (fit: AlternatingFit, epoch: number) => Promise<void> | void;
  /** An AbortSignal, looked at before each block of rows. */
  readonly signal?: CancellationSignal;
}

/** How far a fit is. */
export interface AlternatingProgress {
  /** The sweep that is under way, from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** The share of this sweep that is done, up to 1. */
  readonly done: number;
}

/** Options of the layer that training goes on with; those of its start and its sizes are the fit's. */
export interface AlternatingLayerOptions extends Omit<
  FactoredOutputLayerOptions,
  'classes' | 'features' | 'loss' | 'initialScale' | 'seed' | 'initialRows'
> {
  /** Of later steps; the implicit loss of the fit's a₀ unless given. */
  readonly loss?: SphericalLoss;
}

/**
 * One sweep costs about 6d² operations for each example and class, n²d for each of them with n ≤ d entries and nd² + d³
 * with more, and two eigendecompositions of d×d on the host.
 * @param sets an example a row with its classes, of which duplicates add up; values are the weights y, above 0.
 * @throws OutputLayerError `bad-option`; SparseDataError for rows that are none; LinalgError `out-of-memory`; what
 * `signal` throws.
 */
export async function fitAlternating(
  backend: Backend,
  sets: CsrRows,
  options: AlternatingOptions,
): Promise<AlternatingFit> {
  checkAlternating(options);
  checkSets('fitAlternating', sets);
  const { epochs = 8, start, onProgress, afterSweep, signal } = options;
  if (start !== undefined) checkStart(start, sets, options);
  const fit = new AlternatingFit(backend, sets, options);
  try {
    if (start !== undefined) await fit.continueFrom(start, sets, signal);
    const examplesOf = transposeCsr(sets);
    for (let epoch = 1; epoch <= epochs; epoch++) {
      await fit.sweep(sets, examplesOf, (done) => onProgress?.({ epoch, epochs, done }), signal);
      await afterSweep?.(fit, epoch);
    }
  } catch (error) {
    fit[Symbol.dispose]();
    throw error;
  }
  return fit;
}

/** The rows of examples and classes. Memory: 4d bytes for each of them (8d on an f64 backend) and O(d²). */
export class AlternatingFit implements Disposable {
  readonly kind = 'alternating';
  readonly backend: Backend;
  readonly features: number;
  /** N×d: the examples' hidden rows, in the order of the sets. Belongs to the fit. */
  readonly exampleRows: RowTable;
  readonly #options: AlternatingOptions;
  readonly #workspace: Workspace;
  readonly #blocks: TableBlocks;
  readonly #solver: RowSolver;
  readonly #foldIn: FoldIn;
  readonly #calls = new CallGuard(this.kind);

  /** Use {@link fitAlternating}. */
  constructor(backend: Backend, { rows, columns }: CsrRows, options: AlternatingOptions) {
    const { features, seed = 1 } = options;
    const penalties = penaltiesOf(options);
    this.backend = backend;
    this.features = features;
    this.#options = options;
    this.#workspace = new Workspace(backend);
    this.#blocks = new TableBlocks(this.#workspace);
    this.#solver = new RowSolver(this.#workspace, this.#blocks, features, penalties.unobservedWeight);
    this.exampleRows = backend.createTable(rows, features);
    this.#foldIn = new FoldIn(backend, { ...penalties, classes: columns, features });
    // ‖x‖ about 0.1, as in arXiv:2110.14037.
    fillNormalRows(this.exampleRows, 0, rows, { seed, scale: 0.1 / Math.sqrt(features) });
  }

  /** D×d: W. Belongs to the fit. */
  get classRows(): RowTable {
    return this.#foldIn.classRows;
  }

  /** The classes of an earlier fit, and the examples given them. Called by fitAlternating. */
  async continueFrom(start: FoldIn, sets: CsrRows, signal: CancellationSignal | undefined): Promise<void> {
    this.#copyClasses(start, this.#foldIn);
    const { classRows: table, base } = this.#foldIn;
    const put = (rows: Matrix, first: number): void => {
      this.#blocks.put(rows, first, this.exampleRows);
    };
    await this.#solveAll({ table, base }, sets, put, signal);
  }

  /** All classes given the examples, then all examples given the classes. Called by fitAlternating. */
  async sweep(
    sets: CsrRows,
    examplesOf: CsrRows,
    onProgress: (done: number) => void,
    signal: CancellationSignal | undefined,
  ): Promise<void> {
    const { classRows, base } = this.#foldIn;
    const all = sets.rows + examplesOf.rows;
    let done = 0;
    const into =
      (table: RowTable) =>
      (rows: Matrix, first: number): void => {
        this.#blocks.put(rows, first, table);
        onProgress((done += rows.rows) / all);
      };
    const ofExamples = this.#workspace.matrix('base of examples', 1, this.features);
    const fixedExamples = await this.#solver.diagonalize(this.exampleRows, ofExamples);
    await this.#solveAll(fixedExamples, examplesOf, into(classRows), signal);
    const fixedClasses = await this.#solver.diagonalize(classRows, base);
    await this.#solveAll(fixedClasses, sets, into(this.exampleRows), signal);
  }

  /**
   * The hidden rows of new examples, given the classes: n²d operations for one of n ≤ d entries, nd² + d³ for more. For
   * the sets of the fit these are its own rows.
   * @param sets m×D, as those of the fit.
   * @returns m×d, which the caller disposes.
   * @throws OutputLayerError `shape` for another number of classes, `bad-option`, `busy`, `disposed`.
   */
  foldIn(sets: CsrRows): Promise<Matrix> {
    return this.#calls.run('foldIn', async () => {
      checkSets('foldIn', sets);
      checkColumns('alternating foldIn', sets, this.classRows.rows);
      const out = this.backend.createMatrix(sets.rows, this.features);
      fill(0, out);
      const put = (rows: Matrix, first: number): void => {
        scatterRows(rows, this.#blocks.range(first, rows.rows), out);
      };
      const { classRows: table, base } = this.#foldIn;
      await this.#solveAll({ table, base }, sets, put, undefined);
      return out;
    });
  }

  /**
   * The classes, to fold examples in and to go on with the fit: a copy, which the caller disposes. The fit stays as it
   * is. O(D·d).
   * @throws OutputLayerError `busy`, `disposed`.
   */
  createFoldIn(): Promise<FoldIn> {
    return this.#calls.run('createFoldIn', () => {
      const created = new FoldIn(this.backend, this.#foldIn.options);
      this.#copyClasses(this.#foldIn, created);
      return Promise.resolve(created);
    });
  }

  /**
   * The factored layer whose W are the rows of the classes, for scores, checkpoints and further training; without a bias
   * unless one is asked for, which is then 0. The fit stays as it is. 2D·d² operations.
   * @throws OutputLayerError `bad-option`, `busy`, `disposed`.
   */
  createLayer(options: AlternatingLayerOptions = {}): Promise<FactoredOutputLayer> {
    return this.#calls.run('createLayer', async () => {
      const { unobservedWeight } = penaltiesOf(this.#options);
      const { loss = implicitLoss({ unobservedWeight }), bias = false, ...others } = options;
      const layerOptions = { ...others, classes: this.classRows.rows, features: this.features, bias, loss };
      checkOptions(layerOptions);
      const layer = new FactoredOutputLayer(this.backend, layerOptions);
      try {
        await layer.initialize(async (weights) => {
          this.#blocks.each(this.classRows, (block, first) => {
            this.#blocks.put(bias ? this.#withBias(block) : block, first, weights.rows);
          });
          await rebuildGram(this.#workspace, weights);
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
      for (const owned of [this.exampleRows, this.#foldIn, this.#workspace]) owned[Symbol.dispose]();
    });
  }

  /** Rows with a last column of 0. */
  #withBias(block: Matrix): Matrix {
    const rows = this.#workspace.matrix('rows with a bias', block.rows, this.features + 1);
    fill(0, rows);
    copyColumns(block, 0, rows, 0, this.features);
    return rows;
  }

  #copyClasses(source: FoldIn, target: FoldIn): void {
    this.#blocks.each(source.classRows, (block, first) => {
      this.#blocks.put(block, first, target.classRows);
    });
    copy(source.base, target.base);
  }

  async #solveAll(
    fixed: FixedRows,
    sets: CsrRows,
    put: (rows: Matrix, first: number) => void,
    signal: CancellationSignal | undefined,
  ): Promise<void> {
    const penalties = computePenalties(sets, fixed.table.rows, this.#options);
    for (let first = 0; first < sets.rows; first += listsPerBlock) {
      const count = Math.min(listsPerBlock, sets.rows - first);
      const rows = this.#workspace.matrix('solved rows', count, this.features);
      this.#solver.solve(fixed, sets, penalties, first, count, rows);
      put(rows, first);
      // Timers and signals get their turn.
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      signal?.throwIfAborted();
    }
    await this.backend.synchronize();
  }
}

function checkAlternating(options: AlternatingOptions): void {
  const { features, epochs = 8 } = options;
  checkPenalties('fitAlternating', options);
  checkOptions({ classes: 1, features, loss: implicitLoss() });
  if (!Number.isSafeInteger(epochs) || epochs < 0)
    throw new OutputLayerError(
      'bad-option',
      `fitAlternating: epochs must be a whole number of at least 0, got ${epochs}`,
    );
}

function checkStart({ options: { classes, features } }: FoldIn, sets: CsrRows, options: AlternatingOptions): void {
  if (classes === sets.columns && features === options.features) return;
  throw new OutputLayerError(
    'shape',
    `fitAlternating: the start has ${classes} classes of ${features} features, the fit ${sets.columns} of ${options.features}`,
  );
}

/** Of every engine; this package is compiled without the types of any. */
declare function setTimeout(action: () => void, milliseconds: number): unknown;
