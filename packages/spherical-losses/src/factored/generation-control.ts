/**
 * When a layer closes its generations. U's condition κ says when, and to look at U costs two passes over d² numbers; so
 * between two looks κ is bounded by what each step can have multiplied it by, and U is looked at again where the bound
 * comes near the threshold (stability.ts). A layer whose steps the host does not wait for has no numbers to bound κ
 * with: there the steps since the last look are counted.
 */
import type { JsonObject, JsonValue } from '@vastmax/linalg-core/state';
import type { FactoredWeights } from './factored-weights.ts';
import {
  conditionGrowth,
  conditionOf,
  isSingularSystem,
  mustClose,
  stepsUntilClosing,
  thresholdsFor,
  type StabilityThresholds,
} from './stability.ts';
import type { StepMonitor } from './step-monitor.ts';

export interface StepEnd {
  readonly isSingular: boolean;
  /** What W was multiplied by: 1 − ηλ. */
  readonly decay: number;
}

export class GenerationControl {
  readonly #weights: FactoredWeights;
  readonly #monitor: StepMonitor;
  readonly #thresholds: StabilityThresholds;
  /** κ is at most this before the next step, as far as it is known without looking at U. */
  #conditionBound = 1;
  /** The next read shows U's and U⁻¹'s norms. */
  #isMapWatched = false;
  /** Steps since a generation was closed or U was looked at, and after how many unread ones to close. */
  #sinceClosing = 0;
  #closingInterval = Infinity;

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
    this.#monitor.watchSquares('map', this.#weights.map);
    this.#monitor.watchSquares('inverse', this.#weights.inverse);
  }

  /**
   * What decides when U is looked at next, so that a layer which takes it over closes its generations at the same
   * steps.
   */
  state(): JsonObject {
    const bound = this.#conditionBound;
    return Number.isFinite(bound) ? { bound, isWatched: this.#isMapWatched } : { bound: null, isWatched: true };
  }

  /** @param state of another layer with this layer's U; U is looked at when it is none. */
  restore(state: JsonValue | undefined): void {
    const { bound, isWatched } =
      typeof state === 'object' && state !== null && !Array.isArray(state) ? (state as JsonObject) : {};
    this.#conditionBound = typeof bound === 'number' ? bound : Infinity;
    this.#isMapWatched = false;
    if (isWatched !== false || typeof bound !== 'number') this.watchMap();
  }

  /** Whether the small system that the monitor has read leaves U without a usable inverse. */
  get isSingular(): boolean {
    return isSingularSystem(
      this.#monitor.value('reciprocalCondition'),
      this.#monitor.value('system'),
      this.#thresholds,
    );
  }

  /**
   * After the update of a step that was read: decay, close the generation where it is time, and convert some old rows.
   * @param systemSize 0 without examples.
   */
  endStep(systemSize: number, { isSingular, decay }: StepEnd): void {
    const weights = this.#weights;
    const monitor = this.#monitor;
    if (decay !== 1) weights.decay(decay);
    // The numbers are those of the state before this step; the threshold leaves room for one step more.
    let closes = false;
    if (this.#isMapWatched) {
      this.#isMapWatched = false;
      this.#conditionBound = conditionOf(monitor.value('map'), monitor.value('inverse'), weights.width);
      closes =
        !isSingular && mustClose(monitor.value('map'), monitor.value('inverse'), weights.width, this.#thresholds);
    }
    this.#sinceClosing++;
    if (closes) this.#close();
    if (closes || isSingular) this.#conditionBound = 1;
    else if (systemSize > 0)
      this.#conditionBound *= conditionGrowth(
        monitor.value('reciprocalCondition'),
        monitor.value('system'),
        systemSize,
      );
    weights.sweepOnce();
    if (isSingular) this.#sinceClosing = 0;
    // Half the threshold makes up for the estimate in the bound; decay shrinks U unseen.
    if (decay !== 1 || !(this.#conditionBound <= this.#thresholds.condition / 2)) this.watchMap();
  }

  /**
   * After a step that nobody has read, and that the device may have refused: this changes how W is written down, not W.
   */
  endUnreadStep(): void {
    if (++this.#sinceClosing >= this.#closingInterval) this.#close();
    this.#weights.sweepOnce();
    // The next step that is read must look at U first.
    this.#isMapWatched = false;
    this.#conditionBound = Infinity;
  }

  /** Unread steps were all taken. @param condition κ before the last of them. */
  learn(condition: number): void {
    this.#closingInterval = stepsUntilClosing(condition, this.#sinceClosing, this.#thresholds) ?? this.#closingInterval;
  }

  /** U is of another state of the layer. */
  forget(): void {
    this.#sinceClosing = 0;
  }

  #close(): void {
    this.#weights.closeGeneration();
    this.#sinceClosing = 0;
  }
}
