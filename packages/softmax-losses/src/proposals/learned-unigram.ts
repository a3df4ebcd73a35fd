import { findTensor, StateError } from '@vastmax/linalg-core/state';
import { OutputLayerError } from '@vastmax/output-layer';
import { CountedSums } from './counted-sums.ts';
import { checkClasses, type FixedProposal } from './proposal.ts';

export interface LearnedUnigramOptions {
  /** Added to every class's count, 1 unless given: the start is uniform, and no class is ever out of reach. */
  readonly smoothing?: number;
}

/**
 * Learned by counts: P(k) = (count(k) + smoothing)/(N + smoothing·D), with the targets counted as training meets them
 * (TensorFlow's learned_unigram_candidate_sampler). The probabilities are exact at each draw: a draw is uniform with
 * probability smoothing·D/(N + smoothing·D), and else follows the counts by a Fenwick tree. O(log D) a draw and a
 * count, 16 bytes a class. A proposal learns, so two layers need two.
 * @throws OutputLayerError `bad-option` for a bad number of classes, or a smoothing that is not positive and finite.
 */
export function createLearnedUnigramProposal(classes: number, options: LearnedUnigramOptions = {}): FixedProposal {
  const { smoothing = 1 } = options;
  checkClasses('learned-unigram', classes);
  if (!Number.isFinite(smoothing) || !(smoothing > 0)) {
    throw new OutputLayerError(
      'bad-option',
      `learned-unigram proposal: smoothing must be a finite number above 0, got ${smoothing}`,
    );
  }
  const sums = new CountedSums(classes);
  const uniformMass = smoothing * classes;
  return {
    kind: 'fixed',
    name: 'learned-unigram',
    classes,
    options: { smoothing },
    draw: (count, random, classesOut, offset) => {
      const { total } = sums;
      for (let i = 0; i < count; i++) {
        const isCounted = random.uniform() * (total + uniformMass) < total;
        classesOut[offset + i] = isCounted ? sums.find(random.integer(total)) : random.integer(classes);
      }
    },
    logProbability: (target) => Math.log((sums.counts[target]! + smoothing) / (sums.total + uniformMass)),
    observe: (targets, count) => {
      for (let i = 0; i < count; i++) sums.increment(targets[i]!);
    },
    state: () => ({
      configuration: {},
      tensors: [
        {
          name: 'counts',
          precision: 'f64',
          rows: classes,
          columns: 1,
          read: (first, count) => Promise.resolve(sums.counts.slice(first, first + count)),
        },
      ],
    }),
    prepareRestore: async (state) => {
      const counts = (await findTensor(state, 'counts', classes, 1).read(0, classes)).subarray(0, classes);
      const bad = counts.findIndex((count) => !Number.isSafeInteger(count) || count < 0);
      if (bad >= 0) {
        throw new StateError(
          'state-mismatch',
          `learned-unigram proposal: the count of class ${bad} is ${counts[bad]} in the state, expected a whole number`,
        );
      }
      return () => {
        sums.assign(counts);
      };
    },
  };
}
