/**
 * The (example, target class) pairs of a minibatch. Repeated classes of an example are merged, because a class has only
 * one term in a partition function; classes of weight 0 are left out, because they are not targets. Also finds the
 * accidental hits: negative samples of an example that are one of its targets. O(targets) for shared samples,
 * O(targets·n) for samples of single examples.
 */
import type { TargetList } from '../layer/target-list.ts';
import { SampleSet } from './sample-set.ts';

/** The targets of a minibatch with each class once, and where it is used. */
export class MergedTargets {
  /** m. */
  examples = 0;
  /** P. */
  count = 0;
  /** The largest number of targets of one example. */
  widest = 0;
  /** Example of each pair, ascending. */
  rows: Int32Array = new Int32Array(0);
  classes: Int32Array = new Int32Array(0);
  /** Number of the pair within its example. */
  positions: Int32Array = new Int32Array(0);
  /** y of each pair. */
  weights: Float64Array = new Float64Array(0);
  /** Σ y of each example. */
  totals: Float64Array = new Float64Array(0);
  /** Positions of the accidental hits in the samples' m×columns logits, row by row; the first `hitCount` are valid. */
  hits: Int32Array = new Int32Array(0);
  hitCount = 0;
  /** Upper bound of `hitCount` for any draws. */
  maxHits = 0;
  #slots: Int32Array = new Int32Array(0);
  /** For each slot: the last example (from 1) with this class, and its pair. */
  #lastExample: Int32Array = new Int32Array(0);
  #lastPair: Int32Array = new Int32Array(0);

  /** Merges the targets without samples. */
  buildAlone(list: TargetList): void {
    const nothing = new SampleSet();
    nothing.distinct.begin(list.count);
    this.build(list, nothing, false);
  }

  /** Replaces the content. Adds the target classes to the distinct classes of the samples. */
  build(list: TargetList, samples: SampleSet, removeHits: boolean): void {
    this.#reserve(list, samples);
    this.examples = list.examples;
    this.count = 0;
    this.widest = 0;
    this.hitCount = 0;
    this.totals.fill(0, 0, list.examples);
    for (let entry = 0; entry < list.count;) {
      const row = list.rows[entry]!;
      const firstPair = this.count;
      for (; entry < list.count && list.rows[entry] === row; entry++) {
        this.#add(row, list.classes[entry]!, list.weights[entry]!, samples);
      }
      this.#removeZeroWeights(firstPair);
      this.widest = Math.max(this.widest, this.count - firstPair);
    }
    this.maxHits = removeHits ? this.count * (samples.isShared ? 1 : samples.columns) : 0;
    if (this.hits.length < this.maxHits) this.hits = new Int32Array(Math.ceil(this.maxHits * 1.5));
    if (removeHits) for (let pair = 0; pair < this.count; pair++) this.#findHits(pair, samples);
  }

  #add(row: number, target: number, weight: number, samples: SampleSet): void {
    const slot = samples.distinct.slotOf(target);
    this.totals[row]! += weight;
    if (this.#lastExample[slot] === row + 1) {
      this.weights[this.#lastPair[slot]!]! += weight;
      return;
    }
    this.#lastExample[slot] = row + 1;
    this.#lastPair[slot] = this.count;
    this.rows[this.count] = row;
    this.classes[this.count] = target;
    this.weights[this.count] = weight;
    this.#slots[this.count++] = slot;
  }

  /** Removes pairs of weight 0 from the last example. */
  #removeZeroWeights(firstPair: number): void {
    let kept = firstPair;
    for (let pair = firstPair; pair < this.count; pair++) {
      if (this.weights[pair] === 0) continue;
      this.rows[kept] = this.rows[pair]!;
      this.classes[kept] = this.classes[pair]!;
      this.weights[kept] = this.weights[pair]!;
      this.#slots[kept] = this.#slots[pair]!;
      this.positions[kept] = kept - firstPair;
      kept++;
    }
    this.count = kept;
  }

  #findHits(pair: number, samples: SampleSet): void {
    const slot = this.#slots[pair]!;
    if (slot >= samples.distinctSamples) return;
    const first = this.rows[pair]! * samples.columns;
    if (samples.isShared) {
      this.hits[this.hitCount++] = first + slot;
      return;
    }
    for (let place = first; place < first + samples.columns; place++)
      if (samples.slots[place] === slot) this.hits[this.hitCount++] = place;
  }

  #reserve(list: TargetList, samples: SampleSet): void {
    const slots = samples.distinctSamples + list.count;
    if (this.#lastExample.length < slots) {
      this.#lastExample = new Int32Array(Math.ceil(slots * 1.5));
      this.#lastPair = new Int32Array(this.#lastExample.length);
    } else {
      this.#lastExample.fill(0, 0, slots);
    }
    if (this.totals.length < list.examples) this.totals = new Float64Array(Math.ceil(list.examples * 1.5));
    if (this.rows.length >= list.count) return;
    const capacity = Math.ceil(list.count * 1.5);
    this.rows = new Int32Array(capacity);
    this.classes = new Int32Array(capacity);
    this.positions = new Int32Array(capacity);
    this.weights = new Float64Array(capacity);
    this.#slots = new Int32Array(capacity);
  }
}
