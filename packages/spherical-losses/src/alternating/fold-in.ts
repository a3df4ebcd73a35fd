/**
 * The examples' side of alternating least squares: the hidden rows of any examples, given the classes. It is all that
 * is kept of a fit to serve new examples, and to go on with it.
 */
import { fill, scatterRows, Workspace, type Backend, type Matrix, type RowTable } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { validateCsrRows, type CsrRows } from '@vastmax/sparse-data';
import { checkOptions } from '../factored/layer-options.ts';
import { implicitLoss } from '../losses/built-in-losses.ts';
import { TableBlocks } from '../ridge/table-blocks.ts';
import { listsPerBlock, RowSolver } from './row-solver.ts';

/** What a row costs: the weights of the sums of alternating least squares. */
export interface AlternatingPenalties {
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
}

/** All penalties, the defaults where they are left out. */
export function penaltiesOf({
  unobservedWeight = 0.01,
  lambda = 0.003,
  penaltyCounts = 'all',
  frequencyExponent = 1,
}: AlternatingPenalties): Required<AlternatingPenalties> {
  return { unobservedWeight, lambda, penaltyCounts, frequencyExponent };
}

/** D, d and the penalties of a {@link FoldIn}. */
export interface FoldInOptions extends AlternatingPenalties {
  /** D. */
  readonly classes: number;
  /** d. */
  readonly features: number;
}

/** The classes of a fit. Memory: 4d bytes for each (8d on an f64 backend) and O(d²). */
export class FoldIn implements Disposable {
  readonly backend: Backend;
  readonly options: FoldInOptions;
  /** D×d: W in a basis in which WᵀW is diagonal. */
  readonly classRows: RowTable;
  /** 1×d: a₀ times the diagonal of WᵀW. */
  readonly base: Matrix;
  readonly #workspace: Workspace;
  readonly #blocks: TableBlocks;
  readonly #solver: RowSolver;

  /**
   * With zeros for `classRows` and `base`, which belong together: those of a fit, or of a checkpoint.
   * @throws OutputLayerError `bad-option`.
   */
  constructor(backend: Backend, options: FoldInOptions) {
    const { classes, features } = options;
    const { unobservedWeight } = penaltiesOf(options);
    checkOptions({ classes, features, loss: implicitLoss() });
    checkPenalties('FoldIn', options);
    this.backend = backend;
    this.options = options;
    this.#workspace = new Workspace(backend);
    this.#blocks = new TableBlocks(this.#workspace);
    this.#solver = new RowSolver(this.#workspace, this.#blocks, features, unobservedWeight);
    this.classRows = backend.createTable(classes, features);
    this.base = backend.createMatrix(1, features);
    fill(0, this.base);
  }

  /**
   * The hidden rows of examples, given the classes: n²d operations for one of n ≤ d entries, nd² + d³ for more. For the
   * sets of a fit these are its own rows.
   * @param sets m×D, an example a row with its classes, of which duplicates add up; values are the weights y, above 0.
   * @param out m×d.
   * @throws OutputLayerError `shape` for another number of classes, `bad-option`; SparseDataError for rows that are none.
   */
  solve(sets: CsrRows, out: Matrix): void {
    checkSets('FoldIn.solve', sets);
    checkColumns('FoldIn.solve', sets, this.classRows.rows);
    const penalties = computePenalties(sets, this.classRows.rows, this.options);
    fill(0, out);
    for (let first = 0; first < sets.rows; first += listsPerBlock) {
      const count = Math.min(listsPerBlock, sets.rows - first);
      const rows = this.#workspace.matrix('solved rows', count, this.options.features);
      this.#solver.solve({ table: this.classRows, base: this.base }, sets, penalties, first, count, rows);
      scatterRows(rows, this.#blocks.range(first, count), out);
    }
  }

  [Symbol.dispose](): void {
    for (const owned of [this.classRows, this.base, this.#workspace]) owned[Symbol.dispose]();
  }
}

/** λ of each row. @param others rows of the other side. */
export function computePenalties(
  { rows, offsets, values }: CsrRows,
  others: number,
  options: AlternatingPenalties,
): Float64Array {
  const { lambda, frequencyExponent, unobservedWeight, penaltyCounts } = penaltiesOf(options);
  const unobserved = penaltyCounts === 'all' ? unobservedWeight * others : 0;
  const penalties = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++) sum += values?.[entry] ?? 1;
    penalties[row] = lambda * (sum + unobserved) ** frequencyExponent;
  }
  return penalties;
}

/** @throws OutputLayerError `bad-option`. */
export function checkPenalties(operation: string, options: AlternatingPenalties): void {
  const { unobservedWeight, lambda, frequencyExponent, penaltyCounts } = penaltiesOf(options);
  if (penaltyCounts !== 'all' && penaltyCounts !== 'entries')
    throw new OutputLayerError(
      'bad-option',
      `${operation}: penaltyCounts must be 'entries' or 'all', got '${String(penaltyCounts)}'`,
    );
  for (const [name, value] of Object.entries({ unobservedWeight, lambda })) {
    if (!(Number.isFinite(value) && value > 0))
      throw new OutputLayerError('bad-option', `${operation}: ${name} must be a finite number above 0, got ${value}`);
  }
  if (!Number.isFinite(frequencyExponent))
    throw new OutputLayerError(
      'bad-option',
      `${operation}: frequencyExponent must be a finite number, got ${frequencyExponent}`,
    );
}

/** @throws OutputLayerError `shape`. */
export function checkColumns(operation: string, sets: CsrRows, classes: number): void {
  if (sets.columns === classes) return;
  throw new OutputLayerError('shape', `${operation}: sets of ${sets.columns} classes; the fit has ${classes}`);
}

/** @throws SparseDataError; OutputLayerError `bad-option` for a weight that is not above 0. */
export function checkSets(operation: string, sets: CsrRows): void {
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
