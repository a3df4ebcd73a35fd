/** `--rates auto`: the rates that are not given are searched before a new run, printed, and kept in its checkpoint. */
import type { Communicator } from '@vastmax/collectives';
import type { JsonObject } from '@vastmax/linalg-core/state';
import type { BatchSource, TrainingOptions } from '@vastmax/lm-models';
import {
  rateNames,
  ratesToSearch,
  rateSearchCost,
  searchRates,
  type RateName,
  type RateSearchReport,
  type SearchedNetwork,
  type TrialBatch,
} from '@vastmax/lm-models/rates';
import type { TrainOptions } from '../options/training-options.ts';
import { count, Progress, table } from '../terminal/terminal.ts';
import type { RunState } from './run-folder.ts';

interface RatesOfRun {
  readonly training: TrainingOptions;
  /** What was tried, for the checkpoint's configuration; empty where nothing was. */
  readonly configuration: JsonObject;
}

interface SearchedRun {
  readonly network: SearchedNetwork;
  readonly batches: BatchSource<TrialBatch>;
  /** Examples of a minibatch. */
  readonly batchSize: number;
  /** With the default rates where none are given. */
  readonly training: TrainingOptions;
  /** The rates that move anything; both unless given. */
  readonly only?: readonly RateName[];
  readonly communicator?: Communicator | undefined;
  readonly signal: AbortSignal;
}

/** The rates of a new run. */
export async function ratesOfRun(
  options: TrainOptions,
  { network, batches, batchSize, training, only = rateNames, communicator, signal }: SearchedRun,
): Promise<RatesOfRun> {
  const open = options.rates === 'default' ? [] : ratesToSearch(network.options.output, training);
  const search = open.filter((name) => options[name] === undefined && only.includes(name));
  if (search.length === 0) return { training, configuration: {} };
  if (communicator !== undefined && communicator.size > 1) {
    process.stdout.write('rates        the defaults: --rates auto searches in one process only\n');
    return { training, configuration: {} };
  }
  const cost = rateSearchCost(training, batchSize, search);
  if (cost === undefined) return { training, configuration: {} };
  if (options.dryRun === true) {
    const names = search.map((name) => flags[name]).join(' and ');
    process.stdout.write(
      `rates        ${names} to be searched: at most ${cost.trials} trainings of ${cost.steps} minibatches\n`,
    );
    return { training, configuration: {} };
  }
  const found = await searchWithProgress(search, { network, batches, training, signal });
  if (found === undefined) return { training, configuration: {} };
  process.stdout.write(describeSearch(found));
  return { training: { ...training, ...found.rates }, configuration: { rateSearch: toJson(found) } };
}

async function searchWithProgress(
  search: readonly RateName[],
  { network, batches, training, signal }: Pick<SearchedRun, 'network' | 'batches' | 'training' | 'signal'>,
): Promise<RateSearchReport | undefined> {
  using progress = new Progress('trying rates');
  try {
    return await searchRates(network, batches, training, {
      search,
      signal,
      onProgress: ({ tried, limit }) => {
        progress.update(tried.length / limit, [`${tried.length} tried`]);
      },
    });
  } catch (error) {
    if (signal.aborted)
      process.stdout.write('interrupted while rates were tried: nothing was trained and nothing is saved\n');
    throw error;
  }
}

/** A resumed run has its rates, and its checkpoint keeps how they were found. */
export function resumedRates({ configuration }: RunState, training: TrainingOptions): RatesOfRun {
  const { rateSearch } = configuration;
  return { training, configuration: rateSearch === undefined ? {} : { rateSearch } };
}

const flags: Readonly<Record<RateName, string>> = { outputRate: '--output-rate', bodyRate: '--body-rate' };

function describeSearch({ rates, tried, examples, heldOut }: RateSearchReport): string {
  const number = (value: number | undefined, digits: number): string =>
    value === undefined ? 'diverged' : value.toFixed(digits);
  const hasLoss = tried.some(({ loss }) => loss !== undefined);
  const rows = tried.map(({ outputRate, bodyRate, meanReciprocalRank, loss }) => [
    '',
    String(outputRate),
    String(bodyRate),
    number(meanReciprocalRank, 3),
    ...(hasLoss ? [number(loss, 3)] : []),
  ]);
  const lines = table([['tried', 'output', 'body', 'MRR', ...(hasLoss ? ['loss'] : [])], ...rows]);
  return `${lines}\nrates        output ${rates.outputRate}, body ${rates.bodyRate}, after ${tried.length} trainings of ${count(examples)} examples; MRR of ${count(heldOut)} held-out ones\n`;
}

/** JSON has no undefined. */
function toJson(found: RateSearchReport): JsonObject {
  return JSON.parse(JSON.stringify(found)) as JsonObject;
}
