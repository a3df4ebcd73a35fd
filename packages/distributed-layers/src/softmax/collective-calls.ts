/**
 * The part that the calls of all softmax layers over ranks have in common: arguments are checked, announced to the
 * other ranks, and calls run one at a time.
 */
import { write, type Matrix, type Workspace } from '@vastmax/linalg-core';
import {
  CallGuard,
  checkHidden,
  checkStepOptions,
  checkTargets,
  withBiasFeature,
  type OutputLayer,
  type PendingStep,
  type PreparedStep,
  type StepOptions,
} from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import type { Communicator } from '@vastmax/collectives';
import { checkSame, checkWholeNumber, type JsonObject, type ModuleState } from '@vastmax/linalg-core/state';
import {
  type CollectiveOperation,
  localErrorOf,
  type GlobalCounts,
  type CollectivePreflight,
  restoreCollectively,
} from '../factored/collective-preflight.ts';
import { ownShardOf } from '../factored/sharded-state.ts';
import type { RowPartition } from '../rows/row-partition.ts';
import { GlobalBatchGather, type GlobalBatch } from './global-batch.ts';

type Layer = Pick<OutputLayer, 'kind' | 'backend' | 'classes' | 'features'> & {
  readonly bias: boolean;
  readonly communicator: Communicator;
};

/** What a call with targets does before it is announced. */
export interface Beginning {
  /** Sorts the targets, which have been checked. */
  readonly route: () => void;
  /** What is requested from other ranks, once `route` has been called. */
  readonly rows?: Parameters<CollectivePreflight['begin']>[2];
  /** Of what must be the same on all ranks at this step; 0 for none. */
  readonly checksum: (steps: number) => Promise<number>;
}

export class CollectiveCalls {
  readonly guard: CallGuard;
  /** Number of steps, those before a restored checkpoint included. */
  steps = 0;
  readonly #layer: Layer;
  readonly #preflight: CollectivePreflight;
  readonly #workspace: Workspace;
  readonly #gather: GlobalBatchGather;

  /** @param layer its sizes must be set. */
  constructor(layer: Layer, preflight: CollectivePreflight, workspace: Workspace) {
    this.guard = new CallGuard(layer.kind);
    this.#layer = layer;
    this.#preflight = preflight;
    this.#workspace = workspace;
    this.#gather = new GlobalBatchGather(layer.communicator, layer.backend, workspace);
  }

  /**
   * Runs a step. A collective.
   * @throws OutputLayerError on every rank when one rank rejects its arguments; `action` then is not called.
   */
  step<Result>(
    hidden: Matrix,
    targets: CsrRows,
    options: StepOptions,
    action: (counts: GlobalCounts) => Promise<Result>,
    beginning?: Beginning,
  ): Promise<Result> {
    return this.guard.runCollectively('step', async (busy) =>
      action(await this.#beginStep(busy, hidden, targets, options, beginning)),
    );
  }

  /** As `step`, for one in two halves. */
  prepareStep(
    hidden: Matrix,
    targets: CsrRows,
    options: StepOptions,
    prepare: (counts: GlobalCounts) => Promise<PendingStep>,
    beginning?: Beginning,
  ): Promise<PreparedStep> {
    return this.guard.holdCollectively('step', async (busy) =>
      prepare(await this.#beginStep(busy, hidden, targets, options, beginning)),
    );
  }

  async #beginStep(
    busy: unknown,
    hidden: Matrix,
    targets: CsrRows,
    options: StepOptions,
    beginning: Beginning | undefined,
  ): Promise<GlobalCounts> {
    const localError = localErrorOf(busy, () => {
      this.#checkExamples('step', hidden, targets);
      checkStepOptions(this.#layer, hidden.rows, options);
      beginning?.route();
      this.guard.willChange();
    });
    const checksum = localError === undefined ? await beginning?.checksum(this.steps) : undefined;
    return this.#begin('step', localError, { learningRate: options.learningRate }, hidden, beginning?.rows, checksum);
  }

  /** Evaluates this rank's own examples. A collective. */
  evaluateOwn(hidden: Matrix, targets: CsrRows, action: () => Promise<Matrix>, beginning: Beginning): Promise<Matrix> {
    return this.guard.runCollectively('evaluate', async (busy) => {
      const localError = localErrorOf(busy, () => {
        this.#checkExamples('evaluate', hidden, targets);
        beginning.route();
      });
      this.#begin('evaluate', localError, {}, hidden, beginning.rows);
      return action();
    });
  }

  /** m×1, the losses of this rank's own examples. A collective. @param forward the losses of all. */
  evaluate(
    hidden: Matrix,
    targets: CsrRows,
    forward: (batch: GlobalBatch) => Promise<{ readonly losses: Float64Array }>,
  ): Promise<Matrix> {
    return this.guard.runCollectively('evaluate', async (busy) => {
      const localError = localErrorOf(busy, () => {
        this.#checkExamples('evaluate', hidden, targets);
      });
      const { examples } = this.#begin('evaluate', localError, {}, hidden);
      const batch = await this.gather(hidden, targets, undefined, examples, 1);
      const { losses } = await forward(batch);
      return this.ownLosses(losses, batch.first, hidden.rows);
    });
  }

  /** Gathers the examples of all ranks. A collective. @param factor of every example, in addition to its own weight. */
  gather(
    hidden: Matrix,
    targets: CsrRows,
    exampleWeights: ArrayLike<number> | undefined,
    examples: Int32Array,
    factor: number,
  ): Promise<GlobalBatch> {
    return this.#gather.gather(
      withBiasFeature(this.#workspace, hidden, this.#layer.bias),
      targets,
      exampleWeights,
      examples,
      factor,
    );
  }

  /** Selects this rank's losses from those of all examples. */
  ownLosses(losses: Float64Array, first: number, count: number): Matrix {
    const own = this.#workspace.matrix('own losses', count, 1);
    if (count > 0) write(losses.subarray(first, first + count), own);
    return own;
  }

  /**
   * Restores this rank's shard, or its part of a whole state. A collective.
   * @param fixed the configuration values of a state that must equal the layer's.
   * @param restoreShard restores the tensors. No collective.
   * @param partitions of tables whose rows are in groups.
   * @throws StateError `state-mismatch` on every rank when one rank rejects the state.
   */
  restore(
    given: ModuleState,
    fixed: JsonObject,
    restoreShard: (shard: ModuleState) => Promise<void>,
    partitions?: Readonly<Record<string, RowPartition>>,
  ): Promise<void> {
    const { kind, classes, communicator } = this.#layer;
    const described = `${kind} layer`;
    const restoreOwn = async (): Promise<void> => {
      for (const [key, value] of Object.entries(fixed)) checkSame(described, key, value, given.configuration[key]);
      const steps = checkWholeNumber(described, 'steps', given.configuration['steps']);
      this.guard.willRestore(given);
      await restoreShard(ownShardOf(described, given, communicator, classes, partitions));
      this.steps = steps;
    };
    return this.guard.runCollectively('restore', (busy) =>
      restoreCollectively(this.#preflight, restoreOwn, () => ({ steps: this.steps }), busy),
    );
  }

  #begin(
    operation: CollectiveOperation,
    localError: unknown,
    numbers: { readonly learningRate?: number },
    hidden: Matrix,
    rows?: Beginning['rows'],
    checksum = 0,
  ): GlobalCounts {
    return this.#preflight.begin(
      operation,
      {
        localError,
        same: { steps: this.steps, ...numbers },
        examples: localError === undefined ? hidden.rows : 0,
        checksum,
      },
      rows,
    );
  }

  #checkExamples(operation: string, hidden: Matrix, targets: CsrRows): void {
    checkHidden(this.#layer, operation, hidden);
    checkTargets(this.#layer, operation, hidden, targets);
  }
}
