import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, figureOr, grouped, withSpread } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { WebGpuReport } from './measure.ts';
import type { StepCounts } from './step-measurement.ts';

const gpus = {
  machine: "the machine's own",
  software: 'in software: times say nothing about GPUs, counts and ratios do',
};

const counted: readonly (readonly [keyof StepCounts, string])[] = [
  ['dispatches', 'dispatches'],
  ['submits', 'submits'],
  ['bytesUploaded', 'bytes uploaded'],
  ['reads', 'reads'],
  ['buffersCreated', 'buffers created'],
  ['bindGroupsCreated', 'bind groups created'],
  ['pipelinesCreated', 'pipelines created'],
];

export function webGpuTables({ machine, gpu, lab, shippedToNaive, step }: WebGpuReport): string {
  const { classes, features, batch, loss, steps, samples } = step.options;
  return [
    machineLine(machine),
    `GPU: ${gpu.detail} (${gpus[gpu.kind]}).`,
    `Versions of the product, medians of ${lab.rounds} rounds on ${lab.adapter}:`,
    markdownTable(
      ['m×n×k', 'version', 'dispatches', 'ms', 'GFLOP/s', 'times naive'],
      lab.results.map(({ m, n, k, version, dispatches, milliseconds, gflops, timesFirst }) => [
        `${m}×${n}×${k}`,
        version,
        String(dispatches),
        figure(milliseconds),
        figure(gflops),
        figure(timesFirst),
      ]),
    ),
    `What ships at 512×512×512, times faster than naive: ${figureOr(shippedToNaive)} (bound: 4).`,
    `A step of the factored layer in ${step.form} form, D = ${grouped(classes)}, d = ${features}, m = ${batch}, ${loss}:`,
    markdownTable(
      ['', 'typical step', 'mean, with verification'],
      counted.map(([name, title]) => [title, count(step.typical[name]), count(step.mean[name])]),
    ),
    `Milliseconds of a step, median (quartiles) of ${samples} samples of ${steps} steps: ${withSpread(step.milliseconds)}; ${grouped(step.examplesPerSecond)} examples a second.`,
  ].join('\n\n');
}

function count(value: number): string {
  return Number.isInteger(value) || value > 1000 ? grouped(value) : figure(value);
}
