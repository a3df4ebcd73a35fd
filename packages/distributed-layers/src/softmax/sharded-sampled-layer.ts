/**
 * Sampled losses over many ranks: a method of softmax-losses on rows that are stored by their owners (fetched-rows.ts).
 * Every rank draws the same samples and has its own part of a minibatch, and the step is that of one process on all
 * parts together. Each rank sends 2(n + C)·d numbers, independent of the number of classes.
 */
import { Workspace, type Backend, type Matrix } from '@vastmax/linalg-core';
import {
  checkClassScores,
  checkClassVectors,
  checkScores,
  explainNonFinite,
  OutputLayerError,
  StepMonitor,
  type OutputLayer,
  type StepOptions,
  type StepResult,
} from '@vastmax/output-layer';
import type { SampledMethod } from '@vastmax/softmax-losses';
import { createSampledMethod, TargetList, weightOptions, type SampledLoss } from '@vastmax/softmax-losses/layer-parts';
import type { CsrRows } from '@vastmax/sparse-data';
import type { UpdateRule } from '@vastmax/update-rules';
import { type Communicator, ArrayChecksum } from '@vastmax/collectives';
import type { RowPartition } from '../rows/row-partition.ts';
import { FetchedRows } from './fetched-rows.ts';
import { createOwnClasses } from './own-classes.ts';
import { PartialLogistic } from './partial-logistic.ts';
import { PartialSoftmax } from './partial-softmax.ts';
import { type AnyShardedSampledOptions, globalSampling } from './sharded-sampled-options.ts';
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import type { CollectivePreflight } from '../factored/collective-preflight.ts';
import type { GlobalBatch } from './global-batch.ts';
import { CollectiveCalls } from './collective-calls.ts';

const evaluatedClasses = 1024;

/**
 * A layer that draws negative classes, with its class rows shared out over ranks; created by `createShardedSampledSoftmax`, `createShardedNoiseContrastive` or `createShardedNegativeSampling`.
 */
export class ShardedSampledLayer implements OutputLayer {
  readonly kind: string;
  readonly isNormalized: boolean;
  readonly communicator: Communicator;
  readonly backend: Backend;
  readonly classes: number;
  readonly features: number;
  readonly bias: boolean;
  readonly rule: UpdateRule;
  readonly reduction: 'mean' | 'sum';
  readonly #preflight: CollectivePreflight;
  readonly #workspace: Workspace;
  readonly #rows: FetchedRows;
  readonly #method: SampledMethod;
  readonly #exact: { forward(batch: GlobalBatch): Promise<{ readonly losses: Float64Array }> };
  readonly #monitor: StepMonitor;
  readonly #calls: CollectiveCalls;
  readonly #targets = new TargetList();

  /** Use one of the `createSharded…` functions. @param options checked by `loss`. */
  constructor(
    communicator: Communicator,
    backend: Backend,
    options: AnyShardedSampledOptions,
    loss: SampledLoss,
    preflight: CollectivePreflight,
  ) {
    const { classes, features, reduction = 'mean' } = options;
    const { bias, rule } = weightOptions(options);
    const sampling = globalSampling(communicator, loss.kind, options);
    const partition: RowPartition = { rows: classes, size: communicator.size };
    this.kind = loss.kind;
    this.isNormalized = loss.evaluation === 'softmax';
    this.communicator = communicator;
    this.backend = backend;
    this.classes = classes;
    this.features = features;
    this.bias = bias;
    this.rule = rule;
    this.reduction = reduction;
    this.#preflight = preflight;
    this.#workspace = new Workspace(backend);
    const own = createOwnClasses(backend, partition, communicator.rank, options, this.#workspace);
    this.#rows = new FetchedRows(communicator, preflight, partition, own, this.#workspace);
    this.#method = createSampledMethod(loss, sampling, this.#rows, this.#workspace);
    this.#exact = this.isNormalized
      ? new PartialSoftmax(communicator, partition, own, this.#rows.all, this.#workspace, evaluatedClasses)
      : new PartialLogistic(communicator, partition, own, this.#workspace, sampling);
    this.#monitor = new StepMonitor(backend);
    this.#calls = new CollectiveCalls(this, preflight, this.#workspace);
  }

  /** Number of steps, those before a restored checkpoint included. */
  get stepCount(): number {
    return this.#calls.steps;
  }

  /**
   * One step on the examples of all ranks together. A collective.
   * @param hidden this rank's m×d; m may differ between ranks, and be 0.
   * @returns the sampled losses and the gradient of this rank's own examples.
   * @throws OutputLayerError on every rank when one rank rejects the step; the message names it, and no weight has
   * changed.
   */
  step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    const { learningRate, exampleWeights } = options;
    return this.#calls.step(hidden, targets, options, async ({ totalExamples }) => {
      if (totalExamples === 0) return this.#emptyStep();
      this.#targets.build(targets);
      const scale = this.reduction === 'sum' ? 1 : 1 / totalExamples;
      const factors = Float64Array.from(
        { length: hidden.rows },
        (_, example) => scale * (exampleWeights?.[example] ?? 1),
      );
      const batch = { hidden, targets: this.#targets, factors };
      try {
        const losses = await this.#forward(batch, learningRate);
        this.#calls.steps++;
        return { losses, hiddenGradient: await this.#method.update(batch, learningRate, this.#calls.steps) };
      } finally {
        this.#rows.release();
      }
    });
  }

  /**
   * m×1, the exact losses of this rank's own examples over all classes; each rank computes the part of its own classes.
   * A collective.
   */
  evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    return this.#calls.evaluate(hidden, targets, (batch) => this.#exact.forward(batch));
  }

  /** No collective: every rank refuses calls of its own meanwhile. */
  withFixedWeights<Result>(operation: string, action: () => Promise<Result>): Promise<Result> {
    return this.#calls.guard.read(operation, action);
  }

  /**
   * A collective when there are several ranks: the same classes on all ranks, each rank with its own `hidden`. Moves
   * count·d numbers.
   */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#calls.guard.check('scores');
    checkScores(this, 'scores', hidden, firstClass, out);
    this.#method.scores(hidden, firstClass, out);
  }

  /** A collective when there are several ranks, each with its own `hidden` and classes. */
  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#calls.guard.check('classScores');
    checkClassScores(this, 'classScores', hidden, classes, out);
    this.#method.classScores(hidden, classes, out);
  }

  /** The class vectors, without biases. A collective when there are several ranks. */
  classVectors(firstClass: number, out: Matrix): void {
    this.#calls.guard.check('classVectors');
    checkClassVectors(this, 'classVectors', firstClass, out);
    this.#method.classVectors(firstClass, out);
  }

  /**
   * This rank's shard, and what a proposal has learned. No collective. `mergeShards` merges the shards into the state
   * of the layer in one process.
   */
  state(): ModuleState {
    this.#calls.guard.check('state');
    const { rank, size } = this.communicator;
    return this.#calls.guard.stateAsOfNow({
      configuration: {
        ...this.#fixedConfiguration(),
        steps: this.#calls.steps,
        progress: this.#method.progress(),
        shard: { rank, size },
      },
      tensors: this.#method.tensors(),
    });
  }

  /**
   * Restores this rank's shard, or its part of a whole state. A collective.
   * @throws StateError `state-mismatch` on every rank when one rank rejects it.
   */
  restore(state: ModuleState): Promise<void> {
    return this.#calls.restore(state, this.#fixedConfiguration(), async (shard) => {
      await this.#method.checkState(shard);
      await this.#method.restore(shard);
    });
  }

  [Symbol.dispose](): void {
    this.#calls.guard.close(() => {
      this.#monitor[Symbol.dispose]();
      this.#method[Symbol.dispose]();
      this.#workspace[Symbol.dispose]();
    });
  }

  /**
   * The part of a step that does not change weights. A collective: throws on all ranks or on none.
   * @returns the losses.
   */
  async #forward(batch: Parameters<SampledMethod['forward']>[0], learningRate: number): Promise<Matrix> {
    const { kind } = this;
    let losses = this.#workspace.matrix('no losses', 0, 1);
    let localError: unknown;
    try {
      const result = await this.#method.forward(batch);
      ({ losses } = result);
      const isFinite = await this.#monitor.areFinite([batch.hidden, losses, ...result.watched]);
      if (!isFinite)
        localError = await explainNonFinite(batch.hidden, losses, { kind, step: this.#calls.steps, learningRate });
    } catch (error) {
      localError = error;
    }
    try {
      if (localError !== undefined && this.#rows.wasRejected) throw localError;
      const { checksums } = this.#preflight.begin('step', { localError, same: {}, checksum: this.#sampleChecksum() });
      const other = checksums.findIndex((checksum) => checksum !== checksums[0]);
      if (other > 0)
        throw new OutputLayerError(
          'bad-option',
          `${kind} step: ranks 0 and ${other} have drawn different samples; every rank needs the same sampleSeed, samples and proposal`,
        );
    } catch (error) {
      this.#method.abandon();
      throw error;
    }
    return losses;
  }

  /** Checksum of the classes drawn and of their probabilities. */
  #sampleChecksum(): number {
    const { classes, noise, columns } = this.#method.samples;
    const hash = new ArrayChecksum();
    hash.add(Float64Array.from(classes.subarray(0, columns)));
    hash.add(noise.subarray(0, columns));
    return hash.value;
  }

  /** Without examples nothing changes: a rule with momentum would otherwise change weights without a gradient. */
  #emptyStep(): StepResult {
    this.#calls.steps++;
    return {
      losses: this.#workspace.matrix('no losses', 0, 1),
      hiddenGradient: this.#workspace.matrix('no hidden gradient', 0, this.features),
    };
  }

  #fixedConfiguration(): JsonObject {
    const { kind, classes, features, rule, reduction } = this;
    return {
      kind,
      classes,
      features,
      precision: this.backend.precision,
      rule: { name: rule.name, options: rule.options },
      reduction,
      ...this.#method.configuration(),
    };
  }
}
