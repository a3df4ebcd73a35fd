/**
 * A trainer whose parts are timed from outside: drawing the minibatch, and the output layer's step. What is left of the
 * time is the body: its forward and backward pass, its optimiser, and the trainer's own bookkeeping.
 */
import type { Backend } from '@vastmax/linalg-core';
import { createNetwork, Trainer, trainingDefaults, type NgramNetwork, type TrainingEvent } from '@vastmax/lm-models';
import { NgramBatches } from '@vastmax/sparse-data';
import type { TrainingCorpus } from '../workload/training-corpus.ts';

export interface TrainingTurn {
  readonly examples: number;
  readonly milliseconds: number;
  readonly outputMs: number;
  readonly dataMs: number;
}

export interface TimedTrainerOptions {
  readonly loss: string;
  readonly batch: number;
}

/** As in `vastmax start`. */
const body = { kind: 'ngram', order: 4, embedding: 64, hidden: [96] } as const;

export class TimedTrainer implements Disposable {
  readonly #model: NgramNetwork;
  readonly #trainer: Trainer;
  readonly #events: AsyncGenerator<TrainingEvent, void, undefined>;
  #outputMs = 0;
  #dataMs = 0;

  /** Use {@link createTimedTrainer}. */
  constructor(model: NgramNetwork, corpus: TrainingCorpus, { loss, batch }: TimedTrainerOptions) {
    this.#model = model;
    const batches = new NgramBatches({
      tokens: corpus.tokens,
      classes: corpus.vocabulary.size,
      order: body.order,
      batchSize: batch,
      paddingId: corpus.paddingId,
      seed: 1,
    });
    const { bodyRate, outputRate } = trainingDefaults(loss);
    this.#trainer = new Trainer(model, batches, {
      bodyRate,
      outputRate,
      optimizer: 'sgd',
      schedule: 'constant',
      examples: Number.MAX_SAFE_INTEGER,
    });
    const { output } = model;
    const step = output.step.bind(output);
    Object.assign(output, {
      step: async (...operands: Parameters<typeof step>) => {
        const start = performance.now();
        const result = await step(...operands);
        this.#outputMs += performance.now() - start;
        return result;
      },
    });
    const next = batches.next.bind(batches);
    Object.assign(batches, {
      next: () => {
        const start = performance.now();
        const result = next();
        this.#dataMs += performance.now() - start;
        return result;
      },
    });
    this.#events = this.#trainer.run();
  }

  /** Train until the trainer reports again: fifty steps, or two seconds. */
  async turn(): Promise<TrainingTurn> {
    this.#outputMs = 0;
    this.#dataMs = 0;
    const first = this.#trainer.examples;
    const start = performance.now();
    for (;;) {
      const event = await this.#events.next();
      if (event.done === true) throw new RangeError('the trainer ended before the bench did');
      if (event.value.type === 'progress') break;
    }
    return {
      milliseconds: performance.now() - start,
      examples: this.#trainer.examples - first,
      outputMs: this.#outputMs,
      dataMs: this.#dataMs,
    };
  }

  [Symbol.dispose](): void {
    this.#trainer[Symbol.dispose]();
    this.#model[Symbol.dispose]();
  }
}

export async function createTimedTrainer(
  backend: Backend,
  corpus: TrainingCorpus,
  options: TimedTrainerOptions,
): Promise<TimedTrainer> {
  const { lossOptions, initialScale } = trainingDefaults(options.loss);
  const model = await createNetwork(
    backend,
    { inputs: corpus.vocabulary.size, frequencies: corpus.vocabulary.counts },
    {
      body,
      output: { kind: 'factored', loss: { name: options.loss, options: lossOptions }, initialScale, seed: 1 },
    },
  );
  return new TimedTrainer(model, corpus, options);
}
