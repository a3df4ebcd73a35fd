/**
 * When a layer rebases. U's condition κ says when, and to read it costs two passes over d² numbers; so between two
 * readings κ is bounded by what each step can have multiplied it by, and read again where the bound comes near the
 * threshold (rebase-schedule.ts). Steps that are verified asynchronously give the host no numbers to bound κ with:
 * there the steps since the last rebase are counted.
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
 * What a step shows to the host: the monitor's six numbers. Squared Frobenius norms but for the first and the third.
 */
export const places = { losses: 0, gradient: 1, reciprocalCondition: 2, system: 3, map: 4, inverse: 5 } as const;

export interface StepEnd {
  /** Rows of the small system; 0 without examples. */
  readonly systemSize: number;
  readonly isSingular: boolean;
  /** What W was multiplied by: 1 − ηλ. */
  readonly decay: number;
}

export class RebaseControl {
  readonly #weights: FactoredWeights;
  readonly #monitor: StepMonitor;
  readonly #thresholds: StabilityThresholds;
  /** κ is at most this before the next step, as far as it is known without reading U. */
  #conditionBound = 1;
  /** The next read shows U's and U⁻¹'s norms. */
  #isMapWatched = false;
  #stepsSinceRebase = 0;
  /** After how many steps to rebase when they are verified asynchronously. */
  #interval = Infinity;

  /** @param monitor whose numbers, once read, are those of the step that `endStep` ends. */
  constructor(weights: FactoredWeights, monitor: StepMonitor) {
    this.#weights = weights;
    this.#monitor = monitor;
    this.#thresholds = thresholdsFor(weights.backend.precision);
  }

  /**
   * To be called when U or U⁻¹ has changed outside a step: the next step's read shows how far U is from the identity.
   */
  watchMap(): void {
    this.#isMapWatched = true;
    this.#monitor.watchSquares(places.map, this.#weights.map);
    this.#monitor.watchSquares(places.inverse, this.#weights.inverse);
  }

  /** What decides when κ is read next, so that a layer which takes it over rebases at the same steps. */
  state(): JsonObject {
    const bound = this.#conditionBound;
    return Number.isFinite(bound) ? { bound, isWatched: this.#isMapWatched } : { bound: null, isWatched: true };
  }

  /** @param state of another layer with this layer's U; κ is read at the next step when there is none. */
  restore(state: JsonValue | undefined): void {
    const { bound, isWatched } =
      typeof state === 'object' && state !== null && !Array.isArray(state) ? (state as JsonObject) : {};
    this.#conditionBound = typeof bound === 'number' ? bound : Infinity;
    this.#isMapWatched = false;
    if (isWatched !== false || typeof bound !== 'number') this.watchMap();
  }

  /** Whether loss and gradient, as the monitor has read them, are. */
  get isFinite(): boolean {
    return Number.isFinite(this.#monitor.value(places.losses)) && Number.isFinite(this.#monitor.value(places.gradient));
  }

  /** Whether the small system that the monitor has read leaves U without a usable inverse. */
  get isSingular(): boolean {
    const monitor = this.#monitor;
    return isSingularSystem(monitor.value(places.reciprocalCondition), monitor.value(places.system), this.#thresholds);
  }

  /** After the update of a step whose numbers were read: decay, rebase where it is time, and convert some old rows. */
  endStep({ systemSize, isSingular, decay }: StepEnd): void {
    const weights = this.#weights;
    const monitor = this.#monitor;
    if (decay !== 1) weights.decay(decay);
    // The numbers are those of the state before this step; the threshold leaves room for one step more.
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
    // Half the threshold makes up for the estimate in the bound; decay shrinks U unseen.
    if (decay !== 1 || !(this.#conditionBound <= this.#thresholds.condition / 2)) this.watchMap();
  }

  /**
   * After a step that is not verified yet, and that the device may have refused: this changes how W is written down,
   * not W.
   */
  endPendingStep(): void {
    if (++this.#stepsSinceRebase >= this.#interval) this.#rebase();
    this.#weights.sweepOnce();
    // The next step whose numbers are read must read κ first.
    this.#isMapWatched = false;
    this.#conditionBound = Infinity;
  }

  /** The pending steps were all taken. @param condition κ before the last of them. */
  adjustInterval(condition: number): void {
    this.#interval = stepsUntilRebase(condition, this.#stepsSinceRebase, this.#thresholds) ?? this.#interval;
  }

  /** U is of another state of the layer. */
  forget(): void {
    this.#stepsSinceRebase = 0;
  }

  #rebase(): void {
    this.#weights.rebase();
    this.#stepsSinceRebase = 0;
  }
}
