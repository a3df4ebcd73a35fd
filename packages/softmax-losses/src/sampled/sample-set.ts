/**
 * The negative samples of one minibatch, on the host, with the corrections that make estimates unbiased. The expected
 * number of times that n draws from P hit class i is n·P(i). So a drawn class has
 *
 *     noise_i = ln(n·P(i))
 *     weight_i, with E[weight_i·(i was drawn)] = n·P(i)
 *     correction_i = ln weight_i − noise_i
 *
 * and Σ over the drawn classes of exp(o_i + correction_i) has the expectation Σ over all classes of exp(o_i)
 * (importance sampling: Y. Bengio, J.-S. Senécal, IEEE Trans. Neural Networks 19(4), 2008). With replacement, the
 * weight is the number of times that i was drawn. With `unique` a class counts once, and its expected count is the
 * probability that n draws hit it at least once, 1 − (1 − P)ⁿ. n is fixed, and the number of distinct classes is
 * random. TensorFlow's unique samplers instead draw until they have a given number of classes, and put the (random)
 * number of draws into the same formula, which is then not exact.
 *
 * Classes of a head are in the set with certainty: their expected count is 1, and the sum over the others is estimated
 * from the draws that do not hit the head.
 *
 * Samples that a minibatch shares are merged, so `columns` is the number of distinct classes. Samples of single
 * examples keep their n columns; in unique mode the repetitions of a class have weight 0.
 */
import type { FloatArray } from '@vastmax/linalg-core';
import { DistinctIndices, type RandomGenerator } from '@vastmax/sparse-data';
import type { FixedProposal, QueryProposal } from '../proposals/proposal.ts';

const noHead = new Int32Array(0);

export class SampleSet {
  /** 1 if all examples share the samples, otherwise m. */
  rows = 0;
  columns = 0;
  isShared = true;
  /** rows×columns, as are the arrays below. */
  classes: Int32Array = new Int32Array(0);
  /** ln(n·P) of each sample. */
  noise: Float64Array = new Float64Array(0);
  weights: Float64Array = new Float64Array(0);
  corrections: Float64Array = new Float64Array(0);
  /** Slot of each sample among the distinct classes; 0, 1, 2 … when shared. */
  slots: Int32Array = new Int32Array(0);
  /** The distinct classes, those of the samples first. */
  readonly distinct: DistinctIndices = new DistinctIndices();
  /** The number of distinct sampled classes. */
  distinctSamples = 0;
  /** Upper bounds of `columns` and `distinctSamples` for any draws. */
  maxColumns = 0;
  maxDistinct = 0;
  #logProbabilities: Float64Array = new Float64Array(0);
  /** For each slot, the last row (from 1) that contained its class. */
  #lastRow: Int32Array = new Int32Array(0);

  /**
   * Draws one set for the whole minibatch.
   * @param others capacity in `distinct` for so many further classes.
   * @param head distinct classes that are in the set once whatever is drawn, as the first columns.
   */
  drawShared(
    proposal: FixedProposal,
    tries: number,
    unique: boolean,
    random: RandomGenerator,
    others: number,
    head: Int32Array = noHead,
  ): void {
    this.isShared = true;
    const fixed = head.length;
    this.#reserve(1, fixed + tries, others, proposal.classes);
    for (let i = 0; i < fixed; i++) this.distinct.slotOf(head[i]!);
    proposal.draw(tries, random, this.classes, fixed);
    this.weights.fill(0, 0, fixed + tries);
    for (let i = fixed; i < fixed + tries; i++) this.weights[this.distinct.slotOf(this.classes[i]!)]!++;
    this.columns = this.distinct.count;
    for (let column = 0; column < this.columns; column++) {
      const drawn = this.distinct.values[column]!;
      this.classes[column] = drawn;
      this.slots[column] = column;
      if (column < fixed) {
        this.noise[column] = 0;
        this.corrections[column] = 0;
        this.weights[column] = 1;
      } else {
        this.#weigh(column, this.weights[column]!, proposal.logProbability(drawn), tries, unique);
      }
    }
    this.distinctSamples = this.distinct.count;
  }

  /** `tries` draws for each example from the same distribution. */
  drawEach(
    proposal: FixedProposal,
    examples: number,
    tries: number,
    unique: boolean,
    random: RandomGenerator,
    others: number,
  ): void {
    this.isShared = false;
    this.#reserve(examples, tries, others, proposal.classes);
    proposal.draw(examples * tries, random, this.classes, 0);
    for (let i = 0; i < examples * tries; i++) this.#logProbabilities[i] = proposal.logProbability(this.classes[i]!);
    this.#weighEach(tries, unique);
  }

  /** `tries` draws for each query. @param queries examples×width. */
  drawForQueries(
    proposal: QueryProposal,
    queries: FloatArray,
    examples: number,
    tries: number,
    unique: boolean,
    random: RandomGenerator,
    others: number,
  ): void {
    this.isShared = false;
    this.#reserve(examples, tries, others, proposal.classes);
    proposal.draw(queries, examples, tries, random, this.classes, this.#logProbabilities);
    this.#weighEach(tries, unique);
  }

  #weighEach(tries: number, unique: boolean): void {
    const { rows, distinct, classes, slots } = this;
    this.#lastRow.fill(0, 0, rows * tries);
    for (let row = 0, i = 0; row < rows; row++) {
      for (let column = 0; column < tries; column++, i++) {
        const slot = distinct.slotOf(classes[i]!);
        slots[i] = slot;
        const isRepeated = this.#lastRow[slot] === row + 1;
        this.#lastRow[slot] = row + 1;
        this.#weigh(i, unique && isRepeated ? 0 : 1, this.#logProbabilities[i]!, tries, unique);
      }
    }
    this.columns = tries;
    this.distinctSamples = distinct.count;
  }

  #weigh(i: number, count: number, logProbability: number, tries: number, unique: boolean): void {
    const noise = Math.log(tries) + logProbability;
    const correction = unique && count > 0 ? -Math.log(expectedUnique(logProbability, tries)) : Math.log(count) - noise;
    this.noise[i] = noise;
    this.corrections[i] = correction;
    this.weights[i] = unique && count > 0 ? Math.exp(correction + noise) : count;
  }

  #reserve(rows: number, columns: number, others: number, classes: number): void {
    const length = rows * columns;
    this.rows = rows;
    this.maxDistinct = Math.min(length, classes);
    this.maxColumns = this.isShared ? this.maxDistinct : columns;
    this.distinct.begin(length + others);
    if (this.classes.length >= length) return;
    const capacity = Math.ceil(length * 1.5);
    this.classes = new Int32Array(capacity);
    this.slots = new Int32Array(capacity);
    this.noise = new Float64Array(capacity);
    this.weights = new Float64Array(capacity);
    this.corrections = new Float64Array(capacity);
    this.#logProbabilities = new Float64Array(capacity);
    this.#lastRow = new Int32Array(capacity);
  }
}

/** 1 − (1 − P)ⁿ without cancellation. */
function expectedUnique(logProbability: number, tries: number): number {
  return -Math.expm1(tries * Math.log1p(-Math.exp(logProbability)));
}
