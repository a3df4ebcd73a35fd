import { type Command, Option } from 'commander';
import { backendChoices } from '../measurement/backend-choice.ts';
import { halfOrOne, lossName, positive, threadCount, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { measureOutputLayer, type OutputLayerOptions } from './measure.ts';
import { outputLayerTables } from './report.ts';

interface Options extends OutputLayerOptions {
  readonly json: boolean;
}

export function addOutputLayerCommand(program: Command): void {
  program
    .command('output-layer')
    .description('measure a training step of the factored output layer against dense SGD and the log-softmax')
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, 1)
    .option('--classes <D>', 'classes', wholeNumber(2, 2 ** 31 - 1), 793_471)
    .option('--features <d>', 'width of the hidden activations', wholeNumber(1, 8192), 300)
    .option('--batch <m>', 'examples of a minibatch; 1024 takes the row form', wholeNumber(1, 65_536), 128)
    .option('--loss <name>', 'z-loss, spherical-softmax, taylor-softmax or squared-error', lossName, 'z-loss')
    .option(
      '--dense-rows <count>',
      'time the dense layers on at most so many classes and scale',
      wholeNumber(1024),
      32_768,
    )
    .option('--precondition <power>', 'also time the preconditioned step: 0.5 or 1', halfOrOne)
    .option('--profile', 'also say which kernels a step spends its time in', false)
    .option('--rounds <count>', 'samples of each layer', wholeNumber(3), 60)
    .option('--seconds <n>', 'begin no further round after so many seconds', positive, 60)
    .addHelpText(
      'after',
      `
Sixteen different minibatches are cycled: correlated tanh activations, one
target an example from Zipf's law, plain SGD on the mean loss. No bias feature,
so the width is --features. The default classes are those of One Billion Word.

factored.flops counts 14md^2 + 8m^2d + (2/3)m^3, or 14md^2 + 9d^3 in row form.
factored.gemmCeilingShare is the rate of those over that of the backend's own
512 product; factored.stepOverGemm is the step in products of m x d x d.
speedup is dense.medianMs over factored.medianMs.
preconditioned.medianMs is a step and a hundredth of the computation of P.

Memory: 4·D·d bytes for the table, 0.95 GB by default.

Examples:
  $ pnpm --silent bench output-layer --backend wasm --json
  $ pnpm --silent bench output-layer --batch 1024 --profile`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('output-layer');
      const report = await measureOutputLayer(options, show);
      end();
      printReport(report, json, outputLayerTables);
    });
}
