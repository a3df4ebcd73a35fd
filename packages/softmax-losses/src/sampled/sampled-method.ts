/**
 * Training on the targets and a few sampled classes. A step gathers O((m + S)·d) numbers and needs O(m·S·d) operations,
 * independent of D. The samples determine which rows are used; the criterion determines the loss. Evaluation is exact
 * over all classes.
 */
import { OutputLayerError } from '@vastmax/output-layer';
import type { Matrix, Workspace } from '@vastmax/linalg-core';
import { checkAddedRows, type TrainableRows } from '../class-table/class-table.ts';
import type { ForwardResult, SoftmaxMethod, TrainingBatch } from '../layer/softmax-method.ts';
import type { FixedProposal } from '../proposals/proposal.ts';
import type { TargetList } from '../layer/target-list.ts';
import type { ClassVectors, Pairs } from './class-vectors.ts';
import { expectedLogisticLosses, softmaxLosses } from './exact-losses.ts';
import { MergedTargets } from './merged-targets.ts';
import { createExampleNegatives, createSharedNegatives, type NegativeLogits } from './negative-logits.ts';
import type { SampleSet } from './sample-set.ts';
import type { SampledCriterion } from './sampled-criterion.ts';
import type { Sampler } from './sampler.ts';
import type { JsonObject, ModuleState, TensorSource } from '@vastmax/linalg-core/state';

export interface SampledMethodParts {
  readonly kind: string;
  /** The class weights. */
  readonly table: TrainableRows;
  /** The class vectors that the logits are computed from. */
  readonly vectors: ClassVectors;
  readonly sampler: Sampler;
  readonly criterion: SampledCriterion;
  /** Evaluation by log-softmax over all classes, or by the expected logistic loss. */
  readonly evaluation: 'softmax' | 'expected-logistic';
  readonly removeHits: boolean;
  /** Options of the criterion that a state must agree with. */
  readonly configuration: JsonObject;
}

/** Results of `forward` that `update` needs. */
interface Pass {
  readonly queries: Matrix;
  readonly pairs: Pairs;
  readonly gradient: Matrix;
  readonly targetGradient: Matrix;
  readonly hiddenGradient: Matrix;
}

/** The step of all layers that draw negative classes; the loss, the proposal and the logits are its parts. */
export class SampledMethod implements SoftmaxMethod {
  readonly kind: string;
  readonly workspace: Workspace;
  readonly isNormalized: boolean;
  readonly #parts: SampledMethodParts;
  readonly #negatives: NegativeLogits;
  readonly #targets = new MergedTargets();
  #targetNoise: Float64Array = new Float64Array(0);
  #pass: Pass | undefined;
  #disposed = false;

  constructor(parts: SampledMethodParts) {
    this.kind = parts.kind;
    this.workspace = parts.vectors.workspace;
    this.isNormalized = parts.evaluation === 'softmax';
    this.#parts = parts;
    this.#negatives =
      parts.sampler.options.sharing === 'minibatch'
        ? createSharedNegatives(parts.vectors)
        : createExampleNegatives(parts.vectors);
  }

  get classes(): number {
    return this.#parts.vectors.classes;
  }

  get features(): number {
    return this.#parts.table.features;
  }

  get hasLinearScores(): boolean {
    return this.vectors.geometry.temperature === undefined;
  }

  /** The class vectors that the logits are computed from. */
  get vectors(): ClassVectors {
    return this.#parts.vectors;
  }

  /** The samples of the last step, for measurements. */
  get samples(): SampleSet {
    return this.#parts.sampler.samples;
  }

  /** Must be called once, before anything else: a query proposal is built from all class vectors. */
  initialize(): Promise<void> {
    return this.#parts.sampler.initialize();
  }

  /**
   * Adds classes at the end; the others keep their weights. O(n·d), and a copy of the last piece of the table.
   * @param values n×width weights, row by row, the bias last. A bias of 0 is a likely class where the others have logs
   * of probabilities.
   * @param proposal over the classes with the new ones, of the same name as that before.
   * @throws OutputLayerError `non-finite`; `bad-option`, also for a proposal that learns or that depends on the
   * class vectors, and over ranks.
   */
  addClasses(values: ArrayLike<number>, proposal: FixedProposal): void {
    const { table, sampler, vectors } = this.#parts;
    const count = checkAddedRows(this.kind, values, vectors.width);
    const before = sampler.options.proposal;
    if (before.kind === 'query' || before.observe !== undefined || table.append === undefined)
      throw new OutputLayerError(
        'bad-option',
        `${this.kind} addClasses: the ${before.name} proposal ${table.append === undefined ? 'is over ranks' : 'has learned from the classes that there were'}`,
      );
    if (proposal.name !== before.name || proposal.classes !== this.classes + count)
      throw new OutputLayerError(
        'bad-option',
        `${this.kind} addClasses: the proposal is ${proposal.name} over ${proposal.classes} classes; ${before.name} over ${this.classes + count} is needed`,
      );
    table.append(values);
    sampler.replaceProposal(proposal);
  }

  forward(batch: TrainingBatch): ForwardResult | Promise<ForwardResult> {
    const { sampler, vectors } = this.#parts;
    const queries = vectors.geometry.queries(batch.hidden);
    const drawn = sampler.draw(queries, batch.targets);
    return drawn === undefined ? this.#afterDraw(batch, queries) : drawn.then(() => this.#afterDraw(batch, queries));
  }

  #afterDraw(batch: TrainingBatch, queries: Matrix): ForwardResult | Promise<ForwardResult> {
    const { table, sampler, removeHits } = this.#parts;
    const { samples } = sampler;
    const merged = this.#targets;
    merged.build(batch.targets, samples, removeHits);
    const fetched = table.fetch?.([
      { values: samples.distinct.values, count: samples.distinctSamples },
      { values: merged.classes, count: merged.count },
    ]);
    return fetched === undefined ? this.#forward(batch, queries) : fetched.then(() => this.#forward(batch, queries));
  }

  #forward({ factors }: TrainingBatch, queries: Matrix): ForwardResult {
    if (this.#disposed)
      throw new OutputLayerError('disposed', `${this.kind} step: the layer was disposed while the step ran`);
    const { workspace } = this;
    const { sampler, vectors, criterion } = this.#parts;
    const { samples } = sampler;
    const merged = this.#targets;
    const targetLogits = workspace.matrix('target logits', merged.count, 1);
    const pairs = vectors.pairLogits(queries, merged.rows, merged.classes, merged.count, targetLogits);
    const logits = this.#negatives.logits(samples, queries);
    if (criterion.needsTargetNoise) this.#fillTargetNoise();
    const losses = criterion.compute({
      workspace,
      samples,
      targets: merged,
      targetNoise: this.#targetNoise,
      factors,
      logits,
      targetLogits,
    });

    const queryGradient = workspace.matrix('query gradient', queries.rows, queries.columns);
    this.#negatives.queryGradient(samples, logits, queryGradient);
    pairs.addQueryGradient(targetLogits, queryGradient);
    const hiddenGradient = vectors.geometry.hiddenGradient(queryGradient);
    this.#pass = { queries, pairs, gradient: logits, targetGradient: targetLogits, hiddenGradient };
    return { losses, watched: [hiddenGradient] };
  }

  update(_batch: TrainingBatch, learningRate: number, step: number): Matrix | Promise<Matrix> {
    const pass = this.#pass;
    if (pass === undefined) throw new OutputLayerError('busy', `${this.kind} update: there was no forward pass`);
    const { table, sampler } = this.#parts;
    const { pairs, queries, gradient, targetGradient, hiddenGradient } = pass;
    const ofSamples = this.#negatives.rowGradient(sampler.samples, queries, gradient);
    const updated = table.update([ofSamples, pairs.rowGradient(targetGradient)], learningRate, step);
    const learned =
      updated === undefined ? sampler.learn(this.#targets) : updated.then(() => sampler.learn(this.#targets));
    return learned === undefined ? hiddenGradient : learned.then(() => hiddenGradient);
  }

  abandon(): void {
    this.#parts.sampler.undo();
  }

  computeLosses(hidden: Matrix, targets: TargetList): Matrix {
    const { vectors, sampler, evaluation, removeHits } = this.#parts;
    const queries = vectors.geometry.queries(hidden);
    const { proposal, tries } = sampler.options;
    if (evaluation === 'softmax' || proposal.kind === 'query') return softmaxLosses(vectors, queries, targets);
    this.#targets.buildAlone(targets);
    return expectedLogisticLosses(vectors, queries, this.#targets, { proposal, tries, removeHits });
  }

  /** Logits. O(m·count·d). */
  scores(hidden: Matrix, firstClass: number, out: Matrix): void {
    const { vectors } = this.#parts;
    vectors.rangeLogits(vectors.geometry.queries(hidden), firstClass, out);
  }

  classScores(hidden: Matrix, classes: Int32Array, out: Matrix): void {
    const { vectors } = this.#parts;
    const examples = Int32Array.from({ length: classes.length }, (_, example) => example);
    vectors.pairLogits(vectors.geometry.queries(hidden), examples, classes, classes.length, out);
  }

  classVectors(firstClass: number, out: Matrix): void {
    this.#parts.vectors.featureVectors(firstClass, out);
  }

  configuration(): JsonObject {
    const { table, sampler, removeHits, configuration } = this.#parts;
    return { bias: table.bias, ...sampler.configuration(), removeAccidentalHits: removeHits, ...configuration };
  }

  progress(): JsonObject {
    return this.#parts.sampler.progress();
  }

  tensors(): TensorSource[] {
    const { table, sampler } = this.#parts;
    return [...table.tensors(), ...sampler.tensors()];
  }

  async checkState(state: ModuleState): Promise<void> {
    const { table, sampler } = this.#parts;
    table.checkState(state);
    await sampler.checkState(state);
  }

  async restore(state: ModuleState): Promise<void> {
    const { table, sampler } = this.#parts;
    await table.restore(state);
    await sampler.restore(state);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#parts.table[Symbol.dispose]();
  }

  #fillTargetNoise(): void {
    const { count, classes } = this.#targets;
    if (this.#targetNoise.length < count) this.#targetNoise = new Float64Array(Math.ceil(count * 1.5));
    for (let pair = 0; pair < count; pair++) this.#targetNoise[pair] = this.#parts.sampler.noiseOf(classes[pair]!);
  }
}
