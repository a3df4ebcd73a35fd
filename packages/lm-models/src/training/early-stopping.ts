import type { JsonObject } from '@vastmax/linalg-core/state';
import { ModelError } from '../model-error.ts';

/** After how many evaluations without a better one training stops, and what better means. */
export interface EarlyStoppingOptions {
  /** How many measurements in a row may bring no improvement before training is to stop. */
  readonly patience: number;
  /** Whether lower (a loss; the default) or higher (an accuracy) is better. */
  readonly better?: 'lower' | 'higher';
  /** By how much a measurement must be better than the best to count; 0 unless given. */
  readonly minimumChange?: number;
}

/**
 * When to stop by a measurement on data that training does not see. Tell it each one: `improved` is the moment to save
 * a checkpoint, `stop` the one to end and to go back to it.
 */
export class EarlyStopping {
  readonly options: Required<EarlyStoppingOptions>;
  #best: number | undefined;
  #withoutImprovement = 0;

  /** @throws ModelError `bad-option` for an option out of range. */
  constructor(options: EarlyStoppingOptions) {
    const { patience, better = 'lower', minimumChange = 0 } = options;
    if (!Number.isSafeInteger(patience) || patience < 1)
      throw new ModelError(
        'bad-option',
        `early stopping: patience must be a whole number of at least 1, got ${patience}`,
      );
    if (!(minimumChange >= 0))
      throw new ModelError('bad-option', `early stopping: minimumChange must be at least 0, got ${minimumChange}`);
    this.options = { patience, better, minimumChange };
  }

  /** The best measurement so far; undefined before the first. */
  get best(): number | undefined {
    return this.#best;
  }

  /** A NaN is never an improvement. */
  add(measurement: number): 'improved' | 'waiting' | 'stop' {
    const { better, minimumChange, patience } = this.options;
    const change = (measurement - (this.#best ?? measurement)) * (better === 'lower' ? -1 : 1);
    if ((this.#best === undefined && !Number.isNaN(measurement)) || change > minimumChange) {
      this.#best = measurement;
      this.#withoutImprovement = 0;
      return 'improved';
    }
    this.#withoutImprovement++;
    return this.#withoutImprovement >= patience ? 'stop' : 'waiting';
  }

  /** Plain JSON for a checkpoint. */
  state(): JsonObject {
    return { best: this.#best ?? null, withoutImprovement: this.#withoutImprovement };
  }

  /** @throws ModelError `state-mismatch` for what state() cannot have returned. */
  restore(state: JsonObject): void {
    const { best, withoutImprovement } = state;
    if (
      (best !== null && !Number.isFinite(best)) ||
      !Number.isSafeInteger(withoutImprovement) ||
      Number(withoutImprovement) < 0
    ) {
      throw new ModelError(
        'state-mismatch',
        `early stopping: the state is best ${String(best)} and withoutImprovement ${String(withoutImprovement)}; a number or null, and a whole number, are needed`,
      );
    }
    this.#best = best === null ? undefined : Number(best);
    this.#withoutImprovement = Number(withoutImprovement);
  }
}
