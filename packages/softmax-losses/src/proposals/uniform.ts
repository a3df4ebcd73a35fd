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
