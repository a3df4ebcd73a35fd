import { OutputLayerError } from '@vastmax/output-layer';
import type { RandomGenerator } from '@vastmax/sparse-data';
import { checkClasses, type FixedProposal } from './proposal.ts';

/**
 * Uniform: P = 1/D for every class. O(1) per draw, no memory.
 * @throws OutputLayerError `bad-option` for a bad number of classes.
 */
export function createUniformProposal(classes: number): FixedProposal {
  checkClasses('uniform', classes);
  const logProbability = -Math.log(classes);
  return {
    kind: 'fixed',
    name: 'uniform',
    classes,
    options: {},
    draw: (count, random, classesOut, offset) => {
      for (let i = 0; i < count; i++) classesOut[offset + i] = random.integer(classes);
    },
    logProbability: () => logProbability,
  };
}

/**
 * P(k) = ln((k+2)/(k+1)) / ln(D+1): nearly Zipf's law, for classes sorted by descending frequency (TensorFlow's
 * log_uniform_candidate_sampler). The distribution function is ln(k+2)/ln(D+1), so a draw is ⌊(D+1)^u⌋ − 1. O(1) per
 * draw, no memory.
 * @throws OutputLayerError `bad-option` for a bad number of classes.
 */
export function createLogUniformProposal(classes: number): FixedProposal {
  checkClasses('log-uniform', classes);
  const range = Math.log(classes + 1);
  const logRange = Math.log(range);
  return {
    kind: 'fixed',
    name: 'log-uniform',
    classes,
    options: {},
    draw: (count, random, classesOut, offset) => {
      for (let i = 0; i < count; i++) {
        // exp may round up to D + 1 when u is next to 1.
        classesOut[offset + i] = Math.min(classes - 1, Math.floor(Math.exp(random.uniform() * range)) - 1);
      }
    },
    // log1p, because ln((k+2)/(k+1)) loses accuracy for a large k.
    logProbability: (target) => Math.log(Math.log1p(1 / (target + 1))) - logRange,
  };
}

/** The power of the frequencies, and the count that stands for a class that never occurs. */
export interface UnigramProposalOptions {
  /** P ∝ count^power; default 1, which works best for sampled softmax. word2vec uses 0.75 (arXiv:1310.4546 §2.2). */
  readonly power?: number;
  /**
   * The count used for a class of count 0; default 1. With 0 such a class is never drawn: then no step ever lowers its
   * score, and estimates of the partition function lack its term.
   */
  readonly unseenCount?: number;
}

/**
 * P(k) ∝ count(k)^power by the alias method: O(D) once, O(1) per draw; 20 bytes per class.
 * @param counts one for each class, non-negative.
 * @throws OutputLayerError `bad-option` for counts that are negative, not finite or all zero, or a power that is
 * negative or not finite.
 */
export function createUnigramProposal(counts: ArrayLike<number>, options: UnigramProposalOptions = {}): FixedProposal {
  const { power = 1, unseenCount = 1 } = options;
  checkClasses('unigram', counts.length);
  if (!Number.isFinite(power) || power < 0) {
    throw new OutputLayerError(
      'bad-option',
      `unigram proposal: power must be a finite number of at least 0, got ${power}`,
    );
  }
  checkCount('unseenCount', unseenCount);
  const weights = new Float64Array(counts.length);
  let largest = 0;
  for (let i = 0; i < weights.length; i++) {
    checkCount(`the count of class ${i}`, counts[i]!);
    weights[i] = counts[i] === 0 ? unseenCount : counts[i]!;
    largest = Math.max(largest, weights[i]!);
  }
  if (largest === 0)
    throw new OutputLayerError(
      'bad-option',
      'unigram proposal: every count is 0; give some, or an unseenCount above 0',
    );
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    // Relative to the largest, so that no power overflows. A class of weight 0 keeps it, also with power 0.
    weights[i] = weights[i] === 0 ? 0 : (weights[i]! / largest) ** power;
    sum += weights[i]!;
  }
  const logSum = Math.log(sum);
  const table = createAliasTable(weights);
  return {
    kind: 'fixed',
    name: 'unigram',
    classes: weights.length,
    options: { power, unseenCount },
    draw: (count, random, classesOut, offset) => {
      for (let i = 0; i < count; i++) classesOut[offset + i] = drawFromAliasTable(table, random);
    },
    logProbability: (target) => Math.log(weights[target]!) - logSum,
  };
}

function checkCount(what: string, count: number): void {
  if (Number.isFinite(count) && count >= 0) return;
  throw new OutputLayerError(
    'bad-option',
    `unigram proposal: ${what} must be a finite number of at least 0, got ${count}`,
  );
}

/**
 * A table of Walker's alias method (A. Walker 1977; the linear construction of M. Vose 1991): any distribution over n
 * values as n columns of equal mass, each shared by at most two values. A draw is then one column and one comparison,
 * for any n.
 */
export interface AliasTable {
  /** Share of column i that belongs to value i; the rest belongs to aliases[i]. */
  readonly shares: Float64Array;
  readonly aliases: Int32Array;
}

/** O(n). @param weights at least one, non-negative and finite with a positive sum; the caller has checked. */
export function createAliasTable(weights: Float64Array): AliasTable {
  const n = weights.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += weights[i]!;
  const shares = new Float64Array(n);
  const aliases = new Int32Array(n);
  // One array for both stacks: columns with less than the average mass from the front, columns with more from the back.
  const stacks = new Int32Array(n);
  let small = 0;
  let large = n;
  for (let i = 0; i < n; i++) {
    // Divide first: n times a weight near the largest double would overflow.
    const share = (weights[i]! / sum) * n;
    shares[i] = share;
    aliases[i] = i;
    if (share < 1) stacks[small++] = i;
    else stacks[--large] = i;
  }
  while (small > 0 && large < n) {
    const underfull = stacks[--small]!;
    const overfull = stacks[large]!;
    aliases[underfull] = overfull;
    // This order of operations keeps the accuracy: the share of the overfull column is at least 1, that of the
    // underfull one below 1.
    shares[overfull] = shares[overfull]! - (1 - shares[underfull]!);
    if (shares[overfull] < 1) {
      large++;
      stacks[small++] = overfull;
    }
  }
  // Shares sum to n, so when one stack is empty, the remaining columns are 1 up to rounding errors.
  while (large < n) shares[stacks[large++]!] = 1;
  while (small > 0) shares[stacks[--small]!] = 1;
  return { shares, aliases };
}

/** Draws one value. Two random numbers, O(1). */
function drawFromAliasTable({ shares, aliases }: AliasTable, random: RandomGenerator): number {
  const column = random.integer(shares.length);
  return random.uniform() < shares[column]! ? column : aliases[column]!;
}
