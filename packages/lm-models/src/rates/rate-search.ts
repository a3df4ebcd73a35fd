/**
 * A search for learning rates by short trainings on the first minibatches of a run, measured on the next ones: before
 * the run, from the same seed, and without a trace in it. The run with the rates found is the run with those rates given.
 *
 * One rate after the other, by factors of four from its default: up, else down, and on as long as the held-out examples
 * are better by more than two standard errors of the paired differences. A short training ranks rates in another way than
 * a whole run: the softmax layers then want higher rates than a run does, by factors of 4 and more (docs/experiments.md).
 * So the rate taken is the geometric mean of the default and of the best that was tried. Where the default itself
 * diverges, the best is taken as it is.
 *
 * Rejected: a grid, whose cost is the product; trials that differ in length (successive halving), which cannot be
 * compared example by example, and of which this search would have two or three; the best trial's rate as it is, which
 * on Bibtex lost more than it won.
 */
import type { CancellationSignal } from '@vastmax/sparse-data';
import type { NetworkOptions } from '../network/network-options.ts';
import type { AnyOutputChoice, AnySoftmaxChoice, FactoredChoice } from '../output-layers/output-layer-choice.ts';
import type { Network } from '../network/network.ts';
import type { BatchSource, TrainingOptions } from '../training/training-types.ts';
import { runNetworkTrial, type TrialScores } from './network-trials.ts';
import { outputOfTrial, recordTrialData, type TrialBatch } from './trial-data.ts';

/** The learning rates of the output layer and of the body. */
export interface Rates {
  readonly outputRate: number;
  readonly bodyRate: number;
}

/** The names of the two learning rates. */
export const rateNames = ['outputRate', 'bodyRate'] as const;
/** One of the two learning rates. */
export type RateName = (typeof rateNames)[number];

/** Two rates and how well the model ranked held-out examples after them; undefined where training diverged. */
export interface TriedRates extends Rates {
  /** Mean of 1/rank of the held-out examples; undefined where the trial diverged. */
  readonly meanReciprocalRank: number | undefined;
  /** Mean loss of the held-out examples, of a layer that gives probabilities. */
  readonly loss: number | undefined;
}

/** The best rates, all that were tried, and on how many examples. */
export interface RateSearchReport {
  readonly rates: Rates;
  /** In the order of the trials; the first are those to start from. */
  readonly tried: readonly TriedRates[];
  /** Examples of each trial, and those held out. */
  readonly examples: number;
  readonly heldOut: number;
}

/** What was tried so far, and how many trials there are at most. */
export interface RateSearchProgress {
  readonly tried: readonly TriedRates[];
  /** The largest number of trials. */
  readonly limit: number;
}

/** What a search reads of a network. */
export type SearchedNetwork = Pick<Network<never>, 'backend' | 'options' | 'sizes'>;

/** Each step of the search multiplies or divides a rate by this. */
const stride = 4;
/** How many strides a rate may leave its default. */
const maxStrides = 3;

interface Trial {
  readonly rates: Rates;
  readonly scores: TrialScores | undefined;
}

interface CoordinateSearchOptions {
  readonly start: Rates;
  /** Which rates are searched, in this order; the others keep their start. */
  readonly search: readonly RateName[];
  /** Largest number of trials. */
  readonly limit: number;
  /** Whether no further trial may begin. */
  readonly isOver?: () => boolean;
}

/**
 * The search itself, whatever a trial is.
 * @param run the scores of rates; undefined for those that diverge, which lose.
 */
export async function searchCoordinates(
  run: (rates: Rates, tried: readonly TriedRates[]) => Promise<TrialScores | undefined>,
  { start, search, limit, isOver = () => false }: CoordinateSearchOptions,
): Promise<{ readonly rates: Rates; readonly tried: readonly TriedRates[] }> {
  const trials: Trial[] = [];
  const describe = (): TriedRates[] => trials.map(describeTrial);
  const tryRates = async (rates: Rates): Promise<Trial | undefined> => {
    const known = trials.find(
      (each) => each.rates.outputRate === rates.outputRate && each.rates.bodyRate === rates.bodyRate,
    );
    if (known !== undefined || trials.length >= limit || (trials.length > 0 && isOver())) return known;
    const trial = { rates, scores: await run(rates, describe()) };
    trials.push(trial);
    return trial;
  };
  let rates = start;
  for (const name of search) {
    const origin = await tryRates(rates);
    if (origin === undefined || rates[name] === 0) continue;
    let best: Trial = origin;
    for (const step of [stride, 1 / stride]) {
      // Where the default diverges, higher rates do.
      if (step > 1 && origin.scores === undefined) continue;
      for (let strides = 1; strides <= maxStrides; strides++) {
        const next = await tryRates({ ...origin.rates, [name]: rounded(origin.rates[name] * step ** strides) });
        if (next === undefined || (best.scores !== undefined && !isBetter(next, best))) break;
        best = next;
      }
      // What helped in one direction needs no look into the other.
      if (best !== origin) break;
    }
    // Beside a default that trains, a trial is evidence, not proof.
    if (origin.scores === undefined) rates = best.rates;
    else if (best !== origin) rates = { ...rates, [name]: rounded(Math.sqrt(best.rates[name] * rates[name])) };
  }
  return { rates, tried: describe() };
}

/**
 * By rank, and where ranks differ by less than two standard errors by the loss. The loss alone would prefer rates that
 * leave a layer at the frequencies it starts from, which for a while are better than what it learns.
 */
function isBetter({ scores: ours }: Trial, { scores: theirs }: Trial): boolean {
  if (ours === undefined || theirs === undefined) return ours !== undefined;
  const byRank = comparePairs(ours.reciprocalRanks, theirs.reciprocalRanks);
  if (byRank !== 0 || ours.losses === undefined || theirs.losses === undefined) return byRank > 0;
  return comparePairs(theirs.losses, ours.losses) > 0;
}

/** 1 or −1 where one is higher by more than two standard errors of the mean difference, example by example; else 0. */
function comparePairs(ours: Float64Array, theirs: Float64Array): number {
  const differences = ours.map((value, example) => value - theirs[example]!);
  const mean = meanOf(differences);
  const variance = meanOf(differences.map((difference) => (difference - mean) ** 2));
  return Math.abs(mean) > 2 * Math.sqrt(variance / differences.length) ? Math.sign(mean) : 0;
}

const rounded = (rate: number): number => Number(rate.toPrecision(6));

const meanOf = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

function describeTrial({ rates, scores }: Trial): TriedRates {
  return {
    ...rates,
    meanReciprocalRank: scores === undefined ? undefined : meanOf(scores.reciprocalRanks),
    loss: scores?.losses === undefined ? undefined : meanOf(scores.losses),
  };
}

/** Which rates are searched; both unless given. */
export interface RateSearchOptions {
  /** {@link ratesToSearch} unless given. */
  readonly search?: readonly RateName[];
  /** An AbortSignal. */
  readonly signal?: CancellationSignal;
  readonly onProgress?: (progress: RateSearchProgress) => void;
}

/**
 * The rates whose scale the job determines. Not that of a Z-loss, which does not depend on it and corrects itself, nor
 * that of Adagrad and Adam, which move weights by their rate (mathematics.md §7): there a trial shows how far weights
 * get in it, and defaults are better than it.
 */
export function ratesToSearch(output: AnyOutputChoice, { optimizer }: Pick<TrainingOptions, 'optimizer'>): RateName[] {
  const { loss, rule } = output as AnyOutputChoice & Partial<Pick<FactoredChoice, 'loss'> & AnySoftmaxChoice>;
  const isOutputKnown = loss?.name === 'z-loss' || movesByItsRate(rule?.name);
  return rateNames.filter((name) => (name === 'outputRate' ? !isOutputKnown : !movesByItsRate(optimizer)));
}

const movesByItsRate = (rule: string | undefined): boolean => rule === 'adagrad' || rule === 'adam';

/** How much a search costs at most. */
export interface RateSearchCost {
  readonly trials: number;
  /** Minibatches of each trial. */
  readonly steps: number;
  readonly heldOutBatches: number;
}

/** Share of the run's minibatches that all trials together may take, and may take in a short run. */
const shareOfRun = 0.1;
const shareOfShortRun = 0.25;
const minSteps = 20;
const maxSteps = 100;
/** The one to start from, one in each direction, and two more in the direction that helps. */
const trialsOfRate = 5;
const heldOutExamples = 1024;

/**
 * A tenth of the run's minibatches, at most 100 a trial; in a short run 20 a trial, up to a quarter of it together.
 * @param batchSize examples of a minibatch.
 * @returns undefined for a run that is shorter than that: it takes its defaults.
 */
export function rateSearchCost(
  { examples }: Pick<TrainingOptions, 'examples'>,
  batchSize: number,
  search: readonly RateName[] = rateNames,
): RateSearchCost | undefined {
  const trials = trialsOfRate * search.length;
  const runSteps = examples / batchSize;
  if (search.length === 0 || trials * minSteps > shareOfShortRun * runSteps) return undefined;
  return {
    trials,
    steps: Math.min(maxSteps, Math.max(minSteps, Math.floor((shareOfRun * runSteps) / trials))),
    heldOutBatches: Math.max(1, Math.ceil(heldOutExamples / batchSize)),
  };
}

/**
 * Searches the rates of a run before it begins. The network's weights are neither read nor changed, and the minibatches
 * are left where they were: the run with the rates found is bit for bit the one with these rates given. Deterministic on
 * one backend; with `maximumSeconds` no trial begins after a tenth of them.
 *
 * Cost: {@link rateSearchCost}, in steps that do not depend on D, and for each trial a network of the rows that it
 * touches; 4 bytes for each class and input once.
 * @param network of the run, made by `createNetwork`.
 * @param batches of the run: NgramBatches, SequenceBatches, or those that give SparseBatch.
 * @param training of the run: its rates are where the search starts, and its examples bound the cost.
 * @returns undefined where the run is too short, or an epoch has too few minibatches to hold some out.
 * @throws what `signal` throws; ModelError `bad-option` for a network with a body of another kind.
 */
export async function searchRates(
  network: SearchedNetwork,
  batches: BatchSource<TrialBatch>,
  training: TrainingOptions,
  options: RateSearchOptions = {},
): Promise<RateSearchReport | undefined> {
  const { body, output } = network.options as NetworkOptions;
  const { search = ratesToSearch(output, training), signal, onProgress } = options;
  const batchSize = await sizeOfFirst(batches);
  const cost = rateSearchCost(training, batchSize, search);
  if (cost === undefined) return undefined;
  const data = await recordTrialData(batches, network.sizes, { training: cost.steps, heldOut: cost.heldOutBatches });
  if (data === undefined) return undefined;
  const examples = cost.steps * batchSize;
  const end = performance.now() + 1000 * shareOfRun * (training.maximumSeconds ?? Infinity);
  const { rates, tried } = await searchCoordinates(
    async (each, triedBefore) => {
      signal?.throwIfAborted();
      onProgress?.({ tried: triedBefore, limit: cost.trials });
      return await runNetworkTrial(network.backend, each, {
        network: { body, output: outputOfTrial(output, data.classes) },
        training,
        data,
        examples,
        ...(signal === undefined ? {} : { signal }),
      });
    },
    {
      start: { outputRate: training.outputRate, bodyRate: training.bodyRate },
      search,
      limit: cost.trials,
      isOver: () => performance.now() > end,
    },
  );
  return { rates, tried, examples, heldOut: data.heldOut.reduce((sum, { size }) => sum + size, 0) };
}

async function sizeOfFirst(batches: BatchSource<TrialBatch>): Promise<number> {
  const cursor = batches.cursor();
  const { size } = await batches.next();
  batches.seek(cursor);
  return Math.max(1, size);
}
