import { checkClasses, type FixedProposal } from './proposal.ts';

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
