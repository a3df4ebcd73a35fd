import type { Command } from 'commander';
import { defaultThreadCounts, lossName, threadCounts, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { measureTraining, type TrainingBenchOptions } from './measure.ts';
import { trainingTables } from './report.ts';

interface Options extends TrainingBenchOptions {
  readonly json: boolean;
}

export function addTrainingCommand(program: Command): void {
  program
    .command('training')
    .description('measure examples per second of the whole n-gram language model on each backend')
    .option('--json', 'print one JSON object instead of a table', false)
    .option(
      '--data <path>',
      'a text file, plain, .gz or .br, of words between white space; the State of the Union addresses unless given',
    )
    .option('--threads <list>', 'thread counts, with commas between', threadCounts, defaultThreadCounts())
    .option('--plain', 'measure the plain backend too, which is some twenty times slower', false)
    .option('--loss <name>', 'z-loss, spherical-softmax, taylor-softmax or squared-error', lossName, 'z-loss')
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 256)
    .option('--turns <count>', 'turns of fifty steps for each backend', wholeNumber(3), 12)
    .addHelpText(
      'after',
      `
The model is that of vastmax start: four words of 64, a hidden layer of 96, the
factored output layer. output is the share of its step, data that of drawing
minibatches, body the rest: embeddings, hidden layer, their gradients, SGD.

Example:
  $ pnpm --silent bench training --data wiki.train.tokens.br`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('training');
      const report = await measureTraining(options, show);
      end();
      printReport(report, json, trainingTables);
    });
}
