import { type Command, Option } from 'commander';
import { backendChoices } from '../measurement/backend-choice.ts';
import { wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { measureSoak, type SoakOptions } from './measure.ts';
import { soakTables } from './report.ts';

interface Options extends SoakOptions {
  readonly json: boolean;
}

export function addSoakCommand(program: Command): void {
  program
    .command('soak')
    .description('measure the drift, the memory and the handles of factored layers over very many steps')
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--steps <count>', 'steps of the layers of all losses together', wholeNumber(100), 100_000)
    .addHelpText(
      'after',
      `
A layer for each loss; they take turns of at most 2,500 steps, at 0.3, 1 and 3
times their rate. After each turn a layer is verified, compared for ten steps
with dense SGD in f64 that starts from its rows, saved, restored into a new
layer, which must have the same bits, and given another class.

Example:
  $ pnpm --silent bench soak --steps 1000000 --json`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('soak');
      const report = await measureSoak(options, show);
      end();
      printReport(report, json, soakTables);
    });
}
