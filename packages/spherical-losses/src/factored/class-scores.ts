/**
 * What orders the classes, and what their probabilities are proportional to: outputs computed from rows of W, and put
 * through the loss's own expression for the one or the other.
 */
import { Tape, type Variable } from '@vastmax/autodiff';
import {
  binary,
  copy,
  gatherRows,
  gemm,
  rowDot,
  type Backend,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import type { ScoreTerms } from '../loss.ts';
import type { FactoredWeights } from './factored-weights.ts';
import type { ClassConstants } from './class-constants.ts';

/** Of the outputs; undefined for the outputs themselves. */
export type ScoreExpression = ((terms: ScoreTerms) => Variable) | undefined;

/** Where the rows come from. */
export type ScoreWeights = Pick<FactoredWeights, 'width' | 'map' | 'shift' | 'denseRows' | 'gatherCurrent'>;

export class ClassScores implements Disposable {
  readonly #workspace: Workspace;
  readonly #weights: ScoreWeights;
  readonly #tape: Tape;

  constructor(backend: Backend, workspace: Workspace, weights: ScoreWeights) {
    this.#workspace = workspace;
    this.#weights = weights;
    this.#tape = new Tape(backend);
  }

  /** Classes `first` … for every example; hidden m×d with the bias feature, out m×count. O(count·d² + m·count·d). */
  range(
    hidden: Matrix,
    first: number,
    constants: ClassConstants | undefined,
    expression: ScoreExpression,
    out: Matrix,
  ): void {
    const rows = this.#workspace.matrix('score rows', out.columns, this.#weights.width);
    this.#weights.denseRows(first, out.columns, rows);
    this.ofRows(hidden, rows, first, constants, expression, out);
  }

  /** As `range`, of rows of W that are there. @param rows count×d, those of classes `first` … */
  ofRows(
    hidden: Matrix,
    rows: Matrix,
    first: number,
    constants: ClassConstants | undefined,
    expression: ScoreExpression,
    out: Matrix,
  ): void {
    gemm(hidden, rows, out, { transposeB: true });
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
    copy(expression({ output: tape.constant(outputs), constant }).value, outputs);
  }

  [Symbol.dispose](): void {
    this.#tape[Symbol.dispose]();
  }
}
