import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type BackendChoice, backendChoices, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { BenchError } from '../measurement/bench-error.ts';
import { defaultThreads, positive, threadCount, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { jobNames, measureJobs, type JobName, type JobsReport } from './measure.ts';
import { jobsTables } from './report.ts';

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
           for it, compared with the most frequent words and the nearest
           sets (at most 7 minutes of training)
xmc        Bibtex and Delicious with five output layers; each one's rate is
           found on a part of the training points (at most 2 minutes each of
           40 trainings, usually 10 seconds)
words      CBOW and skip-gram on the State of the Union addresses and
           WikiText-2: Spearman's correlation on MEN and WordSim-353, compared
           with the random initial vectors (at most 2 minutes each of 4)
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
      const names = job === 'all' ? jobNames : [job];
      const report = await measureJobs(names, { backend, data, seed, seconds, show }, inUse);
      await backend.dispose();
      end();
      printReport(report, json, jobsTables);
    });
}
