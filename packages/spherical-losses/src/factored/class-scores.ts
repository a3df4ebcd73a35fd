/**
 * Computes outputs from rows of W and applies the loss's own expressions to them: the score that orders the classes,
 * and what their probabilities are proportional to. With the class constants of the losses that have them.
 *
 * Log-probabilities of a normalised loss: for one class per example they are minus its loss. For a range, log p_c is
 * the log of what p_c is proportional to plus a term that depends on the example only. The first class of the range
 * gives that term: its log p minus the log of what its p is proportional to. So no loss has to define its normaliser
 * twice.
 */
import { Tape, type Variable } from '@vastmax/autodiff';
import {
  axpy,
  binary,
  copy,
  copyColumns,
  gatherRows,
  gemm,
  growTable,
  rowDot,
  unary,
  writeRows,
  type Backend,
  type Matrix,
  type RowTable,
  type Workspace,
} from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { checkExpression } from '../losses/check-loss.ts';
import type { ScoreTerms, SphericalLoss } from '../losses/loss.ts';
import type { FactoredWeights } from './factored-weights.ts';

/** One constant for each class (D×1) and their sum, for losses that have them. */
export interface ClassConstants {
  readonly table: RowTable;
  readonly sum: number;
}

/** @throws OutputLayerError `shape` unless there is one for each class. */
export function createClassConstants(backend: Backend, values: ArrayLike<number>, classes: number): ClassConstants {
  if (values.length !== classes) {
    throw new OutputLayerError(
      'shape',
      `factored layer: the loss has ${values.length} class constants, the layer ${classes} classes`,
    );
  }
  const table = backend.createTable(classes, 1);
  writeRows(values, 0, table);
  return { table, sum: sumOf(values) };
}

/** The table grows in place. */
export function appendClassConstants({ table, sum }: ClassConstants, values: ArrayLike<number>): ClassConstants {
  const first = table.rows;
  growTable(table, first + values.length);
  writeRows(values, first, table);
  return { table, sum: sum + sumOf(values) };
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

/** An expression of the outputs; undefined for the outputs themselves. */
export type ScoreExpression = ((terms: ScoreTerms) => Variable) | undefined;

/** The source of the rows. */
export type ScoreWeights = Pick<FactoredWeights, 'width' | 'map' | 'shift' | 'denseRows' | 'gatherCurrent'> &
  Partial<Pick<FactoredWeights, 'outputs'>>;

/** Scores and rankings of all classes, by blocks of rows. */
export class ClassScores implements Disposable {
  readonly #workspace: Workspace;
  readonly #weights: ScoreWeights;
  readonly #tape: Tape;
  /** Its name, for messages. */
  readonly #loss: string;

  constructor(backend: Backend, workspace: Workspace, weights: ScoreWeights, loss: string) {
    this.#workspace = workspace;
    this.#weights = weights;
    this.#tape = new Tape(backend);
    this.#loss = loss;
  }

  /**
   * Classes `first` … for every example; hidden m×d with the bias feature, out m×count. O(m·count·d), and O(count·d²)
   * for as many examples as rows or rows of many epochs.
   */
  range(
    hidden: Matrix,
    first: number,
    constants: ClassConstants | undefined,
    expression: ScoreExpression,
    out: Matrix,
  ): void {
    if (this.#weights.outputs?.(hidden, first, out) === true) {
      this.#finish(out, first, constants, expression);
      return;
    }
    const rows = this.#workspace.matrix('score rows', out.columns, this.#weights.width);
    this.#weights.denseRows(first, out.columns, rows);
    this.ofRows(hidden, rows, first, constants, expression, out);
  }

  /** As `range`, from given rows of W. @param rows count×d, those of classes `first` … */
  ofRows(
    hidden: Matrix,
    rows: Matrix,
    first: number,
    constants: ClassConstants | undefined,
    expression: ScoreExpression,
    out: Matrix,
  ): void {
    gemm(hidden, rows, out, { transposeB: true });
    this.#finish(out, first, constants, expression);
  }

  /** From outputs of classes `first` … */
  #finish(out: Matrix, first: number, constants: ClassConstants | undefined, expression: ScoreExpression): void {
    const classes = Int32Array.from({ length: constants === undefined ? 0 : out.columns }, (_, i) => first + i);
    this.#score(expression, out, this.#constantsOf(classes, constants)?.resize(1, out.columns));
  }

  /** One class for each example; out m×1. O(m·d²). */
  each(
    hidden: Matrix,
    classes: Int32Array,
    constants: ClassConstants | undefined,
    expression: ScoreExpression,
    out: Matrix,
  ): void {
    const { width, map, shift } = this.#weights;
    const rows = this.#workspace.matrix('class score rows', classes.length, width);
    const dense = this.#workspace.matrix('class score dense', classes.length, width);
    this.#weights.gatherCurrent(classes, classes.length, this.#workspace.indices('class score classes', classes), rows);
    gemm(rows, map, dense);
    binary('add', dense, shift, dense);
    rowDot(hidden, dense, out);
    this.#score(expression, out, this.#constantsOf(classes, constants));
  }

  #constantsOf(classes: Int32Array, constants: ClassConstants | undefined): Matrix | undefined {
    if (constants === undefined) return undefined;
    const values = this.#workspace.matrix('score constants', classes.length, 1);
    gatherRows(constants.table, this.#workspace.indices('score constant classes', classes), values);
    return values;
  }

  #score(expression: ScoreExpression, outputs: Matrix, constants: Matrix | undefined): void {
    if (expression === undefined) return;
    const tape = this.#tape;
    tape.reset();
    const constant = constants === undefined ? undefined : tape.constant(constants);
    const result = expression({ output: tape.constant(outputs), constant });
    checkExpression(this.#loss, 'score or unnormalizedProbability', result, outputs.rows, outputs.columns);
    copy(result.value, outputs);
  }

  [Symbol.dispose](): void {
    this.#tape[Symbol.dispose]();
  }
}

/** @throws OutputLayerError `bad-option`. */
export function requireProbabilities({ name, isNormalized }: SphericalLoss, operation: string): void {
  if (isNormalized) return;
  throw new OutputLayerError(
    'bad-option',
    `factored ${operation}: the loss ${name} gives no probabilities; spherical-softmax and taylor-softmax do`,
  );
}

/** What the probabilities are proportional to. @throws OutputLayerError `bad-option`. */
export function requireUnnormalized(
  loss: SphericalLoss,
  operation: string,
): NonNullable<SphericalLoss['unnormalizedProbability']> {
  requireProbabilities(loss, operation);
  const { name, unnormalizedProbability } = loss;
  if (unnormalizedProbability !== undefined) return unnormalizedProbability;
  throw new OutputLayerError(
    'bad-option',
    `factored ${operation}: the loss ${name} does not say what its probabilities are proportional to (unnormalizedProbability)`,
  );
}

/**
 * @param firstLosses m×1, the loss of each example with the first class of the range as its target.
 * @param out m×count: what the probabilities of the range are proportional to; replaced by their logs; not empty.
 */
export function normalizeLogs(workspace: Workspace, firstLosses: Matrix, out: Matrix): void {
  unary('log', out, out);
  const excess = workspace.matrix('log excess', out.rows, 1);
  copyColumns(out, 0, excess, 0, 1);
  axpy(1, firstLosses, excess);
  binary('subtract', out, excess, out);
}
