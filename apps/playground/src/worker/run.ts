/**
 * A training, or a race: the output layer that has trained for the shortest time is next, so that all get the same
 * seconds by turns. Between two turns other things can use the models: an evaluation, a question, a save.
 */
import type { Backend } from '@vastmax/linalg-core';
import type { EvaluationPoint, ProgressPoint, RunDescription } from '../messages.ts';
import type { Contender } from './contender.ts';

export interface RunObserver {
  state(state: 'running' | 'paused' | 'finished' | 'stopped'): void;
  point(contender: number, point: ProgressPoint): void;
  evaluation(contender: number, evaluation: EvaluationPoint): void;
  /** Between two turns. */
  rest(): Promise<void>;
}

export class Run implements AsyncDisposable {
  readonly description: RunDescription;
  readonly contenders: readonly Contender[];
  readonly backend: Backend;
  readonly #waiting: (() => Promise<void>)[] = [];
  #resume: (() => void) | undefined;
  #isPaused: boolean;
  #isStopped = false;
  #isTraining = false;

  /** @param isPaused at first. */
  constructor(description: RunDescription, contenders: readonly Contender[], backend: Backend, isPaused = false) {
    this.description = description;
    this.contenders = contenders;
    this.backend = backend;
    this.#isPaused = isPaused;
  }

  /** To the end, or until it is stopped. @throws what training throws. */
  async train(observer: RunObserver): Promise<void> {
    this.#isTraining = true;
    try {
      while (!this.#isStopped) {
        if (this.#isPaused) await this.#pause(observer);
        const next = this.#next();
        if (this.#isStopped || next === undefined) break;
        await this.#turn(next, observer);
        await this.#answer();
        await observer.rest();
      }
      for (const [index, contender] of this.contenders.entries())
        if (this.#isStopped && contender.curve.progress.length > 0)
          observer.evaluation(index, await contender.evaluate());
    } finally {
      this.#isTraining = false;
      await this.#answer();
    }
    observer.state(this.#isStopped ? 'stopped' : 'finished');
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#resume?.();
  }

  stop(): void {
    this.#isStopped = true;
    this.#resume?.();
  }

  /** Runs something that uses the models, when no step is under way. */
  async between(action: () => Promise<void>): Promise<void> {
    if (!this.#isTraining || this.#resume !== undefined) {
      await action();
      return;
    }
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push(() => action().then(resolve, reject));
    });
  }

  #next(): readonly [number, Contender] | undefined {
    let next: readonly [number, Contender] | undefined;
    for (const entry of this.contenders.entries())
      if (!entry[1].isFinished && (next === undefined || entry[1].seconds < next[1].seconds)) next = entry;
    return next;
  }

  async #turn([index, contender]: readonly [number, Contender], observer: RunObserver): Promise<void> {
    const point = await contender.train();
    if (point !== undefined) observer.point(index, point);
    if (contender.needsEvaluation) observer.evaluation(index, await contender.evaluate());
  }

  async #pause(observer: RunObserver): Promise<void> {
    observer.state('paused');
    await this.#answer();
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
      if (this.#isStopped || !this.#isPaused) resolve();
    });
    this.#resume = undefined;
    if (!this.#isStopped) observer.state('running');
  }

  async #answer(): Promise<void> {
    for (let action = this.#waiting.shift(); action !== undefined; action = this.#waiting.shift()) await action();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const contender of this.contenders) contender[Symbol.dispose]();
    await this.backend.dispose();
  }
}
