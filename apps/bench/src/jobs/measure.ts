/**
 * `bench jobs`: the jobs that people have with very many classes, each trained and measured on real data: sets
 * completed, documents labelled, word vectors compared with people's judgements, language models with one output layer
 * after the other. docs/experiments.md has what it printed.
 */
import type { BackendInUse } from '../measurement/backend-choice.ts';
import { peakResidentBytes } from '../measurement/memory-use.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import { measureMoby, type MobyResult } from './moby.ts';
import { measureGowalla, type GowallaResult } from './recommend/gowalla.ts';
import { measureSports, type SportsResult } from './recommend/sports.ts';
import { measureRecurrent, type RecurrentResult } from './recurrent.ts';
import type { JobContext } from './train-to-the-end.ts';
import { measureWords, type WordsResult } from './words.ts';
import { measureXmc, type XmcResult } from './xmc.ts';

export const jobNames = ['moby', 'xmc', 'words', 'recurrent', 'gowalla', 'sports'] as const;
export type JobName = (typeof jobNames)[number];
export type JobResult = MobyResult | XmcResult | WordsResult | RecurrentResult | GowallaResult | SportsResult;

export interface JobsReport {
  readonly bench: 'jobs';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly seed: number;
  readonly jobs: readonly JobResult[];
  /** Those of the recommenders, all jobs together. */
  readonly rows: readonly (GowallaResult | SportsResult)['rows'][number][];
  readonly peakMemoryBytes: number;
}

/** @param context.data the folder with the data of these jobs. */
export async function measureJobs(
  names: readonly JobName[],
  context: JobContext,
  inUse: BackendInUse,
): Promise<JobsReport> {
  const jobs: JobResult[] = [];
  for (const name of names) jobs.push(await measureJob(name, context, inUse));
  return {
    bench: 'jobs',
    machine: describeMachine(),
    backend: inUse,
    seed: context.seed,
    jobs,
    rows: jobs.flatMap((result) => (result.job === 'gowalla' || result.job === 'sports' ? [...result.rows] : [])),
    peakMemoryBytes: peakResidentBytes(),
  };
}

function measureJob(name: JobName, context: JobContext, inUse: BackendInUse): Promise<JobResult> {
  switch (name) {
    case 'moby':
      return measureMoby(context);
    case 'xmc':
      return measureXmc(context);
    case 'words':
      return measureWords(context);
    case 'recurrent':
      return measureRecurrent(context, inUse);
    case 'gowalla':
      return measureGowalla(context);
    case 'sports':
      return measureSports(context);
  }
}
