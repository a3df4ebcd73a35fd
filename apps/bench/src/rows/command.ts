import { type Command, Option } from 'commander';
import { type BackendChoice, backendChoices, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { defaultThreads, positive, threadCount, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { measureRows, type RowsOptions } from './measure.ts';
import { rowsTables } from './report.ts';

interface Options extends RowsOptions {
  readonly json: boolean;
  readonly backend: BackendChoice;
  readonly threads: number;
}

export function addRowsCommand(program: Command): void {
  program
    .command('rows')
    .description('measure the fused kernels on rows of tables against the kernels that they replace')
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, defaultThreads())
    .option('--table-rows <n>', 'rows of the table', wholeNumber(1), 50_000)
    .option('--columns <n>', 'width of the table', wholeNumber(1), 128)
    .option('--touched <n>', 'different rows in a minibatch', wholeNumber(1), 3000)
    .option('--entries <n>', 'features of all documents of a minibatch', wholeNumber(1), 5120)
    .option('--batch <n>', 'documents in a minibatch', wholeNumber(1), 256)
    .option('--rounds <count>', 'samples of each', wholeNumber(3), 40)
    .option('--seconds <n>', 'begin no further round after so many seconds', positive, 60)
    .addHelpText(
      'after',
      `
composed is what a backend without the fused kernels does: rows are gathered,
changed and scattered. Both work on the same tables, in turns.

Example:
  $ pnpm --silent bench rows --backend wasm --threads 1`,
    )
    .action(async ({ json, backend: choice, threads, ...options }: Options) => {
      const { backend, inUse } = await createBackend(await resolveBackend(choice), threads);
      const report = await measureRows(backend, inUse, options);
      await backend.dispose();
      printReport(report, json, rowsTables);
    });
}
