/**
 * `bench quality`: the same n-gram model with each output layer, trained on the same number of examples and for the
 * same time, and what its ranks on held-out words come to, overall and by how frequent the word is. Rates are those
 * that `bench quality-rates` found.
 */
import type { Backend } from '@vastmax/linalg-core';
import { cellNames, type CellName } from '@vastmax/lm-models';
import { Option, type Command } from 'commander';
import {
  backendChoices,
  createBackend,
  resolveBackend,
  type BackendChoice,
  type BackendInUse,
} from './measurement/backend-choice.ts';
import { printReport } from './report/bench-output.ts';
import { positive, threadCount, wholeNumber, wholeNumbers } from './report/option-values.ts';
import { stageProgress, type ShowStage } from './report/stage-progress.ts';
import { contestantNames, contestantsOf, type Contestant } from './quality-contestants.ts';
import { readQualityCorpus, type QualityCorpus, type QualityFiles } from './quality-corpus.ts';
import { readLog, type LoggedRun } from './quality-log.ts';
import { qualityReport, type QualityReport } from './quality-report.ts';
import { defaultThreads, RunSeries } from './quality-series.ts';
import { qualityTables } from './quality-tables.ts';
import type { BodySizes } from './quality-model.ts';

export interface QualityOptions extends BodySizes {
  readonly layers: readonly Contestant[];
  readonly seeds: readonly number[];
  /** Of the runs of equal time; without it there are none. */
  readonly budgetSeconds: number | undefined;
  /** Of the runs of equal examples; an epoch unless given. */
  readonly examples: number | undefined;
  /** 0 for none of these runs. */
  readonly maxSecondsPerRun: number | undefined;
  readonly batch: number;
  readonly evaluate: number;
  readonly log: string | undefined;
}

interface Options extends Omit<QualityOptions, 'recurrent'>, QualityFiles {
  readonly model: 'ngram' | CellName;
  readonly steps: number;
  readonly recurrentRate: number;
  readonly json: boolean;
  readonly table?: readonly string[];
  readonly backend: BackendChoice;
  readonly threads: number;
}

export function addQualityCommand(program: Command): void {
  program
    .command('quality')
    .description(
      'train the same language model with each output layer, at equal examples and at equal time, and rank held-out words',
    )
    .option('--json', 'print one JSON object instead of tables', false)
    .option(
      '--data <folder>',
      'with wiki.train.tokens and wiki.valid.tokens, or train.txt and valid.txt, plain, .gz or .br',
    )
    .option('--train <file>', 'the training text instead, words between white space')
    .option('--valid <file>', 'the held-out text instead')
    .addOption(
      new Option('--layers <list>', 'what is trained, with commas between')
        .argParser(contestantsOf)
        .default(contestantsOf(contestantNames.join(',')), 'all'),
    )
    .option('--budget-seconds <n>', 'time of the runs at equal time; without it there are none', positive)
    .option('--examples <count>', 'of the runs at equal examples (default: those of one epoch)', wholeNumber(1))
    .option(
      '--max-seconds-per-run <n>',
      'cut a run at equal examples that takes longer; its schedule then ends there',
      positive,
    )
    .option('--seeds <list>', 'a run for each, of the start and of the order of examples', wholeNumbers(0), [1])
    .option(
      '--evaluate <count>',
      'held-out words ranked after each run, a sample that is always the same; 0 for all',
      wholeNumber(0),
      20_000,
    )
    .addOption(
      new Option('--model <name>', 'a network over the last words, or a recurrent one')
        .choices(['ngram', ...cellNames])
        .default('ngram'),
    )
    .option('--order <n>', 'previous words that ngram sees', wholeNumber(1), 5)
    .option('--steps <n>', 'lstm, gru: words after which back-propagation is cut off', wholeNumber(1), 20)
    .option('--recurrent-rate <r>', "lstm, gru: Adam's learning rate", positive, 0.003)
    .option('--embedding <n>', 'width of a word embedding', wholeNumber(1), 100)
    .option(
      '--hidden <list>',
      'widths of the hidden layers',
      (text: string) => text.split(',').map(wholeNumber(1)),
      [128],
    )
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 256)
    .option('--log <file>', 'append each finished run, and skip those that it has with equal settings')
    .option('--table <file...>', 'train nothing: print what these logs have')
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, defaultThreads())
    .addHelpText(
      'after',
      `
Layers: ${contestantNames.join(', ')}.
Each can be given options of its own after colons, hybrid:headSize=500 or
z-loss:a=0.05:b=40:bodyRate=5; z-loss-b40 is short for the latter.

Plain SGD on the mean loss, for the recurrent models' bodies Adam; both rates
decayed linearly to 5 %. Ranks are exact over all classes. At equal time the
schedule runs by time and epochs repeat; ranking the held-out words counts
apart. A log is only as good as the code that wrote it: after a change of a
layer begin a new one.

Examples:
  $ pnpm --silent bench quality --data wikitext-2 --budget-seconds 60 \\
      --layers full,sampled,hybrid --seeds 1,2 --log quality.jsonl --json
  $ pnpm --silent bench quality --table quality.jsonl`,
    )
    .action(
      async ({
        json,
        table,
        backend: choice,
        threads,
        data,
        train,
        valid,
        model,
        steps,
        recurrentRate,
        ...rest
      }: Options) => {
        const options =
          model === 'ngram' ? rest : { ...rest, recurrent: { cell: model, steps, bodyRate: recurrentRate } };
        if (table !== undefined) {
          const runs = (await Promise.all(table.map(readLog)))
            .flat()
            .filter(({ settings }) => settings.setting !== 'tuning');
          printReport(qualityReport(runs), json, qualityTables);
          return;
        }
        const { show, end } = stageProgress('quality');
        show('reading the text');
        const corpus = await readQualityCorpus({
          ...(data === undefined ? {} : { data }),
          ...(train === undefined ? {} : { train }),
          ...(valid === undefined ? {} : { valid }),
        });
        const { backend, inUse } = await createBackend(await resolveBackend(choice), threads);
        const report = await measureQuality(backend, inUse, corpus, options, show);
        await backend.dispose();
        end();
        printReport(report, json, qualityTables);
      },
    );
}

export async function measureQuality(
  backend: Backend,
  inUse: BackendInUse,
  corpus: QualityCorpus,
  options: QualityOptions,
  show: ShowStage,
): Promise<QualityReport> {
  const {
    layers,
    seeds,
    budgetSeconds,
    maxSecondsPerRun = null,
    batch,
    evaluate,
    log,
    order,
    embedding,
    hidden,
    recurrent,
  } = options;
  const { examples = corpus.training.last - corpus.training.first } = options;
  const series = await RunSeries.open({ backend, inUse, corpus, log, show });
  const common = { batch, evaluate, order, embedding, hidden, ...(recurrent === undefined ? {} : { recurrent }) };
  const runs: LoggedRun[] = [];
  for (const seed of seeds) {
    for (const contestant of layers) {
      runs.push(
        await series.run(contestant, {
          ...common,
          setting: 'equal-examples',
          seed,
          examples,
          maximumSeconds: maxSecondsPerRun,
        }),
      );
      if (budgetSeconds === undefined) continue;
      runs.push(
        await series.run(contestant, {
          ...common,
          setting: 'equal-time',
          seed,
          examples: null,
          maximumSeconds: budgetSeconds,
        }),
      );
    }
  }
  return qualityReport(runs);
}
