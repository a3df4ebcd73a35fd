/**
 * A tree of softmaxes over many ranks: each rank has its own part of a minibatch and whole subtrees of classes, and the
 * step is the exact one on all parts together. The top of the tree is on every rank (replicated-softmax.ts). Below it,
 * each subtree has one owner, to which the examples with targets in it are sent (routed-examples.ts): it computes their
 * losses and gradients at all levels and changes its own rows. What a step sends, and in which order:
 *
 *     preflight   a few words to each rank: which call, how many examples, how many targets are sent
 *     targets, examples, results       of the examples below the top
 *     sums        the gradient of the rows of the top; with it a word from each rank: is its part finite?
 *
 * Nothing changes until the sums are complete. Neither the number of classes nor that of levels enters what is sent.
 */
import type { Communicator } from '@vastmax/collectives';
import { axpy, fill, read, readSync, type Backend, type FloatArray, type Matrix } from '@vastmax/linalg-core';
import type { JsonObject, ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import {
  checkClassScores,
  checkClassVectors,
  checkScores,
  explainNonFinite,
  StepMonitor,
  withBiasFeature,
  withoutBiasFeature,
  type PendingStep,
  type PreparedStep,
  type StepOptions,
  type StepResult,
  type TwoPhaseOutputLayer,
} from '@vastmax/output-layer';
import { TargetList } from '@vastmax/softmax-losses/layer-parts';
import type { CsrRows } from '@vastmax/sparse-data';
import type { UpdateRule } from '@vastmax/update-rules';
import type { CollectivePreflight, GlobalCounts } from '../factored/collective-preflight.ts';
import { type Beginning, CollectiveCalls } from '../softmax/collective-calls.ts';
import type { ReplicaOptions } from './replica-options.ts';
import { RoutedExamples } from './routed-examples.ts';
import type { SubtreeParts } from './subtree-parts.ts';

export interface SubtreeLayerOptions extends ReplicaOptions {
  readonly rule: UpdateRule;
  readonly reduction: 'mean' | 'sum';
}

/**
 * A softmax over a tree of classes with its subtrees shared out over ranks; created by `createShardedTreeSoftmax` or
 * `createShardedHierarchicalSoftmax`.
 */
export class SubtreeParallelLayer implements TwoPhaseOutputLayer {
  readonly communicator: Communicator;
  readonly backend: Backend;
  readonly kind: string;
  readonly classes: number;
  readonly features: number;
  readonly isNormalized = true;
  readonly bias: boolean;
  readonly rule: UpdateRule;
  readonly reduction: 'mean' | 'sum';
  readonly #parts: SubtreeParts;
  readonly #options: SubtreeLayerOptions;
  readonly #preflight: CollectivePreflight;
  readonly #monitor: StepMonitor;
  readonly #calls: CollectiveCalls;
  readonly #routed: RoutedExamples | undefined;
  readonly #targets = new TargetList();
  readonly #topTargets = new TargetList();
  #factors: Float64Array = new Float64Array(0);

  /** Owns the parts from now on. Use one of the `createSharded…` functions. */
  constructor(
    communicator: Communicator,
    parts: SubtreeParts,
    options: SubtreeLayerOptions,
    preflight: CollectivePreflight,
  ) {
    const { workspace, top } = parts;
    this.communicator = communicator;
    this.backend = workspace.backend;
    this.kind = parts.kind;
    this.classes = parts.classes;
    this.features = parts.features;
    this.bias = top.table.bias;
    this.rule = options.rule;
    this.reduction = options.reduction;
    this.#parts = parts;
    this.#options = options;
    this.#preflight = preflight;
    this.#monitor = new StepMonitor(this.backend);
    this.#calls = new CollectiveCalls(this, preflight, workspace);
    this.#routed =
      parts.below === undefined ? undefined : new RoutedExamples(communicator, this.backend, workspace, this);
  }

  /** Number of steps, those before a restored checkpoint included. */
  get stepCount(): number {
    return this.#calls.steps;
  }

  /** Of a row: the features, and the bias if there is one. */
  get width(): number {
    return this.#parts.top.table.width;
  }

  /**
   * One exact step on the examples of all ranks together. A collective. For e examples with targets below the top, which
   * has n rows, a rank sends 2e(d + 1) + 2nd(p − 1)/p numbers, two words for each target and 72 bytes to each rank, in
   * at most 6(p − 1) messages, whatever the number of classes.
   * @param hidden this rank's m×d; m may differ between ranks, and be 0.
   * @returns the losses and the gradient of this rank's own examples.
   * @throws OutputLayerError on every rank when one rank rejects the step; the message names it, and no weight has
   * changed.
   */
  step(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<StepResult> {
    return this.#calls.step(
      hidden,
      targets,
      options,
      async (counts) => (await this.#prepare(hidden, options, counts)).apply(),
      this.#beginning(targets),
    );
  }

  /** As `step`, but applied later: all ranks must then apply it, or all discard it. */
  prepareStep(hidden: Matrix, targets: CsrRows, options: StepOptions): Promise<PreparedStep> {
    return this.#calls.prepareStep(
      hidden,
      targets,
      options,
      (counts) => this.#prepare(hidden, options, counts),
      this.#beginning(targets),
    );
  }

  /** m×1, the losses of this rank's own examples. A collective; e(d + 2) numbers are sent. */
  evaluate(hidden: Matrix, targets: CsrRows): Promise<Matrix> {
    return this.#calls.evaluateOwn(
      hidden,
      targets,
      async () => {
        const losses = this.#topLosses(hidden, 'losses');
        const routed = this.#routed;
        if (routed !== undefined) {
          const rows = routed.gather(hidden);
          const below = this.#lossesBelow(routed, await read(rows, routed.host(rows.rows * rows.columns)), hidden.rows);
          routed.reply(await read(below, routed.host(below.rows)), undefined, losses);
        }
        await this.backend.synchronize();
        return losses;
      },
      this.#beginning(targets),
    );
  }

  /** No collective: every rank refuses calls of its own meanwhile. */
  withFixedWeights<Result>(operation: string, action: () => Promise<Result>): Promise<Result> {
    return this.#calls.guard.read(operation, action);
  }

  /**
   * log p. A collective when there are several ranks: the same classes on all ranks, each rank with its own `hidden`.
   * Moves the rows of the nodes above these classes, about count·d numbers.
   */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    this.#calls.guard.check('scores');
    checkScores(this, 'scores', hidden, firstClass, out);
    this.#parts.scores(this.#extended(hidden), firstClass, out);
  }

  /** A collective when there are several ranks, each with its own `hidden` and classes. */
  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    this.#calls.guard.check('classScores');
    checkClassScores(this, 'classScores', hidden, classes, out);
    if (this.#parts.classScores !== undefined) {
      this.#parts.classScores(this.#extended(hidden), classes, out);
      return;
    }
    this.#targets.buildSingle(classes);
    this.#listTop();
    const losses = this.#topLosses(hidden, 'losses of classScores');
    const routed = this.#routed;
    if (routed !== undefined) {
      routed.route(this.#targets, this.#places);
      this.#preflight.begin('classScores', { same: {} }, routed);
      const rows = routed.gather(hidden);
      const below = this.#lossesBelow(routed, readSync(rows, routed.host(rows.rows * rows.columns)), hidden.rows);
      routed.reply(readSync(below, routed.host(below.rows)), undefined, losses);
    }
    fill(0, out);
    axpy(-1, losses, out);
  }

  /** The class vectors, without biases. A collective when there are several ranks. */
  classVectors(firstClass: number, out: Matrix): void {
    this.#calls.guard.check('classVectors');
    checkClassVectors(this, 'classVectors', firstClass, out);
    this.#parts.classVectors(firstClass, out);
  }

  /**
   * This rank's shard: its own rows and the top. No collective. `mergeShards` merges the shards into the state of the
   * layer in one process. Where all rows are at the top, the state is that of one process.
   */
  state(): ModuleState {
    this.#calls.guard.check('state');
    const { rank, size } = this.communicator;
    const { below } = this.#parts;
    const shard =
      below === undefined
        ? {}
        : {
            shard: {
              rank,
              size,
              groups: Object.fromEntries(
                below.tables.map(({ own, partition }) => [own.name, Array.from(partition.groups?.starts ?? [])]),
              ),
            },
          };
    return this.#calls.guard.stateAsOfNow({
      configuration: { ...this.#fixedConfiguration(), steps: this.#calls.steps, ...shard },
      tensors: this.#tensors(),
    });
  }

  /**
   * Restores this rank's shard, or its part of a whole state. A collective.
   * @throws StateError `state-mismatch` on every rank when one rank rejects it.
   */
  restore(state: ModuleState): Promise<void> {
    const { top, below, structure } = this.#parts;
    const partitions = Object.fromEntries((below?.tables ?? []).map(({ own, partition }) => [own.name, partition]));
    const restoreOwn = async (shard: ModuleState): Promise<void> => {
      const tables = [top.table, ...(below?.tables ?? []).map(({ own }) => own)];
      for (const table of tables) table.checkState(shard);
      await structure?.check(shard);
      for (const table of tables) await table.restore(shard);
    };
    return this.#calls.restore(state, this.#fixedConfiguration(), restoreOwn, partitions);
  }

  [Symbol.dispose](): void {
    this.#calls.guard.close(() => {
      this.#monitor[Symbol.dispose]();
      this.#parts[Symbol.dispose]();
      this.#parts.workspace[Symbol.dispose]();
    });
  }

  /** What a call with targets does before the ranks announce it, and what goes with the announcement. */
  #beginning(targets: CsrRows): Beginning {
    return {
      route: () => {
        this.#targets.build(targets);
        this.#listTop();
        this.#routed?.route(this.#targets, this.#places);
      },
      ...(this.#routed === undefined ? {} : { rows: this.#routed }),
      checksum: (steps) => {
        const { checkEvery = 100 } = this.#options;
        return checkEvery > 0 && steps % checkEvery === 0 ? this.#parts.top.computeChecksum() : Promise.resolve(0);
      },
    };
  }

  /** A collective: throws on all ranks or on none. Nothing has changed before `apply`, which is no collective. */
  async #prepare(
    hidden: Matrix,
    { learningRate, exampleWeights }: StepOptions,
    { totalExamples, checksums }: GlobalCounts,
  ): Promise<PendingStep> {
    const { top, below, workspace } = this.#parts;
    const calls = this.#calls;
    await top.repair(checksums, calls.steps, this.#options.onReplicaDrift);
    if (totalExamples === 0) return { apply: () => this.#emptyStep() };
    const factors = this.#factorsOf(hidden.rows, totalExamples, exampleWeights);
    const extended = this.#extended(hidden);
    const gradient = workspace.matrix('hidden gradient', hidden.rows, this.width);
    fill(0, gradient);
    const losses = this.#topLosses(hidden, 'losses', true);
    await top.computeGradient(extended, this.#topTargets, factors, gradient);
    const received = await this.#forwardBelow(hidden, factors, losses, gradient);
    let localError: unknown;
    if (hidden.rows > 0 && !(await this.#monitor.areFinite([hidden, losses, gradient])))
      localError = await explainNonFinite(hidden, losses, { kind: this.kind, step: calls.steps, learningRate });
    const failed = top.sum(localError !== undefined);
    if (failed !== undefined) this.#preflight.throwErrorOf('step', failed, localError);
    return {
      apply: () => {
        calls.steps++;
        top.update(learningRate, calls.steps);
        if (received !== undefined) below?.own.update(received, learningRate, calls.steps);
        return { losses, hiddenGradient: withoutBiasFeature(workspace, gradient, this.features) };
      },
    };
  }

  /** Losses and gradients below the top, those of this rank's examples added up. @returns the received activations. */
  async #forwardBelow(
    hidden: Matrix,
    factors: Float64Array,
    losses: Matrix,
    gradient: Matrix,
  ): Promise<Matrix | undefined> {
    const { below } = this.#parts;
    const routed = this.#routed;
    if (below === undefined || routed === undefined) return undefined;
    const rows = routed.gather(hidden);
    const received = routed.send(await read(rows, routed.host(rows.rows * rows.columns)), factors);
    fill(0, received.losses);
    fill(0, received.gradient);
    below.own.forward(received.hidden, received.targets, received.losses, {
      factors: received.factors,
      hiddenGradient: received.gradient,
    });
    const count = received.losses.rows;
    const host = routed.host(count * (this.width + 1));
    const [hostLosses, hostGradient] = [host.subarray(0, count), host.subarray(count, count * (this.width + 1))];
    await read(received.losses, hostLosses);
    await read(received.gradient, hostGradient);
    routed.reply(hostLosses, hostGradient, losses, gradient);
    return received.hidden;
  }

  /** Of the examples received. A collective. @param rows what `gather` of the routed examples has, read. */
  #lossesBelow(routed: RoutedExamples, rows: FloatArray, examples: number): Matrix {
    const received = routed.send(rows, this.#factorsOf(examples, 1, undefined));
    fill(0, received.losses);
    this.#parts.below?.own.forward(received.hidden, received.targets, received.losses);
    return received.losses;
  }

  get #places(): { ownerOf(target: number): number; localOf(target: number): number } {
    return this.#parts.below?.places ?? noPlaces;
  }

  /** The targets at the top. */
  #listTop(): void {
    const { examples, count, rows, classes, weights } = this.#targets;
    this.#topTargets.begin(examples, count);
    for (let entry = 0; entry < count; entry++)
      this.#topTargets.add(rows[entry]!, this.#parts.topRowOf(classes[entry]!), weights[entry]!);
  }

  #topLosses(hidden: Matrix, name: string, keep = false): Matrix {
    return this.#parts.top.forward(this.#extended(hidden), this.#topTargets, { name, keep });
  }

  #extended(hidden: Matrix): Matrix {
    return withBiasFeature(this.#parts.workspace, hidden, this.bias);
  }

  /** Without examples nothing changes: a rule with momentum would otherwise change weights without a gradient. */
  #emptyStep(): StepResult {
    this.#calls.steps++;
    const { workspace } = this.#parts;
    return {
      losses: workspace.matrix('no losses', 0, 1),
      hiddenGradient: workspace.matrix('no hidden gradient', 0, this.features),
    };
  }

  #factorsOf(examples: number, total: number, exampleWeights: ArrayLike<number> | undefined): Float64Array {
    if (this.#factors.length < examples) this.#factors = new Float64Array(Math.ceil(examples * 1.5));
    const scale = this.reduction === 'sum' ? 1 : 1 / total;
    for (let example = 0; example < examples; example++)
      this.#factors[example] = scale * (exampleWeights === undefined ? 1 : exampleWeights[example]!);
    return this.#factors;
  }

  #tensors(): TensorSource[] {
    const { top, below, structure } = this.#parts;
    return [
      ...top.table.tensors(),
      ...(below?.tables ?? []).flatMap(({ own }) => own.tensors()),
      ...(structure?.tensors() ?? []),
    ];
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
      ...this.#parts.configuration(),
    };
  }
}

const noPlaces = { ownerOf: () => -1, localOf: () => 0 };
