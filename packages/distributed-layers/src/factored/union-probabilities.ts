/**
 * Log-probabilities of classes for each rank's own examples (class-probabilities.ts of spherical-losses). A loss of a
 * class is made of r, s and one output, so what normalises is known to every rank: only the rows of the classes asked
 * for travel.
 */
import { affine, type Matrix, type Workspace } from '@vastmax/linalg-core';
import {
  checkClassRange,
  checkExampleClasses,
  checkHidden,
  OutputLayerError,
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
} from '@vastmax/spherical-losses/factored-parts';
import { refusalOf } from './agreement.ts';
import type { GlobalRows } from './global-rows.ts';
import type { UnionStep } from './union-step.ts';

type Layer = Pick<OutputLayer, 'kind' | 'backend' | 'classes' | 'features'> & {
  readonly loss: SphericalLoss;
  readonly bias: boolean;
};

const none: CsrRows = singleTargets(new Int32Array(0), 1);

export class UnionProbabilities {
  readonly #layer: Layer;
  readonly #workspace: Workspace;
  readonly #step: UnionStep;
  readonly #rows: GlobalRows;
  readonly #scores: ClassScores;

  constructor(layer: Layer, workspace: Workspace, step: UnionStep, rows: GlobalRows, scores: ClassScores) {
    this.#layer = layer;
    this.#workspace = workspace;
    this.#step = step;
    this.#rows = rows;
    this.#scores = scores;
  }

  /** A collective. @param out m×1. */
  async ofClasses(hidden: Matrix, classes: Int32Array, out: Matrix): Promise<void> {
    const operation = 'classLogProbabilities';
    const layer = this.#layer;
    let targets = none;
    const refusal = refusalOf(() => {
      requireProbabilities(layer.loss, operation);
      checkHidden(layer, operation, hidden);
      checkExampleClasses(layer, operation, hidden, classes);
      checkOut(layer, operation, hidden, out, 1);
      targets = singleTargets(classes, layer.classes);
    });
    affine(await this.#step.computeLosses(operation, hidden, targets, refusal), -1, 0, out);
    await layer.backend.synchronize();
  }

  /** A collective: the same range on all ranks. @param out m×count. */
  async ofRange(hidden: Matrix, firstClass: number, out: Matrix): Promise<void> {
    const operation = 'logProbabilities';
    const layer = this.#layer;
    const count = out.columns;
    let targets = none;
    const refusal = refusalOf(() => {
      requireUnnormalized(layer.loss, operation);
      checkHidden(layer, operation, hidden);
      checkClassRange(layer, operation, firstClass, count);
      checkOut(layer, operation, hidden, out, Math.max(1, count));
      targets = singleTargets(new Int32Array(hidden.rows).fill(firstClass), layer.classes);
    });
    const losses = await this.#step.computeLosses(operation, hidden, targets, refusal, { firstClass, count });
    const extended = withBiasFeature(this.#workspace, hidden, layer.bias);
    const rows = this.#workspace.matrix('log probability rows', count, extended.columns);
    await this.#rows.fetchDenseRows(firstClass, count, rows);
    this.#scores.ofRows(extended, rows, firstClass, this.#step.constants?.all, layer.loss.unnormalizedProbability, out);
    normalizeLogs(this.#workspace, losses, out);
    await layer.backend.synchronize();
  }
}

function checkOut({ kind, backend }: Layer, operation: string, { rows }: Matrix, out: Matrix, columns: number): void {
  if (out.disposed) throw new OutputLayerError('disposed', `${kind} ${operation}: out was disposed`);
  if (out.backend !== backend)
    throw new OutputLayerError(
      'bad-option',
      `${kind} ${operation}: out lives on '${out.backend.name}', the layer on '${backend.name}'`,
    );
  if (out.rows === rows && out.columns === columns) return;
  throw new OutputLayerError(
    'shape',
    `${kind} ${operation}: out is ${out.rows}×${out.columns}, it must be ${rows}×${columns}`,
  );
}
