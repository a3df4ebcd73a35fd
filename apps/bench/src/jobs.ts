/**
 * `bench jobs`: the jobs that people have with very many classes, each trained and measured on real data: sets
 * completed, documents labelled, word vectors compared with people's judgements, language models with one output layer
 * after the other. docs/experiments.md has what it printed.
 */
import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import {
  backendChoices,
  createBackend,
  resolveBackend,
  type BackendChoice,
  type BackendInUse,
} from './measurement/backend-choice.ts';
import { BenchError } from './measurement/bench-error.ts';
import { peakResidentBytes } from './measurement/memory-use.ts';
import { printReport } from './report/bench-output.ts';
import { describeMachine, type Machine } from './report/machine.ts';
import { positive, threadCount, wholeNumber } from './report/option-values.ts';
import { stageProgress } from './report/stage-progress.ts';
import { jobsTables } from './jobs/jobs-tables.ts';
import type { JobContext } from './jobs/job.ts';
import { measureMoby, type MobyResult } from './jobs/moby.ts';
import { measureRecurrent, type RecurrentResult } from './jobs/recurrent.ts';
import { measureWords, type WordsResult } from './jobs/words.ts';
import { measureXmc, type XmcResult } from './jobs/xmc.ts';
import { defaultThreads } from './quality-series.ts';

const jobNames = ['moby', 'xmc', 'words', 'recurrent'] as const;
type JobName = (typeof jobNames)[number];
export type JobResult = MobyResult | XmcResult | WordsResult | RecurrentResult;

export interface JobsReport {
  readonly bench: 'jobs';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly seed: number;
  readonly jobs: readonly JobResult[];
  readonly peakMemoryBytes: number;
}

interface Options {
  readonly job: JobName | 'all';
  readonly data?: string;
  readonly seed: number;
  readonly seconds?: number;
  readonly json: boolean;
  readonly table?: string;
  readonly backend: BackendChoice;
  readonly threads: number;
}

export function addJobsCommand(program: Command): void {
  program
    .command('jobs')
    .description(
      'train and measure the jobs with very many classes on real data: sets, labels, word vectors, language models',
    )
    .addOption(new Option('--job <name>', 'which').choices([...jobNames, 'all']).default('all'))
    .option(
      '--data <folder>',
      'with the folders moby, xmc, word-similarity and wikitext-2; their files plain, .br or .gz',
    )
    .option('--json', 'print one JSON object instead of tables', false)
    .option('--seed <n>', 'of splits, starts and orders', wholeNumber(0), 1)
    .option('--seconds <n>', 'of each training at most; for recurrent, of each training at equal time', positive)
    .option('--table <file>', 'train nothing: print what --json has written to this file')
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, defaultThreads())
    .addHelpText(
      'after',
      `
moby       a fifth of each set of synonyms is hidden; an autoencoder is asked
           for it, beside the most frequent words and the nearest sets
           (at most 7 minutes of training)
xmc        Bibtex and Delicious with five output layers; each one's rate is
           found on a part of the training points (at most 2 minutes each of
           40 trainings, usually 10 seconds)
words      CBOW and skip-gram on the State of the Union addresses and
           WikiText-2: Spearman's correlation on MEN and WordSim-353, beside
           the vectors as they were drawn (at most 2 minutes each of 4)
recurrent  an n-gram and an LSTM model of WikiText-2 with five output layers,
           at equal examples and at equal time (25 minutes)

Examples:
  $ pnpm --silent bench jobs --job words --data data
  $ pnpm --silent bench jobs --job recurrent --data data --seconds 30 --json`,
    )
    .action(async ({ job, data, seed, seconds, json, table, backend: choice, threads }: Options) => {
      if (table !== undefined) {
        printReport(JSON.parse(readFileSync(table, 'utf8')) as JobsReport, json, jobsTables);
        return;
      }
      if (data === undefined) throw new BenchError('bad-option', 'no data was given; use --data with a folder');
      const { show, end } = stageProgress('jobs');
      const { backend, inUse } = await createBackend(await resolveBackend(choice), threads);
      const jobs: JobResult[] = [];
      for (const name of job === 'all' ? jobNames : [job])
        jobs.push(await measureJob(name, { backend, data, seed, seconds, show }, inUse));
      await backend.dispose();
      end();
      const report: JobsReport = {
        bench: 'jobs',
        machine: describeMachine(),
        backend: inUse,
        seed,
        jobs,
        peakMemoryBytes: peakResidentBytes(),
      };
      printReport(report, json, jobsTables);
    });
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
  }
}
