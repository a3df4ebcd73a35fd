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
 * Options that only one process supports: draws for each example, which depend on the examples' numbers or the class
 * vectors, and logits that are cosines.
 */
type OfOneProcess = 'sharing' | 'temperature' | 'proposal';

interface GlobalSampling {
  /**
   * The same proposal on every rank, each with its own object. Unless given, one that learns the targets' frequencies
   * by counts over all ranks. O(D) memory on each rank.
   */
  readonly proposal?: FixedProposal;
}

/** Options of `createSampledSoftmaxLayer`, which is the same layer in one process; the same on every rank. */
export interface ShardedSampledSoftmaxOptions extends Omit<SampledSoftmaxOptions, OfOneProcess>, GlobalSampling {}

/** Options of `createNoiseContrastiveLayer`; the same on every rank. */
export interface ShardedNoiseContrastiveOptions extends Omit<NoiseContrastiveOptions, OfOneProcess>, GlobalSampling {}

/** Options of `createNegativeSamplingLayer`; the same on every rank. */
export interface ShardedNegativeSamplingOptions extends Omit<NegativeSamplingOptions, OfOneProcess>, GlobalSampling {}

export type AnyShardedSampledOptions = SoftmaxLayerOptions & Omit<SamplingOptions, OfOneProcess> & GlobalSampling;

/**
 * How all ranks draw samples.
 * @throws OutputLayerError `bad-option` for options that only one process supports, which JavaScript callers can pass.
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
