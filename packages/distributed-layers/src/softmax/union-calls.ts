/**
 * The calls that the softmax layers over ranks make alike: arguments checked, announced to the other ranks, one at a
 * time.
 */
import { write, type Matrix, type Workspace } from '@vastmax/linalg-core';
import { CallGuard, checkHidden, checkStepOptions, checkTargets, withBiasFeature, type OutputLayer, type StepOptions } from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import type { Communicator } from '@vastmax/collectives';
import { refusalOf, type Agreed, type Agreement, type CollectiveOperation } from '../factored/agreement.ts';
import { ownShardOf } from '../factored/own-shard.ts';
import { restoreTogether } from '../factored/together.ts';
import { UnionGather, type UnionBatch } from './union-batch.ts';
import { checkSame, checkWholeNumber, type JsonObject, type ModuleState } from '@vastmax/linalg-core/state';

type Layer = Pick<OutputLayer, 'kind' | 'backend' | 'classes' | 'features'> & {
  readonly bias: boolean;
  readonly communicator: Communicator;
};

export class UnionCalls {
  readonly guard: CallGuard;
  /** Taken, those before a restored checkpoint included. */
  steps = 0;
  readonly #layer: Layer;
  readonly #agreement: Agreement;
  readonly #workspace: Workspace;
  readonly #union: UnionGather;

  /** @param layer whose sizes are set. */
  constructor(layer: Layer, agreement: Agreement, workspace: Workspace) {
    this.guard = new CallGuard(layer.kind);
    this.#layer = layer;
    this.#agreement = agreement;
    this.#workspace = workspace;
    this.#union = new UnionGather(layer.communicator, layer.backend, workspace);
  }

  /**
   * A collective.
   * @throws OutputLayerError on every rank when one must refuse its arguments; `action` then is not called.
   */
  async step<Result>(
    hidden: Matrix,
    targets: CsrRows,
    options: StepOptions,
    action: (agreed: Agreed) => Promise<Result>,
  ): Promise<Result> {
    this.guard.check('step');
    const refusal = refusalOf(() => {
      this.#checkExamples('step', hidden, targets);
      checkStepOptions(this.#layer, hidden.rows, options);
    });
    return this.guard.exclusively(async () =>
      action(this.#begin('step', refusal, { learningRate: options.learningRate }, hidden)),
    );
  }

  /** m×1, the losses of this rank's own examples. A collective. @param forward the losses of all. */
  async evaluate(
    hidden: Matrix,
    targets: CsrRows,
    forward: (batch: UnionBatch) => Promise<{ readonly losses: Float64Array }>,
  ): Promise<Matrix> {
    this.guard.check('evaluate');
    const refusal = refusalOf(() => {
      this.#checkExamples('evaluate', hidden, targets);
    });
    return this.guard.exclusively(async () => {
      const { examples } = this.#begin('evaluate', refusal, {}, hidden);
      const batch = await this.gather(hidden, targets, undefined, examples, 1);
      const { losses } = await forward(batch);
      return this.ownLosses(losses, batch.first, hidden.rows);
    });
  }

  /** The examples of all ranks. A collective. @param factor of every example, beside its own weight. */
  gather(
    hidden: Matrix,
    targets: CsrRows,
    exampleWeights: ArrayLike<number> | undefined,
    examples: Int32Array,
    factor: number,
  ): Promise<UnionBatch> {
    return this.#union.gather(
      withBiasFeature(this.#workspace, hidden, this.#layer.bias),
      targets,
      exampleWeights,
      examples,
      factor,
    );
  }

  /** Out of those of all examples. */
  ownLosses(losses: Float64Array, first: number, count: number): Matrix {
    const own = this.#workspace.matrix('own losses', count, 1);
    if (count > 0) write(losses.subarray(first, first + count), own);
    return own;
  }

  /**
   * This rank's shard, or its part of a whole state. A collective.
   * @param fixed what of a state's configuration must be the layer's.
   * @param restoreShard takes over the tensors. No collective.
   * @throws StateError `state-mismatch` on every rank when one must refuse.
   */
  async restore(
    given: ModuleState,
    fixed: JsonObject,
    restoreShard: (shard: ModuleState) => Promise<void>,
  ): Promise<void> {
    this.guard.check('restore');
    const { kind, classes, communicator } = this.#layer;
    const described = `${kind} layer`;
    const restoreOwn = async (): Promise<void> => {
      for (const [key, value] of Object.entries(fixed)) checkSame(described, key, value, given.configuration[key]);
      const steps = checkWholeNumber(described, 'steps', given.configuration['steps']);
      await restoreShard(ownShardOf(described, given, communicator, classes));
      this.steps = steps;
    };
    await this.guard.exclusively(() => restoreTogether(this.#agreement, restoreOwn, () => ({ steps: this.steps })));
  }

  #begin(
    operation: CollectiveOperation,
    refusal: unknown,
    numbers: { readonly learningRate?: number },
    hidden: Matrix,
  ): Agreed {
    return this.#agreement.begin(operation, {
      refusal,
      same: { steps: this.steps, ...numbers },
      examples: refusal === undefined ? hidden.rows : 0,
    });
  }

  #checkExamples(operation: string, hidden: Matrix, targets: CsrRows): void {
    checkHidden(this.#layer, operation, hidden);
    checkTargets(this.#layer, operation, hidden, targets);
  }
}
