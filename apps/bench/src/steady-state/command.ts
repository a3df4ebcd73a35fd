import { builtInLossNames } from '@vastmax/spherical-losses';
import { type Command, Option } from 'commander';
import { backendChoices } from '../measurement/backend-choice.ts';
import { lossNames, threadCount, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { measureSteadyState, type SteadyStateOptions } from './measure.ts';
import { steadyStateTables } from './report.ts';

interface Options extends SteadyStateOptions {
  readonly json: boolean;
}

export function addSteadyStateCommand(program: Command): void {
  program
    .command('steady-state')
    .description('measure what a thousand steps leave behind, and the price of numerical stability, for each loss')
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, 1)
    .option('--classes <D>', 'classes', wholeNumber(2, 2 ** 31 - 1), 100_000)
    .option('--features <d>', 'width of the hidden activations', wholeNumber(1, 8192), 256)
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 128)
    .option('--losses <list>', 'losses, with commas between', lossNames, builtInLossNames)
    .option('--steps <count>', 'steps that are measured', wholeNumber(1), 1000)
    .option('--warmup <count>', 'steps before them', wholeNumber(1), 2000)
    .addHelpText(
      'after',
      `
handlesCreated counts createMatrix, createTable and createIndices during the
measured steps; heapGrowthBytes is the JavaScript heap after collection, end
against begin. Each loss trains at the rate of docs/experiments.md on correlated
activations; stabilizationShare is the time of rebasing, converting stale
rows and the background sweep over the time of the steps.

Example:
  $ pnpm --silent bench steady-state --losses z-loss,squared-error --json`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('steady-state');
      const report = await measureSteadyState(options, show);
      end();
      printReport(report, json, steadyStateTables);
    });
}
