import { OutputLayerError } from '@vastmax/output-layer';
import type { RandomGenerator } from '@vastmax/sparse-data';
import { checkClasses, type FixedProposal } from './proposal.ts';

/**
 * Every class alike: P = 1/D. O(1) a draw, no memory.
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
 * P(k) = ln((k+2)/(k+1)) / ln(D+1): nearly Zipf's law, for classes sorted by falling frequency (TensorFlow's
 * log_uniform_candidate_sampler). The distribution function is ln(k+2)/ln(D+1), so a draw is ⌊(D+1)^u⌋ − 1. O(1) a
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
    // log1p: ln((k+2)/(k+1)) loses its digits for a large k.
    logProbability: (target) => Math.log(Math.log1p(1 / (target + 1))) - logRange,
  };
}

export interface UnigramProposalOptions {
  /** P ∝ count^power; 1 unless given: the strongest for sampled softmax. word2vec takes 0.75 (arXiv:1310.4546 §2.2). */
  readonly power?: number;
  /**
   * The count that a class of count 0 is given, 1 unless given. With 0 it is never drawn: then nothing ever pushes its
   * score down, and an estimate of the partition function lacks its term.
   */
  readonly unseenCount?: number;
}

/**
 * P(k) ∝ count(k)^power by the alias method: O(D) once, O(1) a draw; 20 bytes a class.
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
    // Relative to the largest, so that no power overflows. A class of count 0 stays out also at power 0.
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
 * Walker's alias method (A. Walker 1977; the linear construction of M. Vose 1991): any distribution over n values as n
 * columns of equal mass, each shared by at most two values, so that a draw is one column and one comparison whatever n
 * is.
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
  // One array for both stacks: columns that lack mass grow from the front, columns with too much from the back.
  const stacks = new Int32Array(n);
  let small = 0;
  let large = n;
  for (let i = 0; i < n; i++) {
    // The quotient first: n times a weight near the largest double would overflow.
    const share = (weights[i]! / sum) * n;
    shares[i] = share;
    aliases[i] = i;
    if (share < 1) stacks[small++] = i;
    else stacks[--large] = i;
  }
  while (small > 0 && large < n) {
    const poor = stacks[--small]!;
    const rich = stacks[large]!;
    aliases[poor] = rich;
    // In this order the rich column keeps its digits: its share is at least 1, the poor one's below 1.
    shares[rich] = shares[rich]! - (1 - shares[poor]!);
    if (shares[rich] < 1) {
      large++;
      stacks[small++] = rich;
    }
  }
  // Shares sum to n, so columns without a partner on the other stack are 1 up to rounding, whichever stack they are on.
  while (large < n) shares[stacks[large++]!] = 1;
  while (small > 0) shares[stacks[--small]!] = 1;
  return { shares, aliases };
}

/** One value. Two random numbers, O(1). */
function drawFromAliasTable({ shares, aliases }: AliasTable, random: RandomGenerator): number {
  const column = random.integer(shares.length);
  return random.uniform() < shares[column]! ? column : aliases[column]!;
}
