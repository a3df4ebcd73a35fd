import { type Command, InvalidArgumentError, Option } from 'commander';
import { type BackendChoice, backendChoices, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { readTuningCorpus } from '../quality/corpus.ts';
import { defaultThreads, positive, threadCount, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { type LayerSettings, parseLayerSettingsList } from '../workload/layer-settings.ts';
import { measureRates, type RatesOptions, type RateTry } from './measure.ts';
import { ratesTables } from './report.ts';

interface Options extends Omit<RatesOptions, 'layers'> {
  readonly json: boolean;
  readonly data?: string;
  readonly train?: string;
  readonly layers: readonly LayerSettings[];
  readonly heldOut: number;
  readonly backend: BackendChoice;
  readonly threads: number;
}

/** The default and its neighbours: a cross about it. */
const cross: readonly RateTry[] = [
  { output: 1, body: 1 },
  { output: 0.5, body: 1 },
  { output: 2, body: 1 },
  { output: 1, body: 0.5 },
  { output: 1, body: 2 },
];

export function addQualityRatesCommand(program: Command): void {
  program
    .command('quality-rates')
    .description('try a few learning rates for each output layer on a fraction of the training text')
    .option('--json', 'print one JSON object instead of a table', false)
    .option('--data <folder>', 'with wiki.train.tokens or train.txt, plain, .gz or .br')
    .option('--train <file>', 'a training text instead')
    .addOption(
      new Option('--layers <list>', 'as in bench quality')
        .argParser(parseLayerSettingsList)
        .default(parseLayerSettingsList('sampled,adaptive,hybrid'), 'sampled,adaptive,hybrid'),
    )
    .addOption(
      new Option('--tries <list>', 'factors on the default rates, output x body')
        .argParser(triesOf)
        .default(cross, '1x1,0.5x1,2x1,1x0.5,1x2'),
    )
    .option('--examples <count>', 'train on so many', wholeNumber(1), 200_000)
    .option('--held-out <count>', 'words at the end of the training text that are ranked', wholeNumber(1), 10_000)
    .option('--order <n>', 'previous words that the model sees', wholeNumber(1), 5)
    .option('--embedding <n>', 'width of a word embedding', wholeNumber(1), 100)
    .option(
      '--hidden <list>',
      'widths of the hidden layers',
      (text: string) => text.split(',').map(wholeNumber(1)),
      [128],
    )
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 256)
    .option('--seed <n>', 'of the start and of the order of examples', wholeNumber(0), 1)
    .option('--max-seconds-per-run <n>', 'cut a training that takes longer; its schedule then ends there', positive)
    .option('--log <file>', 'append each finished run, and skip those that it has')
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, defaultThreads())
    .addHelpText(
      'after',
      `
The best of a layer's tries has the highest mean reciprocal rank, or the lowest
perplexity of those that are not a standard error below it.

Example:
  $ pnpm --silent bench quality-rates --data wikitext-2 --layers sampled,nce \\
      --tries 1x1,2x1,4x1 --examples 400000`,
    )
    .action(async ({ json, heldOut, backend: choice, threads, data, train, ...options }: Options) => {
      const { show, end } = stageProgress('quality-rates');
      show('reading the text');
      const corpus = await readTuningCorpus(
        { ...(data === undefined ? {} : { data }), ...(train === undefined ? {} : { train }) },
        heldOut,
      );
      const { backend, inUse } = await createBackend(await resolveBackend(choice), threads);
      const report = await measureRates(backend, inUse, corpus, options, show);
      await backend.dispose();
      end();
      printReport(report, json, ratesTables);
    });
}

/** `1x1,2x0.5`: with commas between, an output and a body factor each. */
export function triesOf(text: string): readonly RateTry[] {
  return text.split(',').map((part) => {
    const factors = part.split('x').map((factor) => (factor.trim() === '' ? Number.NaN : Number(factor)));
    const [output = Number.NaN, body = Number.NaN] = factors;
    if (factors.length === 2 && factors.every((factor) => Number.isFinite(factor) && factor > 0))
      return { output, body };
    throw new InvalidArgumentError(`expected pairs of factors above 0 such as 1x1,2x0.5, got '${part}'.`);
  });
}
