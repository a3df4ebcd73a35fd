import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type BackendChoice, backendChoices, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { BenchError } from '../measurement/bench-error.ts';
import { defaultThreads, positive, threadCount, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { labelledLinesDefaults } from './labels/labelled-lines.ts';
import { labelLayerNames, measureLabels, type LabelLayerName, type LabelsReport } from './labels/measure.ts';
import { labelsTables } from './labels/report.ts';
import { jobNames, measureJobs, type JobName, type JobsReport } from './measure.ts';
import { jobsTables } from './report.ts';

interface Options {
  readonly job: JobName | 'labels' | 'all';
  readonly data?: string;
  readonly seed: number;
  readonly seconds?: number;
  readonly json: boolean;
  readonly table?: string;
  readonly backend: BackendChoice;
  readonly threads: number;
  readonly layers: readonly LabelLayerName[];
  readonly labels: number;
  readonly lines: number;
  readonly batch: number;
  readonly turns: number;
  readonly models?: string;
  readonly validation: boolean;
}

export function addJobsCommand(program: Command): void {
  program
    .command('jobs')
    .description(
      'train and measure the jobs with very many classes on real data: sets, labels, word vectors, language models, recommendations',
    )
    .addOption(new Option('--job <name>', 'which').choices([...jobNames, 'labels', 'all']).default('all'))
    .option(
      '--data <folder>',
      'with the folders moby, xmc, word-similarity, wikitext-2 and recommend; their files plain, .br or .gz',
    )
    .option('--json', 'print one JSON object instead of tables', false)
    .option('--seed <n>', 'of splits, starts and orders', wholeNumber(0), 1)
    .option('--seconds <n>', 'of each training at most; for recurrent, of each training at equal time', positive)
    .option('--table <file>', 'train nothing: print what --json has written to this file')
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, defaultThreads())
    .option('--layers <name,...>', 'of labels', layerNames, labelLayerNames)
    .option('--labels <n>', 'of labels', wholeNumber(2), labelledLinesDefaults.labels)
    .option('--lines <n>', 'of labels: training lines, at least as many', wholeNumber(2), labelledLinesDefaults.lines)
    .option('--batch <n>', 'of labels: examples of a minibatch', wholeNumber(1), 256)
    .option('--turns <n>', 'of labels: trainings of each layer, one layer after the other', wholeNumber(1), 1)
    .option('--models <text,...>', 'of gowalla and sports: only those with such a text in their name or loss')
    .option('--validation', 'of gowalla and sports: rank the items kept for tuning, train without them', false)
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
labels     lines of words and one of 200,000 labels, made from the seed: one epoch
           by each output layer with its defaults, and by fastText where it is
           installed; needs no data and does not belong to all (3 minutes)
recurrent  an n-gram and an LSTM model of WikiText-2 with five output layers,
           at equal examples and at equal time (25 minutes)
gowalla    Recall and nDCG at 20 of alternating least squares and of autoencoders
           with six losses on the published split, beside popularity and
           item-kNN (30 minutes)
sports     the next item by bags of the last items and by GRU sessions with five
           losses, leave one out, beside popularity and transitions (15 minutes)

Examples:
  $ pnpm --silent bench jobs --job words --data data
  $ pnpm --silent bench jobs --job labels --layers fasttext-hs,huffman --turns 3
  $ pnpm --silent bench jobs --job recurrent --data data --seconds 30 --json`,
    )
    .action(async (options: Options) => {
      const { job, data, seed, seconds, json, table, backend: choice, threads } = options;
      if (table !== undefined) {
        const report = JSON.parse(readFileSync(table, 'utf8')) as JobsReport | LabelsReport;
        if ('job' in report) printReport(report, json, labelsTables);
        else printReport(report, json, jobsTables);
        return;
      }
      if (job === 'labels') {
        printReport(await labelsReport(options), json, labelsTables);
        return;
      }
      if (data === undefined) throw new BenchError('bad-option', 'no data was given; use --data with a folder');
      const { show, end } = stageProgress('jobs');
      const { backend, inUse } = await createBackend(await resolveBackend(choice), threads);
      const names = job === 'all' ? jobNames : [job];
      const texts = options.models?.split(',');
      const wants = (model: string, loss: string): boolean =>
        texts?.some((text) => `${model} ${loss}`.includes(text)) ?? true;
      const report = await measureJobs(
        names,
        { backend, data, seed, seconds, show, wants, validation: options.validation },
        inUse,
      );
      await backend.dispose();
      end();
      printReport(report, json, jobsTables);
    });
}

async function labelsReport(options: Options): Promise<LabelsReport> {
  const { seed, backend: choice, threads, layers, labels, lines, batch, turns } = options;
  if (lines < labels)
    throw new BenchError('bad-option', `--lines ${lines} is less than --labels ${labels}; each label has a line`);
  const { show, end } = stageProgress('jobs');
  const backend = await resolveBackend(choice);
  const settings = { layers, turns, embedding: 128, epochs: 1, batch, backend, threads, seed };
  const report = await measureLabels({ ...settings, lines: { ...labelledLinesDefaults, labels, lines } }, show);
  end();
  return report;
}

function layerNames(text: string): readonly LabelLayerName[] {
  return text.split(',').map((name) => {
    const found = labelLayerNames.find((known) => known === name);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`expected some of ${labelLayerNames.join(', ')}, got '${name}'.`);
  });
}
