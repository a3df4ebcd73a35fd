import { type Command, Option } from 'commander';
import { backendChoices } from '../measurement/backend-choice.ts';
import { positive, threadCount, wholeNumber, wholeNumbers } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { parseLayerNames, otherLayerNames } from '../workload/timed-layers.ts';
import { breakEvenClasses } from './break-even.ts';
import { measureRivals, type RivalsOptions } from './measure.ts';
import { rivalsTables } from './report.ts';

interface Options extends RivalsOptions {
  readonly json: boolean;
}

export function addRivalsCommand(program: Command): void {
  program
    .command('rivals')
    .description('measure a training step of every output layer against the factored one, by the number of classes')
    .option('--json', 'print one JSON object instead of tables', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, 1)
    .option(
      '--classes <list>',
      'numbers of classes, with commas between',
      wholeNumbers(2, 2 ** 31 - 1),
      [10_000, 100_000, 1_000_000],
    )
    .option('--features <d>', 'width of the hidden activations', wholeNumber(1, 8192), 300)
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 128)
    .option(
      '--layers <list>',
      'layers compared with the factored one, with commas between',
      parseLayerNames,
      otherLayerNames,
    )
    .option(
      '--dense-rows <count>',
      'time the full softmax on at most so many classes and scale',
      wholeNumber(1024),
      50_000,
    )
    .option('--rounds <count>', 'samples of each layer', wholeNumber(3), 40)
    .option('--seconds <n>', 'begin no further round of a group after so many seconds', positive, 60)
    .addHelpText(
      'after',
      `
Layers have the defaults of vastmax train: the Z-loss for factored, 500 shared
unigram samples for sampled, nce and negative, 100 samples an example for rf and
quadratic, whose trees have leaves of as many classes as make their sums as
large as the class vectors. Options follow a name: sampled:samples=100,
rf:frequencies=256, hybrid:headSize=2000. Width is d and a bias.

As many layers as fit in memory take turns, the factored one always among them;
layers that take tenths of a second a step take turns by themselves. A ratio
is that of medians of the same rounds. What does not fit, or fails, is listed
with the reason.

breakEven is the D at which the full softmax costs as much as the factored layer,
from timings at ${breakEvenClasses.join(', ')} classes.

Examples:
  $ pnpm --silent bench rivals --json
  $ pnpm --silent bench rivals --classes 100000 --layers sampled,adaptive,full`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('rivals');
      const report = await measureRivals(options, show);
      end();
      printReport(report, json, rivalsTables);
    });
}
