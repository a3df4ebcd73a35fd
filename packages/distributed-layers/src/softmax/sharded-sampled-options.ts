import { OutputLayerError } from '@vastmax/output-layer';
import type {
  FixedProposal,
  NegativeSamplingOptions,
  NoiseContrastiveOptions,
  SampledSoftmaxOptions,
  SamplingOptions,
  SoftmaxLayerOptions,
} from '@vastmax/softmax-losses';
import { samplingPlan, type SamplingPlan } from '@vastmax/softmax-losses/layer-parts';
import type { Communicator } from '@vastmax/collectives';
import { learnFromAllRanks } from './global-proposal.ts';

/**
 * What only one process has: draws for each example, which follow the examples' numbers or the class vectors, and
 * logits that are cosines.
 */
type OfOneProcess = 'sharing' | 'temperature' | 'proposal';

interface GlobalSampling {
  /**
   * The same on every rank, each its own object; one that learns the targets' frequencies by counts, those of all
   * ranks, unless given. O(D) memory of each.
   */
  readonly proposal?: FixedProposal;
}

/** Those of `createSampledSoftmaxLayer`, of which it is the same layer; the same on every rank. */
export interface ShardedSampledSoftmaxOptions extends Omit<SampledSoftmaxOptions, OfOneProcess>, GlobalSampling {}

/** Those of `createNoiseContrastiveLayer`; the same on every rank. */
export interface ShardedNoiseContrastiveOptions extends Omit<NoiseContrastiveOptions, OfOneProcess>, GlobalSampling {}

/** Those of `createNegativeSamplingLayer`; the same on every rank. */
export interface ShardedNegativeSamplingOptions extends Omit<NegativeSamplingOptions, OfOneProcess>, GlobalSampling {}

export type AnyShardedSampledOptions = SoftmaxLayerOptions & Omit<SamplingOptions, OfOneProcess> & GlobalSampling;

/**
 * How all ranks draw.
 * @throws OutputLayerError `bad-option` for what JavaScript may ask for and only one process has.
 */
export function globalSampling(
  communicator: Communicator,
  kind: string,
  options: AnyShardedSampledOptions,
): SamplingPlan & { readonly proposal: FixedProposal } {
  const plan = samplingPlan(options);
  const { proposal, sharing, temperature } = plan;
  const fail = (problem: string): never => {
    throw new OutputLayerError('bad-option', `${kind} over ranks: ${problem}`);
  };
  if (proposal.kind === 'query')
    return fail(
      `the ${proposal.name} proposal draws by the class vectors of one process; give a fixed one: uniform, log-uniform, unigram or learned-unigram`,
    );
  if (sharing === 'example')
    fail("samples are shared by the minibatch of all ranks; leave sharing out, or give 'minibatch'");
  if (temperature !== undefined) fail('logits of a temperature are not to be had; leave it out');
  return { ...plan, proposal: learnFromAllRanks(communicator, proposal) };
}
