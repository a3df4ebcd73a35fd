/**
 * Losses and log-probabilities for each rank's own examples (class-scores.ts of spherical-losses). The loss of a class
 * depends on r, s and one output only, so every rank can compute the normaliser, and only the rows of the requested
 * classes are sent.
 */
import { affine, type Matrix, type Workspace } from '@vastmax/linalg-core';
import {
  checkClassRange,
  checkClassScores,
  checkHidden,
  checkOut,
  checkTargets,
  withBiasFeature,
  type OutputLayer,
} from '@vastmax/output-layer';
import { singleTargets, type CsrRows } from '@vastmax/sparse-data';
import type { SphericalLoss } from '@vastmax/spherical-losses';
import {
  normalizeLogs,
  requireProbabilities,
  requireUnnormalized,
  type ClassScores,
  type FactoredStep,
} from '@vastmax/spherical-losses/factored-parts';
import { localErrorOf, type CollectiveOperation } from './collective-preflight.ts';
import type { FactoredExchange } from './factored-exchange.ts';
import type { GlobalRows } from './global-rows.ts';

type Layer = Pick<OutputLayer, 'kind' | 'backend' | 'classes' | 'features'> & {
  readonly loss: SphericalLoss;
  readonly bias: boolean;
};

const none: CsrRows = singleTargets(new Int32Array(0), 1);

export class DistributedLosses {
  readonly #layer: Layer;
  readonly #workspace: Workspace;
  readonly #step: FactoredStep;
  readonly #exchange: FactoredExchange;
  readonly #rows: GlobalRows;
  readonly #scores: ClassScores;

  constructor(
    layer: Layer,
    workspace: Workspace,
    step: FactoredStep,
    exchange: FactoredExchange,
    rows: GlobalRows,
    scores: ClassScores,
  ) {
    this.#layer = layer;
    this.#workspace = workspace;
    this.#step = step;
    this.#exchange = exchange;
    this.#rows = rows;
    this.#scores = scores;
  }

  /** m×1. A collective. @param busy why this rank rejects the call, if it does. */
  async evaluate(hidden: Matrix, targets: CsrRows, busy: unknown): Promise<Matrix> {
    const layer = this.#layer;
    const localError = localErrorOf(busy, () => {
      checkHidden(layer, 'evaluate', hidden);
      checkTargets(layer, 'evaluate', hidden, targets);
    });
    const losses = await this.#losses('evaluate', hidden, targets, localError);
    await layer.backend.synchronize();
    return losses;
  }

  /** log p of one class for each example. A collective. @param out m×1. */
  async ofClasses(hidden: Matrix, classes: Int32Array, out: Matrix, busy: unknown): Promise<void> {
    const operation = 'classLogProbabilities';
    const layer = this.#layer;
    let targets = none;
    const localError = localErrorOf(busy, () => {
      requireProbabilities(layer.loss, operation);
      checkClassScores(layer, operation, hidden, classes, out);
      targets = singleTargets(classes, layer.classes);
    });
    affine(await this.#losses(operation, hidden, targets, localError), -1, 0, out);
    await layer.backend.synchronize();
  }

  /** As `ofClasses`, where the backend can read without waiting; arguments have been checked. A collective. */
  ofClassesSync(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    const targets = singleTargets(classes, this.#layer.classes);
    affine(this.#lossesSync('classLogProbabilities', hidden, targets), -1, 0, out);
  }

  /** As `ofRange`, where the backend can read without waiting; arguments have been checked. A collective. */
  ofRangeSync(hidden: Matrix, firstClass: number, out: Matrix): void {
    const operation = 'logProbabilities';
    const layer = this.#layer;
    const { columns: count } = out;
    const expression = requireUnnormalized(layer.loss, operation);
    const targets = singleTargets(new Int32Array(hidden.rows).fill(firstClass), layer.classes);
    const losses = this.#lossesSync(operation, hidden, targets);
    const extended = withBiasFeature(this.#workspace, hidden, layer.bias);
    const rows = this.#workspace.matrix('log probability rows', count, extended.columns);
    this.#rows.denseRows(firstClass, count, rows);
    this.#scores.ofRows(extended, rows, firstClass, this.#step.constants, expression, out);
    normalizeLogs(this.#workspace, losses, out);
  }

  /** log p of a range of classes, the same on all ranks. A collective. @param out m×count. */
  async ofRange(hidden: Matrix, firstClass: number, out: Matrix, busy: unknown): Promise<void> {
    const operation = 'logProbabilities';
    const layer = this.#layer;
    const count = out.columns;
    let targets = none;
    const localError = localErrorOf(busy, () => {
      requireUnnormalized(layer.loss, operation);
      checkHidden(layer, operation, hidden);
      checkClassRange(layer, operation, firstClass, count);
      checkOut(layer, operation, out, hidden.rows, Math.max(1, count));
      targets = singleTargets(new Int32Array(hidden.rows).fill(firstClass), layer.classes);
    });
    const losses = await this.#losses(operation, hidden, targets, localError, { firstClass, count });
    const extended = withBiasFeature(this.#workspace, hidden, layer.bias);
    const rows = this.#workspace.matrix('log probability rows', count, extended.columns);
    await this.#rows.fetchDenseRows(firstClass, count, rows);
    this.#scores.ofRows(extended, rows, firstClass, this.#step.constants, layer.loss.unnormalizedProbability, out);
    normalizeLogs(this.#workspace, losses, out);
    await layer.backend.synchronize();
  }

  /**
   * The losses, m×1, without changing anything. @param same up to two more numbers that must be the same on all ranks.
   */
  async #losses(
    operation: CollectiveOperation,
    hidden: Matrix,
    targets: CsrRows,
    localError: unknown,
    same: Readonly<Record<string, number>> = {},
  ): Promise<Matrix> {
    const { pairs, steps } = this.#step;
    if (localError === undefined) this.#step.buildPairs(targets);
    this.#exchange.announce(operation, { pairs, examples: hidden.rows, steps }, localError, same);
    await this.#exchange.fetch(pairs.touched, false);
    return this.#step.computeLosses(hidden, undefined, operation);
  }

  #lossesSync(operation: CollectiveOperation, hidden: Matrix, targets: CsrRows): Matrix {
    const { pairs, steps } = this.#step;
    this.#step.buildPairs(targets);
    this.#exchange.announce(operation, { pairs, examples: hidden.rows, steps }, undefined, {});
    this.#exchange.fetchSync(pairs.touched);
    return this.#step.computeLosses(hidden, undefined, operation);
  }
}
