import { type Command, Option } from 'commander';
import { backendChoices } from '../measurement/backend-choice.ts';
import { lossName, positive, threadCount, wholeNumber, wholeNumbers } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { measureScaling, type ScalingOptions } from './measure.ts';
import { scalingTables } from './report.ts';

interface Options extends ScalingOptions {
  readonly json: boolean;
}

export function addScalingCommand(program: Command): void {
  program
    .command('scaling')
    .description('measure the time of a factored step from ten thousand to ten million classes')
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, 1)
    .option(
      '--classes <list>',
      'numbers of classes, with commas between',
      wholeNumbers(2, 2 ** 31 - 1),
      [10_000, 100_000, 1_000_000, 10_000_000],
    )
    .option('--features <d>', 'width of the hidden activations', wholeNumber(1, 8192), 256)
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 128)
    .option('--loss <name>', 'z-loss, spherical-softmax, taylor-softmax or squared-error', lossName, 'z-loss')
    .option(
      '--dense-rows <count>',
      'time the dense layer on at most so many classes and scale',
      wholeNumber(1024),
      32_768,
    )
    .option('--rounds <count>', 'samples of each size', wholeNumber(3), 60)
    .option('--seconds <n>', 'begin no further round after so many seconds', positive, 60)
    .addHelpText(
      'after',
      `
All layers are alive at once and take turns, so memory for all tables is
needed: 4·D·d bytes each, 11.4 GB by default. Where it is missing the bench says
so before it allocates anything. Creating a layer costs O(D·d^2), one to three
minutes for ten million classes; its start repeats 1,024 random rows.

flatness is the slowest medianMs over the fastest. Targets are drawn evenly from
all classes: the worst case for the caches.

Example:
  $ pnpm --silent bench scaling --classes 10000,100000,1000000`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('scaling');
      const report = await measureScaling(options, show);
      end();
      printReport(report, json, scalingTables);
    });
}
