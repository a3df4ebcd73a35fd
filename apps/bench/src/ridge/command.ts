import { type Command, Option } from 'commander';
import { type BackendChoice, backendChoices, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { defaultThreads, positive, threadCount, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { measureRidge, type RidgeOptions } from './measure.ts';
import { ridgeTables } from './report.ts';

interface Options extends RidgeOptions {
  readonly json: boolean;
  readonly backend: BackendChoice;
  readonly threads: number;
}

export function addRidgeCommand(program: Command): void {
  program
    .command('ridge')
    .description('measure a ridge head in one pass against the two products that it needs')
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, defaultThreads())
    .option('--examples <n>', 'rows of H', wholeNumber(1), 100_000)
    .option('--labels <n>', 'classes', wholeNumber(1), 100_000)
    .option('--features <n>', 'width of H', wholeNumber(1), 384)
    .option('--targets <n>', 'labels of each example', wholeNumber(1), 1)
    .option('--rounds <count>', 'samples of each', wholeNumber(3), 7)
    .option('--seconds <n>', 'begin no further round after so many seconds', positive, 120)
    .addHelpText(
      'after',
      `
One pass is fitRidge over minibatches of 4,096 examples that the backend holds;
the layer is the factored layer of λ = 1. Features of similar variance keep the
factored form, V and (HᵀH + λI)⁻¹; ill-conditioned ones have W stored. All are
measured in turns.

Example:
  $ pnpm --silent bench ridge --backend openblas`,
    )
    .action(async ({ json, backend: choice, threads, ...options }: Options) => {
      const { backend, inUse } = await createBackend(await resolveBackend(choice), threads);
      const report = await measureRidge(backend, inUse, options);
      await backend.dispose();
      printReport(report, json, ridgeTables);
    });
}
