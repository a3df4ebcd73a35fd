import { OutputLayerError } from './errors.ts';
import type { PreparedStep, StepResult } from './output-layer.ts';

/** What a layer does when a step that it has computed is applied or discarded. */
export interface HeldStep {
  apply(): StepResult | Promise<StepResult>;
  discard?(): void;
}

/**
 * Keeps the calls of a layer apart: one at a time, and none after it was disposed. What is refused has touched nothing.
 */
export class CallGuard {
  readonly #kind: string;
  #isBusy = false;
  #isClosed = false;

  /** @param kind the layer's, for the messages. */
  constructor(kind: string) {
    this.#kind = kind;
  }

  /** For what suspended in the middle: the layer may have been disposed meanwhile. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** To be called first. @throws OutputLayerError `disposed`, `busy`. */
  check(operation: string): void {
    if (this.#isClosed) throw new OutputLayerError('disposed', `${this.#kind} ${operation}: the layer was disposed`);
    if (this.#isBusy)
      throw new OutputLayerError(
        'busy',
        `${this.#kind} ${operation}: an earlier call is still running; await it first`,
      );
  }

  /** What suspends in the middle keeps other calls out until it is done. */
  async exclusively<Result>(action: () => Promise<Result>): Promise<Result> {
    this.#isBusy = true;
    try {
      return await action();
    } finally {
      this.#isBusy = false;
    }
  }

  /** A step in two halves keeps other calls out until the second is done, or the first has failed. */
  async hold(prepare: () => Promise<HeldStep>): Promise<PreparedStep> {
    this.#isBusy = true;
    try {
      const step = await prepare();
      return {
        apply: () => this.exclusively(async () => step.apply()),
        discard: () => {
          step.discard?.();
          this.#isBusy = false;
        },
      };
    } catch (error) {
      this.#isBusy = false;
      throw error;
    }
  }

  /** The layer is being disposed. @returns false when it was already. */
  close(): boolean {
    const closes = !this.#isClosed;
    this.#isClosed = true;
    return closes;
  }
}
