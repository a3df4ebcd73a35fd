import { type Command, Option } from 'commander';
import { type BackendChoice, backendChoices, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { threadCount, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { parseLayerSettings } from '../workload/layer-settings.ts';
import { type DataOptions, measureData } from './measure.ts';
import { dataTables } from './report.ts';

interface Options extends DataOptions {
  readonly json: boolean;
  readonly backend: BackendChoice;
  readonly threads: number;
}

export function addDataCommand(program: Command): void {
  program
    .command('data')
    .description(
      'measure the path from a text file to trained weights, and the share of time that the trainer waits for data',
    )
    .requiredOption('--data <file>', 'a text, plain, .gz or .br, of words between white space')
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(
      new Option('--layer <name>', 'output layer, as in bench quality')
        .argParser(parseLayerSettings)
        .default(parseLayerSettings('z-loss'), 'z-loss'),
    )
    .option('--order <n>', 'previous words that the model sees', wholeNumber(1), 5)
    .option('--embedding <n>', 'width of a word embedding', wholeNumber(1), 100)
    .option(
      '--hidden <list>',
      'widths of the hidden layers',
      (text: string) => text.split(',').map(wholeNumber(1)),
      [128],
    )
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 256)
    .option('--tokens <count>', 'train on so many in each turn (default: all of the text)', wholeNumber(1))
    .option('--turns <count>', 'how often each way is measured', wholeNumber(1), 3)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend; the worker wants a core of its own', threadCount, 1)
    .addHelpText(
      'after',
      `
memory   the file is read twice, its encoded text stays in memory (4 bytes a
         token) and the training thread draws minibatches from it: vastmax train
stream   the training thread reads, tokenises and numbers the file as it trains
worker   a worker does that, up to 32 minibatches ahead

Waiting is the time between asking for a minibatch and having it, computing
included. The ways take turns.

Example:
  $ pnpm --silent bench data --data gcide/train.txt --tokens 500000`,
    )
    .action(async ({ json, backend: choice, threads, ...options }: Options) => {
      const { show, end } = stageProgress('data');
      const { backend, inUse } = await createBackend(await resolveBackend(choice), threads);
      const report = await measureData(backend, inUse, options, show);
      await backend.dispose();
      end();
      printReport(report, json, dataTables);
    });
}
