import { type Command, Option } from 'commander';
import { backendChoices } from '../measurement/backend-choice.ts';
import { positive, threadCount, wholeNumber, wholeNumbers } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { parseLayerNames } from '../workload/timed-layers.ts';
import { type HybridOptions, measureHybrid } from './measure.ts';
import { hybridTables } from './report.ts';

interface Options extends HybridOptions {
  readonly json: boolean;
}

export function addHybridCommand(program: Command): void {
  program
    .command('hybrid')
    .description('measure the time of a step of the hybrid layer by the number of classes, compared with other layers')
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, 1)
    .option(
      '--classes <list>',
      'numbers of classes, with commas between',
      wholeNumbers(2, 2 ** 31 - 1),
      [100_000, 1_000_000, 10_000_000],
    )
    .option('--features <d>', 'width of the hidden activations', wholeNumber(1, 8192), 300)
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 128)
    .option('--head <F>', 'classes of the dense head', wholeNumber(1), 2000)
    .option('--layers <list>', 'other layers, with commas between; or none', otherNames, [
      'factored',
      'sampled',
      'adaptive',
      'full',
    ])
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
The hybrid layers come first, then as many others at a time as fit in memory,
always with the hybrid layer of the fewest classes among them; 4·D·(d + 1) bytes
each, 12 GB at ten million classes. What does not fit is listed with the
reason. Creating a layer costs O(D·d^2) at most, up to four minutes for ten
million classes.

flatness is the slowest hybrid layer over the fastest.

Examples:
  $ pnpm --silent bench hybrid --json
  $ pnpm --silent bench hybrid --classes 100000,1000000 --layers none`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('hybrid');
      const report = await measureHybrid(options, show);
      end();
      printReport(report, json, hybridTables);
    });
}

function otherNames(text: string): readonly string[] {
  return text.trim() === 'none' ? [] : parseLayerNames(text);
}
