import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { type ExactnessReport, fullSteps, longStepsPerStep, measureExactness } from './measure.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { exactnessTables } from './report.ts';

interface Options {
  readonly json: boolean;
  readonly steps: number;
  readonly from: string | undefined;
}

export function addExactnessCommand(program: Command): void {
  program
    .command('exactness')
    .description('measure the errors of the factored layer against dense SGD in f64, and its drift in long f32 runs')
    .option('--json', 'print one JSON object instead of tables', false)
    .option(
      '--steps <count>',
      `steps of each run against dense SGD; the long runs take ${longStepsPerStep} times as many`,
      parseSteps,
      fullSteps,
    )
    .option('--from <file>', 'print the tables of a report that --json wrote, and measure nothing')
    .action(async (options: Options) => {
      const report =
        options.from === undefined
          ? await measured(options.steps)
          : (JSON.parse(await readFile(options.from, 'utf8')) as ExactnessReport);
      printReport(report, options.json, exactnessTables);
      if (!report.pass) process.exitCode = 1;
    });
}

async function measured(steps: number): Promise<ExactnessReport> {
  const { show, end } = stageProgress('exactness');
  const report = await measureExactness(steps, show);
  end();
  return report;
}

function parseSteps(text: string): number {
  const steps = Number(text);
  if (!Number.isSafeInteger(steps) || steps < 1)
    throw new InvalidArgumentError(`expected a whole number of at least 1, got '${text}'.`);
  return steps;
}
