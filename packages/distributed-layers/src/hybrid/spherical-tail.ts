/** The spherical tail of a hybrid layer over ranks: the factored layer over ranks, whose scores are made log p. */
import type { Backend, Matrix } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import type { PreparedStep, StepOptions, StepResult, TwoPhaseOutputLayer } from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import type { DistributedFactoredLayer } from '../factored/distributed-factored-layer.ts';

export class SphericalTail implements TwoPhaseOutputLayer {
  readonly isNormalized = true;
  readonly #layer: DistributedFactoredLayer;

  /** Owns the layer from now on. @param layer with a normalised loss. */
  constructor(layer: DistributedFactoredLayer) {
    this.#layer = layer;
  }

  get backend(): Backend {
    return this.#layer.backend;
  }

  get kind(): string {
    return this.#layer.kind;
  }

  get classes(): number {
    return this.#layer.classes;
  }

  get features(): number {
    return this.#layer.features;
  }

  step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    return this.#layer.step(hidden, targets, options);
  }

  prepareStep(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<PreparedStep> {
    return this.#layer.prepareStep(hidden, targets, options);
  }

  evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    return this.#layer.evaluate(hidden, targets);
  }

  /** log p. */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#layer.logProbabilitiesSync(hidden, firstClass, out);
  }

  /** log p. */
  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#layer.classLogProbabilitiesSync(hidden, classes, out);
  }

  classVectors(firstClass: number, out: Matrix): void {
    this.#layer.classVectors(firstClass, out);
  }

  materialize(): Promise<void> {
    return this.#layer.materialize();
  }

  state(): ModuleState {
    return this.#layer.state();
  }

  restore(state: ModuleState): Promise<void> {
    return this.#layer.restore(state);
  }

  [Symbol.dispose](): void {
    this.#layer[Symbol.dispose]();
  }
}
