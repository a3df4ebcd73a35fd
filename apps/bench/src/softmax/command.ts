import { type Command, InvalidArgumentError, Option } from 'commander';
import { backendChoices } from '../measurement/backend-choice.ts';
import { positive, threadCount, wholeNumber, wholeNumbers } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { measureSoftmax, type SoftmaxLayerName, softmaxLayerNames, type SoftmaxOptions } from './measure.ts';
import { softmaxTables } from './report.ts';

interface Options extends SoftmaxOptions {
  readonly json: boolean;
}

export function addSoftmaxCommand(program: Command): void {
  program
    .command('softmax')
    .description('measure a training step of the full and of the adaptive softmax against the products in it')
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, 1)
    .option(
      '--classes <list>',
      'numbers of classes, with commas between',
      wholeNumbers(2, 2 ** 31 - 1),
      [33_278, 200_000],
    )
    .option('--features <d>', 'width of the hidden activations', wholeNumber(1, 8192), 300)
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 128)
    .option('--layers <list>', 'full, adaptive, with commas between', parseLayers, [...softmaxLayerNames])
    .option('--rounds <count>', 'samples of each', wholeNumber(3), 25)
    .option('--seconds <n>', 'begin no further round of a layer after so many seconds', positive, 60)
    .addHelpText(
      'after',
      `
The products of the full softmax are three of m x D x d, in one call each:
outputs, hidden gradient, update. Those of the adaptive softmax are three for
the head, and for each tail three with its classes and three with its projection,
for the examples of each minibatch that have a target there. Default classes are
those of WikiText-2 and of a large vocabulary.

Examples:
  $ pnpm --silent bench softmax --threads 2 --json
  $ pnpm --silent bench softmax --backend wasm --classes 33278 --layers full`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('softmax');
      const report = await measureSoftmax(options, show);
      end();
      printReport(report, json, softmaxTables);
    });
}

function parseLayers(text: string): readonly SoftmaxLayerName[] {
  return text.split(',').map((part) => {
    const name = softmaxLayerNames.find((known) => known === part.trim());
    if (name === undefined)
      throw new InvalidArgumentError(`no layer is called '${part}'; there are ${softmaxLayerNames.join(', ')}.`);
    return name;
  });
}
