import { cellNames } from '@vastmax/lm-models';
import { type Command, Option } from 'commander';
import { type BackendChoice, backendChoices, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { defaultThreads, positive, threadCount, wholeNumber, wholeNumbers } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { layerSettingNames, parseLayerSettingsList } from '../workload/layer-settings.ts';
import { type QualityFiles, readQualityCorpus } from './corpus.ts';
import { measureQuality, type QualityOptions } from './measure.ts';
import type { SequenceModelName } from './model.ts';
import { qualityTables } from './report.ts';
import { readLog } from './run-log.ts';
import { qualityReport } from './summarize-runs.ts';

interface Options extends Omit<QualityOptions, 'sequences' | 'hidden'>, QualityFiles {
  readonly model: 'ngram' | SequenceModelName;
  readonly steps?: number;
  readonly recurrentRate?: number;
  readonly hidden?: readonly number[];
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
        .argParser(parseLayerSettingsList)
        .default(parseLayerSettingsList(layerSettingNames.join(',')), 'all'),
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
      new Option('--model <name>', 'a network over the last words, a recurrent one, or a transformer')
        .choices(['ngram', ...cellNames, 'transformer'])
        .default('ngram'),
    )
    .option('--order <n>', 'previous words that ngram sees', wholeNumber(1), 5)
    .option(
      '--steps <n>',
      'lstm, gru: words after which back-propagation is cut off (default: 20); transformer: words seen at once (default: 64)',
      wholeNumber(1),
    )
    .option('--recurrent-rate <r>', "Adam's learning rate (default: lstm, gru: 0.003; transformer: 0.002)", positive)
    .option('--embedding <n>', 'width of a word embedding', wholeNumber(1), 100)
    .option(
      '--hidden <list>',
      'widths of the hidden layers (default: 128; transformer: one, 4 times the embedding)',
      (text: string) => text.split(',').map(wholeNumber(1)),
    )
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 256)
    .option('--log <file>', 'append each finished run, and skip those that it has with equal settings')
    .option('--table <file...>', 'train nothing: print what these logs have')
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, defaultThreads())
    .addHelpText(
      'after',
      `
Layers: ${layerSettingNames.join(', ')}.
Each can be given options of its own after colons, hybrid:headSize=500 or
z-loss:a=0.05:b=40:bodyRate=5; z-loss-b40 is short for the latter.

Plain SGD on the mean loss, for the bodies of other models Adam; both rates
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
        const sequences = sequencesOf(model, steps, recurrentRate);
        const hidden = rest.hidden ?? (model === 'transformer' ? [4 * rest.embedding] : [128]);
        const options = { ...rest, hidden, ...(sequences === undefined ? {} : { sequences }) };
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

function sequencesOf(
  model: Options['model'],
  steps: number | undefined,
  rate: number | undefined,
): QualityOptions['sequences'] {
  if (model === 'ngram') return undefined;
  const isTransformer = model === 'transformer';
  return { model, steps: steps ?? (isTransformer ? 64 : 20), bodyRate: rate ?? (isTransformer ? 0.002 : 0.003) };
}
