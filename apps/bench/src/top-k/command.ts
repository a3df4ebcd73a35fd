import { type Command, Option } from 'commander';
import { type BackendChoice, backendChoices, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { positive, threadCount, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { measureTopK, type TopKOptions } from './measure.ts';
import { topKTables } from './report.ts';

interface Options extends TopKOptions {
  readonly json: boolean;
  readonly backend: BackendChoice;
  readonly threads: number;
}

export function addTopKCommand(program: Command): void {
  program
    .command('top-k')
    .description('measure the exact search for the k best vectors, by bounds and by scan')
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('wasm'))
    .option('--threads <count>', 'threads of the backend', threadCount, 1)
    .option('--vectors <n>', 'how many vectors', wholeNumber(1), 1_000_000)
    .option('--width <d>', 'width of a vector', wholeNumber(2), 128)
    .option('--k <n>', 'how many are found', wholeNumber(1), 10)
    .option('--queries <n>', 'queries of a call of many', wholeNumber(5), 256)
    .option('--train-seconds <n>', 'train the class vectors for so long', positive, 60)
    .option('--rounds <count>', 'samples of each', wholeNumber(3), 9)
    .option('--seconds <n>', 'begin no further round of a data set after so many seconds', positive, 60)
    .option('--hnswlib <folder>', 'where hnswlib-node is installed, to be measured beside it')
    .option('--effort <n>', 'candidates of a search of hnswlib', wholeNumber(1), 100)
    .option('--rival-vectors <n>', 'how many vectors it is measured with', wholeNumber(1), 20_000)
    .addHelpText(
      'after',
      `
Trained vectors are the rows of a factored layer with Zipf targets, the bias
last, and queries are held-out examples. 'reading 8 bits' sums as many bytes as
the vectors take in 8 bits; 'product' is that of all queries with all vectors,
by blocks, with nothing done to it. All are measured in turns.

Example:
  $ pnpm --silent bench top-k --vectors 100000 --train-seconds 10`,
    )
    .action(async ({ json, backend: choice, threads, ...options }: Options) => {
      const { show, end } = stageProgress('top-k');
      const { backend, inUse } = await createBackend(await resolveBackend(choice), threads);
      const report = await measureTopK(backend, inUse, options, show);
      await backend.dispose();
      end();
      printReport(report, json, topKTables);
    });
}
