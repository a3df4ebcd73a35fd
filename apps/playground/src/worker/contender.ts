/** One output layer in training: its network, its trainer, and what has been measured of it. */
import type { Backend } from '@vastmax/linalg-core';
import { Trainer, type SavedModel, type TrainingBatch, type TrainingEvent } from '@vastmax/lm-models';
import type {
  ContenderDescription,
  Curve,
  EvaluationPoint,
  LayerChoice,
  ProgressPoint,
  RunSettings,
} from '../messages.ts';
import type { Job, JobModel } from './job.ts';
import { nameOf, outputChoiceOf } from './layer-choices.ts';

/** Seconds of training end before so many examples do. */
const endless = 1e12;
/** Points of a curve are at least so far apart, or a fast layer would make hundreds in a second. */
const secondsPerPoint = 0.1;
/** Operations of an evaluation at most: a few tenths of a second. */
const evaluationOperations = 4e9;

/** Where a run that is continued stands. */
export interface ContinuedRun {
  readonly saved: SavedModel;
  readonly curve: Curve;
  readonly seconds: number;
  readonly examples: number;
}

export class Contender implements Disposable {
  readonly description: ContenderDescription;
  readonly model: JobModel;
  readonly curve: Curve;
  readonly trainer: Trainer<TrainingBatch>;
  readonly #events: AsyncGenerator<TrainingEvent, void, undefined>;
  readonly #batch: number;
  readonly #earlierSeconds: number;
  #evaluateEvery: number;
  readonly #evaluated: number;
  readonly #pending = { seconds: 0, examples: 0, loss: 0 };
  #seconds = 0;
  #lastEvaluation = 0;
  #isFinished = false;

  private constructor(
    model: JobModel,
    job: Job,
    settings: RunSettings,
    layer: LayerChoice,
    bytes: number,
    continued?: ContinuedRun,
  ) {
    const { batch, hidden, seconds } = settings;
    const earlier = continued?.seconds ?? 0;
    // What was trained before counts for the rates: they fall to their end when the seconds are over.
    const length =
      continued === undefined
        ? { examples: endless, maximumSeconds: seconds }
        : {
            examples: Math.max(
              continued.examples + 1,
              Math.round((continued.examples * seconds) / Math.max(earlier, 0.1)),
            ),
          };
    this.model = model;
    this.trainer = new Trainer(model.network, model.batches, {
      bodyRate: layer.bodyRate,
      outputRate: layer.outputRate,
      optimizer: 'sgd',
      schedule: 'linear',
      ...length,
    });
    this.description = { name: nameOf(layer), bytes };
    this.curve = continued?.curve ?? { progress: [], evaluations: [] };
    this.#batch = batch;
    this.#earlierSeconds = earlier;
    this.#seconds = earlier;
    this.#lastEvaluation = earlier;
    this.#pending.seconds = earlier;
    this.#pending.examples = continued?.examples ?? 0;
    this.#evaluateEvery = Math.min(15, Math.max(1, seconds / 20));
    this.#evaluated = Math.round(Math.min(1024, Math.max(64, evaluationOperations / (2 * job.classes * (hidden + 1)))));
    this.#events = this.trainer.run();
  }

  static async create(
    backend: Backend,
    job: Job,
    settings: RunSettings,
    layer: LayerChoice,
    continued?: ContinuedRun,
  ): Promise<Contender> {
    const before = backend.memory().bytes;
    const model = await job.createModel(backend, settings, outputChoiceOf(layer));
    try {
      const contender = new Contender(model, job, settings, layer, backend.memory().bytes - before, continued);
      if (continued !== undefined) await contender.trainer.restore(continued.saved);
      return contender;
    } catch (error) {
      model[Symbol.dispose]();
      throw error;
    }
  }

  /** Of training, evaluations left out. */
  get seconds(): number {
    return this.#seconds;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  get needsEvaluation(): boolean {
    return this.#isFinished || this.#seconds - this.#lastEvaluation >= this.#evaluateEvery;
  }

  /**
   * Trains until there is something to say: some steps, at most about two seconds.
   * @returns a point for the curve, unless the last one is too near.
   * @throws TrainingDivergedError, LinalgError.
   */
  async train(): Promise<ProgressPoint | undefined> {
    const next = await this.#events.next();
    if (next.done === true || next.value.type === 'finished') this.#isFinished = true;
    if (next.done === true) return undefined;
    const event = next.value;
    if (event.type === 'finished') this.#seconds = this.#earlierSeconds + event.seconds;
    if (event.type !== 'progress') return undefined;
    this.#seconds = this.#earlierSeconds + event.seconds;
    const last = this.curve.progress.at(-1) ?? { seconds: 0, examples: 0 };
    const pending = this.#pending;
    pending.loss += event.loss * (event.examples - pending.examples);
    pending.examples = event.examples;
    const [seconds, examples] = [this.#seconds - last.seconds, event.examples - last.examples];
    const isLast = event.progress >= 1;
    if ((seconds < secondsPerPoint && !isLast) || examples === 0) return undefined;
    const point = {
      seconds: this.#seconds,
      examples: event.examples,
      loss: pending.loss / examples,
      examplesPerSecond: examples / seconds,
      stepMs: (1000 * seconds * this.#batch) / examples,
    };
    pending.loss = 0;
    this.curve.progress.push(point);
    return point;
  }

  async evaluate(): Promise<EvaluationPoint> {
    this.#lastEvaluation = this.#seconds;
    const begin = performance.now();
    const metrics = await this.model.evaluate(this.#evaluated);
    // With a million classes it takes a second: most of the time is for training.
    this.#evaluateEvery = Math.max(this.#evaluateEvery, (4 * (performance.now() - begin)) / 1000);
    const point = {
      seconds: this.#seconds,
      examples: this.trainer.examples,
      evaluated: metrics.examples,
      top1: metrics.topAccuracy[1],
      top10: metrics.topAccuracy[10],
      meanReciprocalRank: metrics.meanReciprocalRank,
      ...(metrics.perplexity === undefined ? {} : { perplexity: metrics.perplexity }),
    };
    this.curve.evaluations.push(point);
    return point;
  }

  [Symbol.dispose](): void {
    this.trainer[Symbol.dispose]();
    this.model[Symbol.dispose]();
  }
}
