import { type Command, InvalidArgumentError } from 'commander';
import { type BackendChoice, backendNames } from '../measurement/backend-choice.ts';
import { threadCount, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { type AttentionOptions, measureAttention } from './measure.ts';
import { attentionTables } from './report.ts';

interface Options extends AttentionOptions {
  readonly json: boolean;
}

export function addAttentionCommand(program: Command): void {
  program
    .command('attention')
    .description("measure forward and backward of a transformer body against the backend's own product")
    .option('--json', 'print one JSON object instead of a table', false)
    .option('--backends <list>', `of ${backendNames.join(', ')}, with commas between`, parseBackends, [
      'openblas',
      'wasm',
    ])
    .option('--threads <count>', 'threads of the backends', threadCount, 1)
    .option('--batch <n>', 'sequences of a minibatch', wholeNumber(1, 65_536), 16)
    .option('--length <n>', 'positions of a sequence', wholeNumber(1, 4096), 128)
    .option('--width <d>', 'width of the embeddings and of the layers', wholeNumber(2, 8192), 256)
    .option('--layers <n>', 'layers', wholeNumber(1, 128), 4)
    .option('--heads <n>', 'heads, whose double divides the width', wholeNumber(1, 4096), 4)
    .option('--rounds <count>', 'samples of each', wholeNumber(3), 15)
    .addHelpText(
      'after',
      `
The share counts the operations that a transformer cannot do without: a product
with each weight forward and two backward, and attention to the positions before.

Examples:
  $ pnpm --silent bench attention --json
  $ pnpm --silent bench attention --backends wasm --threads 2 --length 512`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('attention');
      const report = await measureAttention(options, show);
      end();
      printReport(report, json, attentionTables);
    });
}

function parseBackends(text: string): readonly BackendChoice[] {
  return text.split(',').map((part) => {
    const name = backendNames.find((known) => known === part.trim());
    if (name === undefined)
      throw new InvalidArgumentError(`no backend is called '${part}'; there are ${backendNames.join(', ')}.`);
    return name;
  });
}
