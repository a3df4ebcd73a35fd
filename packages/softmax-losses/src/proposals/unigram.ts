import { OutputLayerError } from '@vastmax/output-layer';
import { createAliasTable, drawFromAliasTable } from './alias-table.ts';
import { checkClasses, type FixedProposal } from './proposal.ts';

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
