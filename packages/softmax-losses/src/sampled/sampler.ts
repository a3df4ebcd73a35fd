/**
 * Draws the samples of a step from a proposal, owns the random generator, and notifies the proposal of completed steps.
 */
import { affine, createHostArray, read, type FloatArray, type Matrix } from '@vastmax/linalg-core';
import { RandomGenerator, type RandomState } from '@vastmax/sparse-data';
import type { TargetList } from '../layer/target-list.ts';
import type { ClassVectorSource, Proposal } from '../proposals/proposal.ts';
import type { ClassVectors } from './class-vectors.ts';
import type { MergedTargets } from './merged-targets.ts';
import { indicesWithCapacity } from './matrix-with-capacity.ts';
import { SampleSet } from './sample-set.ts';
import { type JsonObject, type ModuleState, type TensorSource, StateError } from '@vastmax/linalg-core/state';

export interface SamplerOptions {
  readonly proposal: Proposal;
  /** n. */
  readonly tries: number;
  readonly sharing: 'minibatch' | 'example';
  readonly unique: boolean;
  /** Classes that are in every sample. */
  readonly head: Int32Array;
  readonly seed: number;
}

/** Prefix of the proposal's tensors in the layer's state. */
const prefix = 'proposal.';

export class Sampler {
  #options: SamplerOptions;
  readonly samples: SampleSet = new SampleSet();
  readonly #vectors: ClassVectors;
  readonly #random: RandomGenerator;
  #stateBeforeDraw: RandomState;
  #hostBuffer: FloatArray;
  #restoreProposal: ((vectors: ClassVectorSource) => void | Promise<void>) | undefined;

  constructor(vectors: ClassVectors, options: SamplerOptions) {
    this.#options = options;
    this.#vectors = vectors;
    this.#random = new RandomGenerator(options.seed);
    this.#stateBeforeDraw = this.#random.state();
    this.#hostBuffer = createHostArray(vectors.workspace.backend, 0);
  }

  get options(): SamplerOptions {
    return this.#options;
  }

  /** For other classes than before. */
  replaceProposal(proposal: Proposal): void {
    this.#options = { ...this.#options, proposal };
  }

  /** Builds a query proposal from all class vectors. */
  async initialize(): Promise<void> {
    if (this.options.proposal.kind === 'query') await this.options.proposal.rebuild(this.#source());
  }

  /** Fills `samples`; returns a promise if the queries must be read from the device first. @param queries m×width. */
  draw(queries: Matrix, targets: TargetList): void | Promise<void> {
    const { proposal, tries, sharing, unique, head } = this.options;
    this.#stateBeforeDraw = this.#random.state();
    if (proposal.kind === 'query') return this.#drawForQueries(queries, targets);
    if (sharing === 'minibatch') this.samples.drawShared(proposal, tries, unique, this.#random, targets.count, head);
    else this.samples.drawEach(proposal, queries.rows, tries, unique, this.#random, targets.count);
  }

  /** Restores the generator to its state before the last draw, because the step was rejected. */
  undo(): void {
    this.#random.restore(this.#stateBeforeDraw);
  }

  /**
   * Called after a completed step: the rows of all distinct classes of `samples`, which include these targets, have
   * changed.
   */
  learn(targets: MergedTargets): void | Promise<void> {
    const { proposal } = this.options;
    if (proposal.kind === 'query') return this.#notifyChangedClasses(targets);
    proposal.observe?.(targets.classes, targets.count);
  }

  /** ln of how often a class is expected in the last samples: ln(n·P), and 0 in the head. */
  noiseOf(target: number): number {
    const { proposal, tries, head } = this.options;
    if (head.length > 0 && this.samples.distinct.slotOf(target) < head.length) return 0;
    return proposal.kind === 'fixed' ? Math.log(tries) + proposal.logProbability(target) : Number.NaN;
  }

  configuration(): JsonObject {
    const { proposal, tries, sharing, unique, head } = this.options;
    return {
      proposal: { name: proposal.name, options: proposal.options },
      samples: tries,
      sharing,
      unique,
      ...(head.length === 0 ? {} : { head: head.length }),
    };
  }

  progress(): JsonObject {
    return { random: { ...this.#random.state() }, proposal: this.options.proposal.state?.().configuration ?? null };
  }

  tensors(): TensorSource[] {
    const learned = this.options.proposal.state?.().tensors ?? [];
    return learned.map((tensor) => ({
      ...tensor,
      name: prefix + tensor.name,
      read: (first, count) => tensor.read(first, count),
    }));
  }

  /** @throws StateError `state-mismatch`. */
  async checkState(state: ModuleState): Promise<void> {
    const { random, proposal: learned } = progressOf(state);
    try {
      new RandomGenerator(0).restore(random);
    } catch (cause) {
      throw new StateError(
        'state-mismatch',
        `the generator of the samples cannot be restored from ${JSON.stringify(random)}`,
        { cause },
      );
    }
    const tensors = state.tensors.filter(({ name }) => name.startsWith(prefix));
    this.#restoreProposal = await this.options.proposal.prepareRestore?.({
      configuration:
        typeof learned === 'object' && learned !== null && !Array.isArray(learned) ? (learned as JsonObject) : {},
      tensors: tensors.map((tensor) => ({
        ...tensor,
        name: tensor.name.slice(prefix.length),
        read: (first, count) => tensor.read(first, count),
      })),
    });
  }

  /** Restores a state that `checkState` has accepted. The class vectors have been restored before. */
  async restore(state: ModuleState): Promise<void> {
    this.#random.restore(progressOf(state)['random']);
    const restoreProposal = this.#restoreProposal;
    this.#restoreProposal = undefined;
    if (restoreProposal === undefined) await this.initialize();
    else await restoreProposal(this.#source());
  }

  async #drawForQueries(queries: Matrix, targets: TargetList): Promise<void> {
    const { proposal, tries, unique } = this.options;
    if (proposal.kind !== 'query') return;
    const { rows } = queries;
    const host = await this.#read(queries);
    // Numbers of a query that are not finite are replaced by 0 for the draws. The loss of that example is not finite,
    // so the layer then rejects the step and reports the example.
    for (let i = 0; i < rows * queries.columns; i++) if (!Number.isFinite(host[i])) host[i] = 0;
    this.samples.drawForQueries(proposal, host, rows, tries, unique, this.#random, targets.count);
  }

  async #notifyChangedClasses(targets: MergedTargets): Promise<void> {
    const { proposal } = this.options;
    if (proposal.kind !== 'query') return;
    const { values, count } = this.samples.distinct;
    const maxCount = Math.min(this.samples.maxDistinct + targets.count, this.#vectors.classes);
    const list = indicesWithCapacity(this.#vectors.workspace, 'changed classes', values, count, maxCount);
    const changed = this.#vectors.gather(list, 'changed vectors', maxCount);
    proposal.classesChanged(values, count, await this.#read(this.#unscaled(changed)));
  }

  #source(): ClassVectorSource {
    const { classes, width, table } = this.#vectors;
    return {
      classes,
      width,
      read: (first, count) =>
        this.#read(this.#unscaled(this.#vectors.gather(table.range(first, count, 'source range'), 'source vectors'))),
    };
  }

  /** Scales class vectors of length τ to length 1, as proposals expect them. In place. */
  #unscaled(vectors: Matrix): Matrix {
    const { temperature } = this.#vectors.geometry;
    if (temperature !== undefined) affine(vectors, 1 / temperature, 0, vectors);
    return vectors;
  }

  async #read(matrix: Matrix): Promise<FloatArray> {
    const length = matrix.rows * matrix.columns;
    if (this.#hostBuffer.length < length) this.#hostBuffer = createHostArray(matrix.backend, Math.ceil(length * 1.5));
    return read(matrix, this.#hostBuffer);
  }
}

function progressOf({ configuration }: ModuleState): JsonObject {
  const { progress } = configuration;
  if (typeof progress === 'object' && progress !== null && !Array.isArray(progress)) return progress as JsonObject;
  throw new StateError('state-mismatch', `the state of the samples is ${JSON.stringify(progress)}, expected an object`);
}
