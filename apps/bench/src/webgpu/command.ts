import type { Command } from 'commander';
import { lossName, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { measureWebGpu, type WebGpuOptions } from './measure.ts';
import { webGpuTables } from './report.ts';

interface Options extends WebGpuOptions {
  readonly json: boolean;
}

export function addWebGpuCommand(program: Command): void {
  program
    .command('webgpu')
    .description(
      'measure the WebGPU backend: versions of its product, and what a factored step takes and asks of the device',
    )
    .option('--json', 'print one JSON object instead of tables', false)
    .option('--software', 'the GPU in software, even where there is another', false)
    .option('--classes <D>', 'classes', wholeNumber(2, 2 ** 31 - 1), 20_000)
    .option('--features <d>', 'width of the hidden activations', wholeNumber(1, 8192), 64)
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 32)
    .option('--loss <name>', 'z-loss, spherical-softmax, taylor-softmax or squared-error', lossName, 'z-loss')
    .option('--warmup <count>', 'steps before anything is counted or timed', wholeNumber(0), 64)
    .option('--steps <count>', 'steps of one sample', wholeNumber(1), 32)
    .option('--samples <count>', 'samples of steps', wholeNumber(1), 8)
    .option('--rounds <count>', 'samples of each version of the product', wholeNumber(1), 5)
    .addHelpText(
      'after',
      `
Takes the GPU that the package webgpu finds by itself, and SwiftShader, a GPU in
software, where it finds none (Linux on x64). gpu.kind says which: machine or
software. In software times say nothing about GPUs; counts and ratios do.

The defaults are sizes that SwiftShader manages in a minute. On a GPU:
  $ pnpm --silent bench webgpu --classes 1000000 --features 512 --batch 128 --json

step.typical is the median of single steps: dispatches, submits, bytesUploaded,
reads, buffersCreated and so on; step.mean includes the verification of steps,
which a layer does for 16 steps at a time after a while. Activations are on the device already,
as a network's body leaves them. shippedToNaive compares the product that the
backend runs with the naive one, at 512x512x512.`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('webgpu');
      const report = await measureWebGpu(options, show);
      end();
      printReport(report, json, webGpuTables);
    });
}
