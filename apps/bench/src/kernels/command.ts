import type { Command } from 'commander';
import { defaultThreadCounts, positive, threadCounts, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { type KernelsOptions, measureKernels } from './measure.ts';
import { kernelsTables } from './report.ts';

interface Options extends KernelsOptions {
  readonly json: boolean;
}

export function addKernelsCommand(program: Command): void {
  program
    .command('kernels')
    .description('measure the matrix products of every backend: GFLOP/s by shape and threads')
    .option('--json', 'print one JSON object instead of a table', false)
    .option('--threads <list>', 'thread counts, with commas between', threadCounts, defaultThreadCounts())
    .option('--plain', 'measure the plain backend too; its products are some fifty times slower', false)
    .option('--rounds <count>', 'samples of each product', wholeNumber(3), 40)
    .option('--seconds <n>', 'begin no further round after so many seconds', positive, 60)
    .addHelpText(
      'after',
      `
Every backend and thread count multiplies in turn, a sample each a round, so
that a disturbance falls on all of them. A backend that is missing here is
named with the reason, and its ratio is null.

ratios compare GFLOP/s at 512x512x512: wasmOneThreadToOpenblasOneThread,
wasmTwoThreadsToOne, openblasTwoThreadsToOne.

Example:
  $ pnpm --silent bench kernels --rounds 10 --json`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('kernels');
      const report = await measureKernels(options, show);
      end();
      printReport(report, json, kernelsTables);
    });
}
