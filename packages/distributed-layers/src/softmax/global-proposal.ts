import type { FixedProposal } from '@vastmax/softmax-losses';
import type { Communicator } from '@vastmax/collectives';

/**
 * A proposal that learns from the targets of all ranks, so that it is the same on each: `observe` is a collective. A
 * proposal that does not learn is returned as it is.
 */
export function learnFromAllRanks(communicator: Communicator, proposal: FixedProposal): FixedProposal {
  if (proposal.observe === undefined) return proposal;
  const { kind, name, classes, options } = proposal;
  const { size } = communicator;
  const ones = new Int32Array(size).fill(1);
  const counts = new Int32Array(size);
  let all = new Int32Array(0);
  return {
    kind,
    name,
    classes,
    options,
    draw: (count, random, classesOut, offset) => {
      proposal.draw(count, random, classesOut, offset);
    },
    logProbability: (target) => proposal.logProbability(target),
    observe: (targets, count) => {
      communicator.allGather(Int32Array.of(count), ones, counts);
      const total = counts.reduce((sum, each) => sum + each, 0);
      if (all.length < total) all = new Int32Array(Math.ceil(total * 1.5));
      communicator.allGather(targets.subarray(0, count), counts, all);
      proposal.observe?.(all, total);
    },
    ...(proposal.state === undefined ? {} : { state: proposal.state.bind(proposal) }),
    ...(proposal.prepareRestore === undefined ? {} : { prepareRestore: proposal.prepareRestore.bind(proposal) }),
  };
}
