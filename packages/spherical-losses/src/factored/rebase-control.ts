/**
 * Decides when a layer rebases. The criterion is U's condition κ, which takes two passes over d² numbers to read. So
 * between two reads κ is bounded by the most that each step can have multiplied it by, and read again when the bound
 * comes near the threshold (rebase-schedule.ts). Steps that are verified asynchronously give the host no numbers for
 * this bound: there the steps since the last rebase are counted.
 */
import type { JsonObject, JsonValue } from '@vastmax/linalg-core/state';
import type { StepMonitor } from '@vastmax/output-layer';
import type { FactoredWeights } from './factored-weights.ts';
import {
  conditionGrowth,
  conditionOf,
  isSingularSystem,
  mustRebase,
  stepsUntilRebase,
  thresholdsFor,
  type StabilityThresholds,
} from './rebase-schedule.ts';

/**
 * The values of a step that the host reads: the monitor's six numbers. Squared Frobenius norms except the first and
 * third.
 */
export const places = { losses: 0, gradient: 1, reciprocalCondition: 2, system: 3, map: 4, inverse: 5 } as const;

export interface StepEnd {
  /** Rows of the small system; 0 without examples. */
  readonly systemSize: number;
  readonly isSingular: boolean;
  /** The factor of W by weight decay: 1 − ηλ. */
  readonly decay: number;
  /** Whether the small system bounds the growth of κ. It does not with a preconditioner or regularisers: κ is then read at each step. */
  readonly isGrowthBounded: boolean;
}

export class RebaseControl {
  readonly #weights: FactoredWeights;
  readonly #monitor: StepMonitor;
  readonly #thresholds: StabilityThresholds;
  /** Upper bound of κ before the next step, without reading U. */
  #conditionBound = 1;
  /** Whether the next read includes the norms of U and U⁻¹. */
  #isMapWatched = false;
  #stepsSinceRebase = 0;
  /** The number of steps between rebases when they are verified asynchronously. */
  #interval = Infinity;

  /** @param monitor its numbers, once read, are those of the step that `endStep` ends. */
  constructor(weights: FactoredWeights, monitor: StepMonitor) {
    this.#weights = weights;
    this.#monitor = monitor;
    this.#thresholds = thresholdsFor(weights.backend.precision);
  }

  /**
   * To be called when U or U⁻¹ has changed outside a step: the next step's read then includes their norms.
   */
  watchMap(): void {
    this.#isMapWatched = true;
    this.#monitor.watchSquares(places.map, this.#weights.map);
    this.#monitor.watchSquares(places.inverse, this.#weights.inverse);
  }

  /** The values that decide when κ is read next, so that a restored layer rebases at the same steps. */
  state(): JsonObject {
    const bound = this.#conditionBound;
    return Number.isFinite(bound) ? { bound, isWatched: this.#isMapWatched } : { bound: null, isWatched: true };
  }

  /** @param state of another layer with the same U; κ is read at the next step when there is none. */
  restore(state: JsonValue | undefined): void {
    const { bound, isWatched } =
      typeof state === 'object' && state !== null && !Array.isArray(state) ? (state as JsonObject) : {};
    this.#conditionBound = typeof bound === 'number' ? bound : Infinity;
    this.#isMapWatched = false;
    if (isWatched !== false || typeof bound !== 'number') this.watchMap();
  }

  /** Whether loss and gradient, as read by the monitor, are finite. */
  get isFinite(): boolean {
    return Number.isFinite(this.#monitor.value(places.losses)) && Number.isFinite(this.#monitor.value(places.gradient));
  }

  /** Whether the small system, as read by the monitor, leaves U without a usable inverse. */
  get isSingular(): boolean {
    const monitor = this.#monitor;
    return isSingularSystem(monitor.value(places.reciprocalCondition), monitor.value(places.system), this.#thresholds);
  }

  /**
   * To be called after the update of a step whose numbers were read: decay, rebase if due, and convert some old rows.
   */
  endStep({ systemSize, isSingular, decay, isGrowthBounded }: StepEnd): void {
    const weights = this.#weights;
    const monitor = this.#monitor;
    if (decay !== 1) weights.decay(decay);
    // The numbers are those of the state before this step; the threshold has a margin for one more step.
    let rebases = false;
    if (this.#isMapWatched) {
      this.#isMapWatched = false;
      const [map, inverse] = [monitor.value(places.map), monitor.value(places.inverse)];
      this.#conditionBound = conditionOf(map, inverse, weights.width);
      rebases = !isSingular && mustRebase(map, inverse, weights.width, this.#thresholds);
    }
    this.#stepsSinceRebase++;
    if (rebases) this.#rebase();
    if (rebases || isSingular) this.#conditionBound = 1;
    else if (systemSize > 0)
      this.#conditionBound *= conditionGrowth(
        monitor.value(places.reciprocalCondition),
        monitor.value(places.system),
        systemSize,
      );
    weights.sweepOnce();
    if (isSingular) this.#stepsSinceRebase = 0;
    // Half the threshold compensates for the estimate in the bound; decay shrinks U without being counted.
    if (decay !== 1 || !isGrowthBounded || !(this.#conditionBound <= this.#thresholds.condition / 2)) this.watchMap();
  }

  /**
   * To be called after a step that is not verified yet and that the device may have rejected: it changes the
   * representation of W, not W.
   */
  endPendingStep(): void {
    if (++this.#stepsSinceRebase >= this.#interval) this.#rebase();
    this.#weights.sweepOnce();
    // The next step whose numbers are read must read κ first.
    this.#isMapWatched = false;
    this.#conditionBound = Infinity;
  }

  /** To be called when all pending steps were applied. @param condition κ before the last of them. */
  adjustInterval(condition: number): void {
    this.#interval = stepsUntilRebase(condition, this.#stepsSinceRebase, this.#thresholds) ?? this.#interval;
  }

  /** To be called when U belongs to another state of the layer. */
  forget(): void {
    this.#stepsSinceRebase = 0;
  }

  #rebase(): void {
    this.#weights.rebase();
    this.#stepsSinceRebase = 0;
  }
}
