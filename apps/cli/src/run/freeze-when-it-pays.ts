/** For commands that answer the questions of a file, whose number is not known before. */
import type { Network } from '@vastmax/lm-models';

/**
 * Freezing takes as long as the scans of about so many questions, or less: after them it is paid for at most twice, and
 * each further batch is faster, by how much the lengths of the class vectors differ (packages/top-k, README).
 */
const questionsBefore = 256;

/** Between two batches. @param answered how many questions were answered so far. */
export async function freezeWhenItPays(
  network: Pick<Network<never>, 'output' | 'freeze'>,
  answered: number,
): Promise<void> {
  const { output } = network;
  const canBeFrozen = output.hasLinearScores === true && output.bestClasses === undefined;
  if (answered >= questionsBefore && canBeFrozen) await network.freeze();
}
