/**
 * Draws a step's samples from a proposal, keeps the generator, and keeps the proposal informed of what training has
 * done.
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
  readonly seed: number;
}

/** Names of the proposal's tensors in the layer's state. */
const prefix = 'proposal.';

export class Sampler {
  readonly options: SamplerOptions;
  readonly samples: SampleSet = new SampleSet();
  readonly #vectors: ClassVectors;
  readonly #random: RandomGenerator;
  #before: RandomState;
  #host: FloatArray;
  #takeOver: ((vectors: ClassVectorSource) => void | Promise<void>) | undefined;

  constructor(vectors: ClassVectors, options: SamplerOptions) {
    this.options = options;
    this.#vectors = vectors;
    this.#random = new RandomGenerator(options.seed);
    this.#before = this.#random.state();
    this.#host = createHostArray(vectors.workspace.backend, 0);
  }

  /** A query proposal looks at all class vectors once. */
  async initialize(): Promise<void> {
    if (this.options.proposal.kind === 'query') await this.options.proposal.rebuild(this.#source());
  }

  /** Fill `samples`; with a promise where the queries have to be read first. @param queries m×width. */
  draw(queries: Matrix, targets: TargetList): void | Promise<void> {
    const { proposal, tries, sharing, unique } = this.options;
    this.#before = this.#random.state();
    if (proposal.kind === 'query') return this.#drawForQueries(queries, targets);
    if (sharing === 'minibatch') this.samples.drawShared(proposal, tries, unique, this.#random, targets.count);
    else this.samples.drawEach(proposal, queries.rows, tries, unique, this.#random, targets.count);
  }

  /** Take the last draw back: the step was refused. */
  undo(): void {
    this.#random.restore(this.#before);
  }

  /** The step was taken: the rows of all distinct classes of `samples` and these targets have changed. */
  learn(targets: MergedTargets): void | Promise<void> {
    const { proposal } = this.options;
    if (proposal.kind === 'query') return this.#tellChanges(targets);
    proposal.observe?.(targets.classes, targets.count);
  }

  /** ln(n·P) of a class. */
  noiseOf(target: number): number {
    const { proposal, tries } = this.options;
    return proposal.kind === 'fixed' ? Math.log(tries) + proposal.logProbability(target) : Number.NaN;
  }

  configuration(): JsonObject {
    const { proposal, tries, sharing, unique } = this.options;
    return { proposal: { name: proposal.name, options: proposal.options }, samples: tries, sharing, unique };
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
    this.#takeOver = await this.options.proposal.prepareRestore?.({
      configuration:
        typeof learned === 'object' && learned !== null && !Array.isArray(learned) ? (learned as JsonObject) : {},
      tensors: tensors.map((tensor) => ({
        ...tensor,
        name: tensor.name.slice(prefix.length),
        read: (first, count) => tensor.read(first, count),
      })),
    });
  }

  /** Take over what `checkState` has accepted; the class vectors have been restored. */
  async restore(state: ModuleState): Promise<void> {
    this.#random.restore(progressOf(state)['random']);
    const takeOver = this.#takeOver;
    this.#takeOver = undefined;
    if (takeOver === undefined) await this.initialize();
    else await takeOver(this.#source());
  }

  async #drawForQueries(queries: Matrix, targets: TargetList): Promise<void> {
    const { proposal, tries, unique } = this.options;
    if (proposal.kind !== 'query') return;
    const { rows } = queries;
    const host = await this.#read(queries);
    // A query that is not a number is drawn for as 0: its loss is not finite and the layer refuses the step, saying
    // where.
    for (let i = 0; i < rows * queries.columns; i++) if (!Number.isFinite(host[i])) host[i] = 0;
    this.samples.drawForQueries(proposal, host, rows, tries, unique, this.#random, targets.count);
  }

  async #tellChanges(targets: MergedTargets): Promise<void> {
    const { proposal } = this.options;
    if (proposal.kind !== 'query') return;
    const { values, count } = this.samples.distinct;
    const most = Math.min(this.samples.maxDistinct + targets.count, this.#vectors.classes);
    const list = indicesWithCapacity(this.#vectors.workspace, 'changed classes', values, count, most);
    const changed = this.#vectors.gather(list, 'changed vectors', most);
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

  /** Proposals are given vectors of length 1 where the layer's have length τ. In place. */
  #unscaled(vectors: Matrix): Matrix {
    const { temperature } = this.#vectors.geometry;
    if (temperature !== undefined) affine(vectors, 1 / temperature, 0, vectors);
    return vectors;
  }

  async #read(matrix: Matrix): Promise<FloatArray> {
    const length = matrix.rows * matrix.columns;
    if (this.#host.length < length) this.#host = createHostArray(matrix.backend, Math.ceil(length * 1.5));
    return read(matrix, this.#host);
  }
}

function progressOf({ configuration }: ModuleState): JsonObject {
  const { progress } = configuration;
  if (typeof progress === 'object' && progress !== null && !Array.isArray(progress)) return progress as JsonObject;
  throw new StateError('state-mismatch', `the state of the samples is ${JSON.stringify(progress)}, expected an object`);
}
