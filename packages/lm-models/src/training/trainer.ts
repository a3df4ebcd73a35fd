/**
 * The training loop: minibatches in, events out. Iterate over `run()`: it yields an event now and then and goes on when
 * the next is asked for, so evaluating or saving inside the loop simply pauses training.
 *
 * Every number that the future depends on is in `snapshot()`: the weights, the optimizer, the batches' cursor, the
 * random states and the counters. Training resumed from a snapshot is bit for bit the training that was never
 * interrupted.
 *
 * With several ranks, each decision that depends on more than the step's number (the clock, a signal) is made from
 * numbers that the ranks added up at the last step, so that all make it alike: the clock is rank 0's, and an
 * interruption of one interrupts all.
 */
import { Tape } from '@vastmax/autodiff';
import { axpy, fill, read, reduce, type Matrix } from '@vastmax/linalg-core';
import type { JsonObject } from '@vastmax/linalg-core/state';
import { CallGuard, isOutputLayerError } from '@vastmax/output-layer';
import type { CancellationSignal, NgramBatch } from '@vastmax/sparse-data';
import { createUpdateRule } from '@vastmax/update-rules';
import { asBadOption, TrainingDivergedError, ModelError } from '../model-error.ts';
import type { Body, Network, SavedModel } from '../network/network.ts';
import { createSchedule, type LearningRateSchedule, Optimizer } from './optimizer.ts';
import type {
  BatchSource,
  TrainingBatch,
  TrainingEvent,
  TrainingProgress,
  TrainingSnapshot,
  TrainingOptions,
  TrainingRanks,
} from './training-types.ts';

/** A progress event comes after so many steps, or after so long where steps are slow. */
const stepsPerReport = 50;
const secondsPerReport = 2;
/** How long the loop may keep other work of the process waiting. */
const millisecondsBetweenRests = 50;

/** Trains a network over minibatches: steps, schedules, epochs, snapshots. Iterate over `run()` to train. */
export class Trainer<Batch extends TrainingBatch = NgramBatch> implements Disposable {
  readonly network: Network<Batch, Body<Batch>, object>;
  readonly batches: BatchSource<Batch>;
  readonly options: TrainingOptions;
  readonly #optimizer: Optimizer;
  readonly #schedule: LearningRateSchedule;
  readonly #tape: Tape;
  readonly #lossSum: Matrix;
  readonly #batchLoss: Matrix;
  readonly #ranks: TrainingRanks | undefined;
  readonly #calls = new CallGuard('trainer');
  /** What the ranks add up beside the gradients: loss, examples, rank 0's seconds, who was asked to stop. */
  readonly #shared = new Float64Array(4);
  #step = 0;
  #examples = 0;
  #reportedExamples = 0;

  /**
   * @param parts.ranks for training over several; `batches` are then this rank's own parts, and what counts examples
   * counts those of all.
   */
  constructor(
    network: Network<NoInfer<Batch>, Body<NoInfer<Batch>>, object>,
    batches: BatchSource<Batch>,
    options: TrainingOptions,
    parts: { readonly ranks?: TrainingRanks } = {},
  ) {
    checkTrainingOptions(options);
    this.#ranks = parts.ranks;
    this.network = network;
    this.batches = batches;
    this.options = options;
    this.#schedule = createSchedule(options.schedule, options.scheduleOptions);
    this.#optimizer = new Optimizer(
      network.backend,
      network.body.parameters,
      asBadOption(() => createUpdateRule(options.optimizer, options.optimizerOptions)),
      {
        ...(options.clipNorm === undefined ? {} : { clipNorm: options.clipNorm }),
        ...(options.weightDecay === undefined ? {} : { weightDecay: options.weightDecay }),
      },
    );
    this.#tape = new Tape(network.backend);
    this.#lossSum = network.backend.createMatrix(1, 1);
    this.#batchLoss = network.backend.createMatrix(1, 1);
  }

  get step(): number {
    return this.#step;
  }

  get examples(): number {
    return this.#examples;
  }

  /**
   * Train to the end, or until `signal` is aborted: then the step under way is finished, an `interrupted` event is the
   * last, and a snapshot taken afterwards resumes exactly there.
   * @throws TrainingDivergedError when a loss or a gradient is not finite.
   */
  async *run(signal?: CancellationSignal): AsyncGenerator<TrainingEvent, void, undefined> {
    if (this.#ranks !== undefined) await this.#ranks.begin(this.snapshot());
    let seconds = 0;
    let resumed = performance.now();
    const ownSeconds = (): number => seconds + (performance.now() - resumed) / 1000;
    const elapsed = this.#ranks === undefined ? ownSeconds : (): number => this.#shared[2]!;
    const isStopped = (): boolean => (this.#ranks === undefined ? signal?.aborted === true : this.#shared[3]! > 0);
    this.#shared.fill(0);
    let secondsAtReport = 0;
    let rested = resumed;
    this.#reportedExamples = this.#examples;
    fill(0, this.#lossSum);
    const { examples: total, maximumSeconds = Infinity } = this.options;
    let factor = 1;
    while (this.#examples < total && elapsed() < maximumSeconds) {
      if (isStopped()) {
        await this.#confirmSteps(factor);
        yield { type: 'interrupted', step: this.#step, examples: this.#examples };
        return;
      }
      const progress = Math.max(this.#examples / total, elapsed() / maximumSeconds);
      factor = this.#schedule(progress);
      const batch = await this.#trainOnNext(factor, () => {
        this.#shared[2] = this.#ranks?.rank === 0 ? ownSeconds() : 0;
        this.#shared[3] = signal?.aborted === true ? 1 : 0;
      });
      const isLast = this.#examples >= total || elapsed() >= maximumSeconds;
      if (isLast || this.#step % stepsPerReport === 0 || elapsed() - secondsAtReport >= secondsPerReport) {
        await this.#confirmSteps(factor);
        const now = elapsed();
        const report = await this.#report(
          now,
          now - secondsAtReport,
          factor,
          Math.max(this.#examples / total, now / maximumSeconds),
        );
        secondsAtReport = now;
        seconds = ownSeconds();
        yield report;
        resumed = performance.now();
      }
      // Let signals, timers and the progress bar in: awaiting kernels that are already done never leaves the microtask
      // queue.
      if (performance.now() - rested > millisecondsBetweenRests) {
        await new Promise<void>((resolve) => setTimeout(resolve, 0));
        rested = performance.now();
      }
      if (batch.endOfEpoch) {
        await this.#confirmSteps(factor);
        seconds = ownSeconds();
        yield { type: 'epoch', epoch: batch.epoch, step: this.#step };
        resumed = performance.now();
      }
    }
    yield { type: 'finished', step: this.#step, examples: this.#examples, seconds: elapsed() };
  }

  /**
   * Everything a checkpoint needs. Its tensors are read when they are written, so write it before the next step.
   * @throws OutputLayerError `busy` while a step is under way; reading a tensor after the next step rejects with it.
   */
  snapshot(): TrainingSnapshot {
    this.#calls.check('snapshot');
    const { body, ...modules } = this.network.modules();
    return {
      configuration: {
        model: this.network.options as unknown as JsonObject,
        training: this.options as unknown as JsonObject,
        cursor: { ...this.batches.cursor() },
        step: this.#step,
        examples: this.#examples,
      },
      modules: {
        ...(body === undefined ? {} : { body: this.#calls.stateAsOfNow(body) }),
        ...modules,
        optimizer: this.#calls.stateAsOfNow(this.#optimizer.state()),
      },
    };
  }

  /**
   * Continue from a snapshot of a trainer with the same network and data: the weights, the optimizer, the cursor, the
   * counters. Rates, schedule and length may differ.
   * @throws OutputLayerError `busy` while a step is under way.
   */
  restore(snapshot: SavedModel): Promise<void> {
    return this.#calls.run('restore', () => this.#restore(snapshot));
  }

  async #restore(snapshot: SavedModel): Promise<void> {
    const { step, examples, cursor } = snapshot.configuration;
    if (!Number.isSafeInteger(step) || !Number.isSafeInteger(examples)) {
      throw new ModelError(
        'state-mismatch',
        `the checkpoint's counters are step ${String(step)} and examples ${String(examples)}, expected whole numbers`,
      );
    }
    this.batches.seek(cursor);
    const optimizer = snapshot.module('optimizer');
    this.#calls.willRestore(optimizer);
    await this.network.restore(snapshot);
    await this.#optimizer.restore(optimizer);
    this.#step = Number(step);
    this.#examples = Number(examples);
  }

  /** The next minibatch, after its step: no snapshot is taken between reading it and the end of its step. */
  #trainOnNext(factor: number, announce: () => void): Promise<Batch> {
    const step = async (): Promise<Batch> => {
      const batch = await this.batches.next();
      this.#calls.willChange();
      await this.#trainOn(batch, this.options.bodyRate * factor, this.options.outputRate * factor, announce);
      return batch;
    };
    return this.#calls.run('step', () => this.network.exclusively('training step', step));
  }

  /** @param announce called when the ranks are about to add up what they share. */
  async #trainOn(batch: Batch, bodyRate: number, outputRate: number, announce: () => void): Promise<void> {
    const tape = this.#tape;
    tape.reset();
    const hidden = this.network.body.forward(tape, batch, { training: true });
    try {
      const { losses, hiddenGradient } = await this.network.output.step(hidden.value, batch.targets, {
        learningRate: outputRate,
      });
      tape.backward(hidden, hiddenGradient);
      reduce('sum', losses, this.#batchLoss);
      if (this.#ranks !== undefined) await this.#shareStep(this.#ranks, batch.size, announce);
      this.#optimizer.step(bodyRate);
      axpy(1, this.#batchLoss, this.#lossSum);
    } catch (error) {
      throw this.#explained(error, bodyRate, outputRate);
    }
    this.#step++;
    this.#examples += this.#ranks === undefined ? batch.size : this.#shared[1]!;
  }

  /** The gradients and the loss of this rank become those of all. */
  async #shareStep(ranks: TrainingRanks, examples: number, announce: () => void): Promise<void> {
    const [loss = 0] = await read(this.#batchLoss);
    this.#shared[0] = loss;
    this.#shared[1] = examples;
    announce();
    await ranks.reduce(this.network.body.parameters, this.#shared);
    fill(this.#shared[0], this.#batchLoss);
  }

  /** Before anybody looks at the model: a layer on a device may not have looked at its last steps yet. */
  async #confirmSteps(factor: number): Promise<void> {
    try {
      await this.network.output.confirmSteps?.();
    } catch (error) {
      throw this.#explained(error, this.options.bodyRate * factor, this.options.outputRate * factor);
    }
  }

  #explained(error: unknown, bodyRate: number, outputRate: number): unknown {
    if (!isOutputLayerError(error) || (error.code !== 'diverged' && error.code !== 'non-finite')) return error;
    return new TrainingDivergedError(this.#step, bodyRate, outputRate, error);
  }

  async #report(seconds: number, sinceLast: number, factor: number, progress: number): Promise<TrainingProgress> {
    const [lossSum = 0] = await read(this.#lossSum);
    fill(0, this.#lossSum);
    const counted = this.#examples - this.#reportedExamples;
    this.#reportedExamples = this.#examples;
    return {
      type: 'progress',
      step: this.#step,
      examples: this.#examples,
      totalExamples: this.options.examples,
      loss: lossSum / Math.max(1, counted),
      examplesPerSecond: counted / Math.max(1e-9, sinceLast),
      seconds,
      progress: Math.min(1, progress),
      bodyRate: this.options.bodyRate * factor,
      outputRate: this.options.outputRate * factor,
    };
  }

  [Symbol.dispose](): void {
    this.#calls.close(() => {
      this.#tape[Symbol.dispose]();
      this.#optimizer[Symbol.dispose]();
      this.#lossSum[Symbol.dispose]();
      this.#batchLoss[Symbol.dispose]();
    });
  }
}

/** @throws ModelError `bad-option`, naming the option and its value. */
function checkTrainingOptions(options: TrainingOptions): void {
  for (const [name, value] of [
    ['bodyRate', options.bodyRate],
    ['outputRate', options.outputRate],
  ] as const) {
    if (!Number.isFinite(value) || value < 0)
      throw new ModelError('bad-option', `trainer: ${name} must be a finite number of at least 0, got ${value}`);
  }
  if (!Number.isSafeInteger(options.examples) || options.examples < 1) {
    throw new ModelError(
      'bad-option',
      `trainer: examples must be a whole number of at least 1, got ${options.examples}`,
    );
  }
  if (options.maximumSeconds !== undefined && !(options.maximumSeconds > 0)) {
    throw new ModelError('bad-option', `trainer: maximumSeconds must be above 0, got ${options.maximumSeconds}`);
  }
}
