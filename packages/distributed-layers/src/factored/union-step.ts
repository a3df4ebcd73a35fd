/**
 * One exact step on the union of the ranks' minibatches. What travels, and in which order:
 *
 *     agree          a few words to each rank: shall we, how many examples, how many of your rows
 *     indices, rows  which rows; their values
 *     gradients      R back to the owners
 *     sums           one fused allReduce; with it a word from each rank whether its part is finite
 *
 * Nothing has changed until the sums are there, and from there on every rank has the same numbers and comes to the same
 * decisions: refuse, singular, close the generation. A rank that fails in between still takes part, with zeros, and
 * says so in its word.
 */
import { scaleRows, type Backend, type Matrix, type Workspace } from '@vastmax/linalg-core';
import {
  OutputLayerError,
  withBiasFeature,
  withoutBiasFeature,
  type StepOptions,
  type StepResult,
} from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import {
  backwardPass,
  explainNonFinite,
  forwardPass,
  GenerationControl,
  LossEvaluation,
  lossInputsOf,
  StepMonitor,
  TargetPairs,
  type FactoredWeights,
  type ForwardPass,
  type ForwardWeights,
  type LossInputs,
  type TouchedRows,
} from '@vastmax/spherical-losses/factored-parts';
import type { Communicator } from '@vastmax/collectives';
import { RowExchange } from '../rows/row-exchange.ts';
import type { RowPartition } from '../rows/row-partition.ts';
import type { Agreed, Agreement, CollectiveOperation } from './agreement.ts';
import { FusedSums } from './fused-sums.ts';
import type { DistributedFactoredLayerOptions } from './layer-options.ts';
import { Replicas } from './replicas.ts';
import { RowFetch } from './row-fetch.ts';
import type { UnionConstants } from './union-constants.ts';
import { UnionUpdate, type OwnExamples } from './union-update.ts';

interface OwnPart {
  readonly losses: Matrix;
  readonly hiddenGradient: Matrix;
  /** R of this rank's examples. */
  readonly gradient: Matrix;
}

export class UnionStep implements Disposable {
  steps = 0;
  singularSteps = 0;
  replicaRepairs = 0;
  /** Set by the layer when the loss has constants. */
  constants: UnionConstants | undefined;
  readonly rows: RowFetch;
  readonly replicas: Replicas;
  readonly generations: GenerationControl;
  readonly #communicator: Communicator;
  readonly #agreement: Agreement;
  readonly #options: DistributedFactoredLayerOptions;
  readonly #partition: RowPartition;
  readonly #workspace: Workspace;
  readonly #weights: FactoredWeights;
  readonly #forwardWeights: ForwardWeights;
  readonly #pairs = new TargetPairs();
  readonly #lossEvaluation: LossEvaluation;
  readonly #monitor: StepMonitor;
  readonly #sums: FusedSums;
  readonly #update: UnionUpdate;
  #disposed = false;

  constructor(
    communicator: Communicator,
    backend: Backend,
    options: DistributedFactoredLayerOptions,
    partition: RowPartition,
    workspace: Workspace,
    weights: FactoredWeights,
    agreement: Agreement,
  ) {
    this.#communicator = communicator;
    this.#agreement = agreement;
    this.#options = options;
    this.#partition = partition;
    this.#workspace = workspace;
    this.#weights = weights;
    const exchange = new RowExchange(communicator, partition);
    this.rows = new RowFetch(exchange, backend, workspace, weights);
    this.replicas = new Replicas(communicator, weights);
    this.#lossEvaluation = new LossEvaluation(backend, options.loss, workspace);
    this.#monitor = new StepMonitor(backend);
    this.generations = new GenerationControl(weights, this.#monitor);
    this.#sums = new FusedSums(communicator, backend, weights.width);
    this.#update = new UnionUpdate(workspace, weights, partition);
    const { rows } = this;
    const placeRows: ForwardWeights['refresh'] = (_classes, _count, _indices, out) => {
      rows.place(out);
    };
    this.#forwardWeights = {
      get map() {
        return weights.map;
      },
      get shift() {
        return weights.shift;
      },
      get centredGram() {
        return weights.centredGram;
      },
      get columnSum() {
        return weights.columnSum;
      },
      refresh: placeRows,
      gatherCurrent: placeRows,
    };
  }

  /** What all ranks must have in common before a collective call. */
  get progress(): { readonly steps: number; readonly generation: number } {
    return { steps: this.steps, generation: this.#weights.ladder.current };
  }

  /** All of a step but its changes to the weights. @param refusal what this rank has against it already. */
  async prepare(
    hidden: Matrix,
    targets: CsrRows,
    options: StepOptions,
    refusal: unknown,
  ): Promise<{ apply(): StepResult }> {
    const { checkEvery = 100 } = this.#options;
    const { learningRate } = options;
    const checksum = checkEvery > 0 && this.steps % checkEvery === 0 ? await this.replicas.computeChecksum() : 0;
    const agreed = this.#begin('step', hidden, targets, refusal, { learningRate }, checksum);
    await this.#mendReplicas(agreed);

    const owned = await this.rows.fetch(this.#pairs.touched, true);
    this.#sums.clear();
    let part: OwnPart | undefined;
    let failure: unknown;
    try {
      part = await this.#computeOwnPart(hidden, options, agreed.totalExamples);
    } catch (error) {
      failure = error;
    }
    await this.rows.give(part?.gradient, owned.gradient);
    if (failure === undefined) await this.#update.shareGram(owned.gradient, this.#sums);
    else this.#sums.fail();
    const failed = this.#sums.reduce();
    if (failed !== undefined || part === undefined)
      return this.#agreement.refuse('step', failed ?? this.#communicator.rank, failure);

    const system = this.#update.solve(this.#sums, this.#monitor.reciprocalCondition);
    this.#monitor.watchSquares('system', system);
    await this.#monitor.update();
    if (this.#disposed)
      throw new OutputLayerError('disposed', 'distributed step: the layer was disposed while the step ran');
    const { losses, hiddenGradient } = part;
    return {
      apply: () => {
        this.#apply(owned, learningRate, agreed.totalExamples === 0);
        return { losses, hiddenGradient: withoutBiasFeature(this.#workspace, hiddenGradient, hidden.columns) };
      },
    };
  }

  /**
   * m×1, without changing anything. A collective.
   * @param operation what needs them.
   * @param same up to two numbers more that must be the same everywhere.
   */
  async computeLosses(
    operation: CollectiveOperation,
    hidden: Matrix,
    targets: CsrRows,
    refusal: unknown,
    same: Readonly<Record<string, number>> = {},
  ): Promise<Matrix> {
    this.#begin(operation, hidden, targets, refusal, same);
    await this.rows.fetch(this.#pairs.touched, false);
    return this.#lossEvaluation.computeLosses(this.#lossInputs(this.#forward(hidden, false)));
  }

  #begin(
    operation: CollectiveOperation,
    hidden: Matrix,
    targets: CsrRows,
    refusal: unknown,
    same: Readonly<Record<string, number>>,
    checksum = 0,
  ): Agreed {
    const { exchange } = this.rows;
    if (refusal === undefined) {
      this.#pairs.build(targets, this.#options.loss.targetScale);
      exchange.sort(this.#pairs.classes, this.#pairs.touched);
    }
    const examples = refusal === undefined ? hidden.rows : 0;
    return this.#agreement.begin(
      operation,
      { refusal, same: { ...this.progress, ...same }, examples, checksum },
      exchange,
    );
  }

  async #mendReplicas({ checksums }: Agreed): Promise<void> {
    const ranks = Replicas.differing(checksums);
    if (ranks.length === 0) return;
    await this.replicas.takeFromRankZero();
    this.generations.watchMap();
    this.replicaRepairs++;
    const { onReplicaDrift } = this.#options;
    if (onReplicaDrift !== undefined) onReplicaDrift({ step: this.steps, ranks });
    else if (this.#communicator.rank === 0) {
      process.emitWarning(
        `distributed layer, step ${this.steps}: the replicated matrices of rank ${ranks.join(', ')} differed from those of rank 0, which all ranks now have; are the machines of one kind?`,
        { code: 'VASTMAX_REPLICA_DRIFT' },
      );
    }
  }

  async #computeOwnPart(
    hidden: Matrix,
    { learningRate, exampleWeights }: StepOptions,
    totalExamples: number,
  ): Promise<OwnPart> {
    const { reduction, loss } = this.#options;
    const pairs = this.#pairs;
    const forward = this.#forward(hidden, true);
    const factor = reduction === 'sum' || totalExamples === 0 ? 1 : 1 / totalExamples;
    const gradients = this.#lossEvaluation.computeGradients(this.#lossInputs(forward), factor, exampleWeights);
    const backward = backwardPass(
      this.#workspace,
      { ...this.#forwardWeights, classes: this.#partition.rows },
      forward,
      gradients,
      pairs,
    );
    const alphaHidden = this.#workspace.matrix('alpha hidden', forward.hidden.rows, forward.hidden.columns);
    scaleRows(forward.hidden, gradients.alpha, alphaHidden);
    const { losses } = gradients;
    const { hiddenGradient } = backward;
    this.#monitor.watchLosses(losses);
    this.#monitor.watchSquares('gradient', hiddenGradient);
    await this.#monitor.update();
    if (!Number.isFinite(this.#monitor.value('losses')) || !Number.isFinite(this.#monitor.value('gradient'))) {
      throw await explainNonFinite(hidden, losses, { step: this.steps, learningRate, loss: loss.name });
    }
    const examples: OwnExamples = { forward, gradients, backward, pairs, alphaHidden };
    return { losses, hiddenGradient, gradient: await this.#update.share(examples, learningRate, this.#sums) };
  }

  /** As the factored layer's own step does it, from numbers that are the same on every rank. */
  #apply(owned: TouchedRows, learningRate: number, isEmpty: boolean): void {
    const isSingular = !isEmpty && this.generations.isSingular;
    this.#update.apply(this.#sums, owned, learningRate, isSingular ? 'singular' : 'regular');
    this.generations.endStep(isEmpty ? 0 : this.#weights.width, {
      isSingular,
      decay: 1 - learningRate * (this.#options.weightDecay ?? 0),
    });
    if (isSingular) this.singularSteps++;
    this.steps++;
  }

  #forward(hidden: Matrix, store: boolean): ForwardPass {
    const extended = withBiasFeature(this.#workspace, hidden, this.#options.bias ?? true);
    return forwardPass(this.#workspace, this.#forwardWeights, extended, this.#pairs, store);
  }

  #lossInputs(forward: ForwardPass): LossInputs {
    return lossInputsOf(this.#workspace, forward, this.#pairs, this.#partition.rows, this.constants?.all);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#lossEvaluation[Symbol.dispose]();
    this.#monitor[Symbol.dispose]();
  }
}
