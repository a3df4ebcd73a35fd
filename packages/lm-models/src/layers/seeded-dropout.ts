import { dropout, type Variable } from '@vastmax/autodiff';
import type { JsonObject } from '@vastmax/linalg-core/state';
import { RandomGenerator } from '@vastmax/sparse-data';

/** Dropout whose random numbers belong to a model: the same for the same seed, and saved with it. */
export class SeededDropout {
  readonly rate: number;
  readonly #random: RandomGenerator;
  readonly #uniform: () => number;

  /** @param rate probability of dropping an activation in training. */
  constructor(rate: number, seed: number) {
    this.rate = rate;
    this.#random = new RandomGenerator(seed);
    this.#uniform = () => this.#random.uniform();
  }

  /** x itself when nothing is dropped or `training` is false. */
  apply(x: Variable, training: boolean): Variable {
    return dropout(x, { rate: this.rate, random: this.#uniform, training });
  }

  /** Uniform in [0, 1), for what is dropped on the host. */
  uniform(): number {
    return this.#random.uniform();
  }

  state(): JsonObject {
    return { ...this.#random.state() };
  }

  restore(state: unknown): void {
    this.#random.restore(state);
  }
}
