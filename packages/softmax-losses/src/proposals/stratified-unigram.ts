/**
 * Samples of two strata: the most frequent classes are in every sample, the others are drawn. The terms of a partition
 * function that are largest on average then have no variance, and every draw goes to the others.
 */
import { OutputLayerError } from '@vastmax/output-layer';
import { classesByFrequency } from '../class-table/frequency-order.ts';
import { createUniformProposal, createUnigramProposal, type UnigramProposalOptions } from './fixed-proposals.ts';
import { checkClasses, type FixedProposal } from './proposal.ts';

/** How many of the frequent classes are always drawn. */
export interface StratifiedUnigramOptions extends Pick<UnigramProposalOptions, 'power'> {
  /** F, how many of the most frequent classes are in every sample; all of them if there are fewer. */
  readonly head: number;
}

/** Options of `createSampledSoftmaxLayer`. */
export interface StratifiedSampling {
  readonly head: Int32Array;
  readonly proposal: FixedProposal;
}

/**
 * The F most frequent classes as the head, and a proposal P(k) ∝ count(k)^power over the others; a class of count 0 is
 * drawn as one of count 1. O(D log D) once, O(1) per draw. With F ≥ D the sampled softmax is the full one.
 * @param counts one for each class, non-negative.
 * @throws OutputLayerError `bad-option` for counts that are negative or not finite, a bad power, or a head that is not
 * a whole number of at least 0.
 */
export function createStratifiedUnigram(
  counts: ArrayLike<number>,
  { head: size, power }: StratifiedUnigramOptions,
): StratifiedSampling {
  checkClasses('stratified unigram', counts.length);
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new OutputLayerError(
      'bad-option',
      `stratified unigram: head must be a whole number of at least 0, got ${size}`,
    );
  }
  const head = classesByFrequency(counts).slice(0, size);
  if (head.length === counts.length) return { head, proposal: createUniformProposal(counts.length) };
  const drawn = Float64Array.from(counts, (count) => (count === 0 ? 1 : count));
  for (const target of head) drawn[target] = 0;
  const options = power === undefined ? {} : { power };
  return { head, proposal: createUnigramProposal(drawn, { ...options, unseenCount: 0 }) };
}
