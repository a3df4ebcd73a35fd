import { type Command, Option } from 'commander';
import { type BackendChoice, backendChoices, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { defaultThreads, positive, threadCount, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { measureAls, type AlsOptions } from './measure.ts';
import { alsTables } from './report.ts';

interface Options extends AlsOptions {
  readonly json: boolean;
  readonly backend: BackendChoice;
  readonly threads: number;
}

export function addAlsCommand(program: Command): void {
  program
    .command('als')
    .description("measure a sweep of alternating least squares against the backend's own products")
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, defaultThreads())
    .option('--examples <n>', 'rows of the sets', wholeNumber(1), 20_000)
    .option('--classes <n>', 'columns of the sets', wholeNumber(1), 20_000)
    .option('--entries <n>', 'of an example on average', wholeNumber(1), 20)
    .option('--features <n>', 'd', wholeNumber(1), 512)
    .option('--rounds <count>', 'samples of each', wholeNumber(3), 5)
    .option('--seconds <n>', 'begin no further round after so many seconds', positive, 120)
    .addHelpText(
      'after',
      `
A sweep solves all classes and then all examples. Its operations are counted
twice: those that are done, without the two eigendecompositions on the host,
and those of the usual way, a Cholesky decomposition of d×d for each row.

Example:
  $ pnpm --silent bench als --features 256`,
    )
    .action(async ({ json, backend: choice, threads, ...options }: Options) => {
      const { backend, inUse } = await createBackend(await resolveBackend(choice), threads);
      const report = await measureAls(backend, inUse, options);
      await backend.dispose();
      printReport(report, json, alsTables);
    });
}
