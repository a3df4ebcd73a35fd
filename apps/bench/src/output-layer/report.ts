import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, grouped, percent, withSpread } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { DenseTiming, OutputLayerReport } from './measure.ts';
import type { StepProfile } from './step-profile.ts';

export function outputLayerTables({
  machine,
  backend,
  options,
  factored,
  dense,
  denseRecomputed,
  fullSoftmax,
  ceilings,
  ...report
}: OutputLayerReport): string {
  const { classes, features, batch, loss } = options;
  const denseLine = (name: string, timing: DenseTiming): string[] => [
    timing.scaledFrom === null ? name : `${name}, scaled from ${grouped(timing.scaledFrom)} classes`,
    withSpread(timing.milliseconds),
    figure((1000 * batch) / timing.medianMs),
    figure(timing.medianMs / factored.medianMs),
  ];
  return [
    machineLine(machine),
    `${backend.detail}; threads: ${backend.threads}. ${loss}, D = ${grouped(classes)}, d = ${features}, m = ${batch}.`,
    markdownTable(
      ['step', 'ms, median (quartiles)', 'examples/s', 'times the factored step'],
      [
        [`factored, ${factored.form} form`, withSpread(factored.milliseconds), figure(factored.examplesPerSecond), '1'],
        denseLine('dense', dense),
        denseLine('dense, outputs computed twice', denseRecomputed),
        denseLine('dense log-softmax', fullSoftmax),
      ],
    ),
    markdownTable(
      ['measure', 'value'],
      [
        ['speedup over dense', figure(report.speedup)],
        ['speedup over the dense log-softmax', figure(report.speedupOverSoftmax)],
        ['MFLOP of a factored step', figure(factored.flops / 1e6)],
        ['GFLOP/s of a factored step', figure(factored.gflops)],
        ['GFLOP/s of the 512×512×512 product', figure(ceilings.gemmGflops)],
        ['share of that ceiling', percent(factored.gemmCeilingShare)],
        [`ms of the ${batch}×${features}×${features} product`, figure(report.stepGemm.milliseconds.median)],
        ['step over that product', figure(factored.stepOverGemm)],
        ['GB/s of a copy of memory, read and written', figure(ceilings.copyGigabytesPerSecond)],
        ...(report.preconditioned === null
          ? []
          : [
              [
                `preconditioned step (power ${report.preconditioned.power}) over the plain one`,
                figure(report.preconditioned.overPlain),
              ],
              ['ms to compute the preconditioner, each 100 steps', figure(report.preconditioned.refreshMs)],
            ]),
        ['seconds to create the layer', figure(report.initializationSeconds)],
      ],
    ),
    ...(report.profile === null ? [] : [profileTable(report.profile)]),
  ].join('\n\n');
}

export function profileTable({ stepMs, groups }: StepProfile): string {
  return markdownTable(
    ['part of a step', 'ms', 'share', 'calls a step'],
    [
      ...groups.map(({ group, ms, share, callsPerStep }) => [group, figure(ms), percent(share), figure(callsPerStep)]),
      ['all', figure(stepMs), percent(1), ''],
    ],
  );
}
