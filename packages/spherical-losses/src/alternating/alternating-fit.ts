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
  fill,
  scatterRows,
  Workspace,
  fillNormalRows,
  type Backend,
  type Matrix,
  type RowTable,
} from '@vastmax/linalg-core';
import { CallGuard, OutputLayerError } from '@vastmax/output-layer';
import { transposeCsr, validateCsrRows, type CancellationSignal, type CsrRows } from '@vastmax/sparse-data';
import { FactoredOutputLayer } from '../factored/factored-output-layer.ts';
import { rebuildGram } from '../factored/gram-matrix.ts';
import { checkOptions, type FactoredOutputLayerOptions } from '../factored/layer-options.ts';
import { implicitLoss } from '../losses/built-in-losses.ts';
import type { SphericalLoss } from '../losses/loss.ts';
import { TableBlocks } from '../ridge/table-blocks.ts';
import { listsPerBlock, RowSolver, type FixedRows } from './row-solver.ts';

/** Width, weights and sweeps of alternating least squares. */
export interface AlternatingOptions {
  /** d. */
  readonly features: number;
  /** Sweeps, each of all classes and then all examples; 8 unless given. */
  readonly epochs?: number;
  /** a₀, the weight of the squared outputs of all classes; 0.01 unless given. */
  readonly unobservedWeight?: number;
  /** λ; 0.003 unless given. */
  readonly lambda?: number;
  /**
   * What a row's penalty grows with: `entries`, its own n, or `all`, n + a₀ times the rows of the other side, as
   * arXiv:2110.14037 has it. With the small a₀ of a large catalogue `all` is nearly the same penalty for every row.
   * `all` unless given.
   */
  readonly penaltyCounts?: 'entries' | 'all';
  /** ν, how a row's penalty grows with what `penaltyCounts` says; 1 unless given. */
  readonly frequencyExponent?: number;
  /** Of the random start; 1 unless given. */
  readonly seed?: number;
  /** Called after each sweep with how many are done. */
  readonly onProgress?: (progress: { readonly epoch: number; readonly epochs: number }) => void;
  /** An AbortSignal, looked at before each block of rows. */
  readonly signal?: CancellationSignal;
}

/** Options of the layer that training goes on with; those of its start and its sizes are the fit's. */
export interface AlternatingLayerOptions extends Omit<
  FactoredOutputLayerOptions,
  'classes' | 'features' | 'bias' | 'loss' | 'initialScale' | 'seed' | 'initialRows'
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
  const { epochs = 8, onProgress, signal } = options;
  const fit = new AlternatingFit(backend, sets, options);
  try {
    const examplesOf = transposeCsr(sets);
    for (let epoch = 1; epoch <= epochs; epoch++) {
      await fit.sweep(sets, examplesOf, signal);
      onProgress?.({ epoch, epochs });
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
  /** D×d: W. Belongs to the fit. */
  readonly classRows: RowTable;
  readonly #options: AlternatingOptions;
  readonly #workspace: Workspace;
  readonly #blocks: TableBlocks;
  readonly #solver: RowSolver;
  readonly #calls = new CallGuard(this.kind);
  #fixedClasses: FixedRows | undefined;

  /** Use {@link fitAlternating}. */
  constructor(backend: Backend, { rows, columns }: CsrRows, options: AlternatingOptions) {
    const { features, seed = 1, unobservedWeight = 0.01 } = options;
    this.backend = backend;
    this.features = features;
    this.#options = options;
    this.#workspace = new Workspace(backend);
    this.#blocks = new TableBlocks(this.#workspace);
    this.#solver = new RowSolver(this.#workspace, this.#blocks, features, unobservedWeight);
    this.exampleRows = backend.createTable(rows, features);
    this.classRows = backend.createTable(columns, features);
    // ‖x‖ about 0.1, as in arXiv:2110.14037.
    fillNormalRows(this.exampleRows, 0, rows, { seed, scale: 0.1 / Math.sqrt(features) });
  }

  /** All classes given the examples, then all examples given the classes. Called by fitAlternating. */
  async sweep(sets: CsrRows, examplesOf: CsrRows, signal: CancellationSignal | undefined): Promise<void> {
    const into =
      (table: RowTable) =>
      (rows: Matrix, first: number): void => {
        this.#blocks.put(rows, first, table);
      };
    const fixedExamples = await this.#solver.diagonalize(this.exampleRows);
    await this.#solveAll(fixedExamples, examplesOf, into(this.classRows), signal);
    this.#fixedClasses = await this.#solver.diagonalize(this.classRows);
    await this.#solveAll(this.#fixedClasses, sets, into(this.exampleRows), signal);
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
      if (sets.columns !== this.classRows.rows) {
        throw new OutputLayerError(
          'shape',
          `alternating foldIn: sets of ${sets.columns} classes; the fit has ${this.classRows.rows}`,
        );
      }
      const out = this.backend.createMatrix(sets.rows, this.features);
      fill(0, out);
      const put = (rows: Matrix, first: number): void => {
        scatterRows(rows, this.#blocks.range(first, rows.rows), out);
      };
      if (this.#fixedClasses !== undefined) await this.#solveAll(this.#fixedClasses, sets, put, undefined);
      return out;
    });
  }

  /**
   * The factored layer without a bias whose W are the rows of the classes, for scores, checkpoints and further training.
   * The fit stays as it is. 2D·d² operations.
   * @throws OutputLayerError `bad-option`, `busy`, `disposed`.
   */
  createLayer(options: AlternatingLayerOptions = {}): Promise<FactoredOutputLayer> {
    return this.#calls.run('createLayer', async () => {
      const { unobservedWeight = 0.01 } = this.#options;
      const { loss = implicitLoss({ unobservedWeight }), ...others } = options;
      const layerOptions = { ...others, classes: this.classRows.rows, features: this.features, bias: false, loss };
      checkOptions(layerOptions);
      const layer = new FactoredOutputLayer(this.backend, layerOptions);
      try {
        await layer.initialize(async (weights) => {
          this.#blocks.each(this.classRows, (block, first) => {
            this.#blocks.put(block, first, weights.rows);
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
      this.exampleRows[Symbol.dispose]();
      this.classRows[Symbol.dispose]();
      this.#workspace[Symbol.dispose]();
    });
  }

  async #solveAll(
    fixed: FixedRows,
    sets: CsrRows,
    put: (rows: Matrix, first: number) => void,
    signal: CancellationSignal | undefined,
  ): Promise<void> {
    const { lambda = 0.003, frequencyExponent = 1, unobservedWeight = 0.01, penaltyCounts = 'all' } = this.#options;
    const unobserved = penaltyCounts === 'all' ? unobservedWeight * fixed.table.rows : 0;
    const penalties = new Float64Array(sets.rows);
    for (let row = 0; row < sets.rows; row++) {
      let sum = 0;
      for (let entry = sets.offsets[row]!; entry < sets.offsets[row + 1]!; entry++) sum += sets.values?.[entry] ?? 1;
      penalties[row] = lambda * (sum + unobserved) ** frequencyExponent;
    }
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
  const { features, epochs = 8, unobservedWeight = 0.01, lambda = 0.003, frequencyExponent = 1 } = options;
  const { penaltyCounts = 'all' } = options;
  if (penaltyCounts !== 'all' && penaltyCounts !== 'entries')
    throw new OutputLayerError(
      'bad-option',
      `fitAlternating: penaltyCounts must be 'entries' or 'all', got '${String(penaltyCounts)}'`,
    );
  checkOptions({ classes: 1, features, loss: implicitLoss() });
  if (!Number.isSafeInteger(epochs) || epochs < 0)
    throw new OutputLayerError(
      'bad-option',
      `fitAlternating: epochs must be a whole number of at least 0, got ${epochs}`,
    );
  for (const [name, value] of Object.entries({ unobservedWeight, lambda })) {
    if (!(Number.isFinite(value) && value > 0))
      throw new OutputLayerError('bad-option', `fitAlternating: ${name} must be a finite number above 0, got ${value}`);
  }
  if (!Number.isFinite(frequencyExponent))
    throw new OutputLayerError(
      'bad-option',
      `fitAlternating: frequencyExponent must be a finite number, got ${frequencyExponent}`,
    );
}

/** @throws SparseDataError; OutputLayerError `bad-option` for a weight that is not above 0. */
function checkSets(operation: string, sets: CsrRows): void {
  validateCsrRows(sets, `${operation}: sets`);
  const { offsets, values } = sets;
  if (values === undefined) return;
  for (let entry = 0; entry < offsets[sets.rows]!; entry++) {
    if (values[entry]! > 0) continue;
    throw new OutputLayerError(
      'bad-option',
      `${operation}: the weight of entry ${entry} is ${values[entry]!}; weights must be above 0, and what has none is left out`,
    );
  }
}

/** Of every engine; this package is compiled without the types of any. */
declare function setTimeout(action: () => void, milliseconds: number): unknown;
