/** The sections of docs/performance.md that `bench report` writes, from what it has measured. */
import { kernelsTables } from '../kernels/report.ts';
import { profileTable } from '../output-layer/report.ts';
import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, grouped, percent, withSpread } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import { scalingTables } from '../scaling/report.ts';
import { steadyStateTables } from '../steady-state/report.ts';
import { trainingTables } from '../training/report.ts';
import { claimsOf, type Claim } from './claims.ts';
import { type Measurements, reportsOf } from './measurements.ts';

export const sectionNames = [
  'claims',
  'kernels',
  'output-layer',
  'where-the-time-goes',
  'scaling',
  'steady-state',
  'training',
] as const;
export type SectionName = (typeof sectionNames)[number];

/** The sections whose benches have been run; the others stay as they are. */
export function documentSections(measurements: Measurements): ReadonlyMap<SectionName, string> {
  const joined = (tables: readonly string[]): string => tables.join('\n\n');
  const sections: readonly (readonly [SectionName, string])[] = [
    ['claims', claimsTable(measurements)],
    ['kernels', joined(reportsOf(measurements, 'kernels').map(kernelsTables))],
    ['output-layer', outputLayerSummary(measurements)],
    ['where-the-time-goes', joined(profiles(measurements))],
    ['scaling', joined(reportsOf(measurements, 'scaling').map(scalingTables))],
    ['steady-state', joined(reportsOf(measurements, 'steady-state').map(steadyStateTables))],
    ['training', joined(reportsOf(measurements, 'training').map(trainingTables))],
  ];
  return new Map(sections.filter(([, content]) => content !== ''));
}

function claimsTable(measurements: Measurements): string {
  const claims = claimsOf(measurements);
  return claims.length === 0 ? '' : claimRows(claims);
}

export function claimRows(claims: readonly Claim[]): string {
  return markdownTable(
    ['claim', 'bound', 'measured', ''],
    claims.map(({ claim, bound, measured, isMet }) => [claim, bound, measured, isMet ? 'met' : 'not met']),
  );
}

function outputLayerSummary(measurements: Measurements): string {
  const reports = reportsOf(measurements, 'output-layer');
  const [first] = reports;
  if (first === undefined) return '';
  const steps = reports.map(({ backend, options, factored, dense, fullSoftmax, speedup }) => [
    backend.name,
    String(backend.threads),
    `D = ${grouped(options.classes)}, d = ${options.features}, m = ${options.batch}`,
    factored.form,
    withSpread(factored.milliseconds),
    grouped(factored.examplesPerSecond),
    grouped(dense.medianMs),
    grouped(fullSoftmax.medianMs),
    figure(speedup),
  ]);
  const limits = reports.map(
    ({ backend, options, factored, ceilings, stepGemm, denseRecomputed, initializationSeconds }) => [
      backend.name,
      String(backend.threads),
      String(options.batch),
      figure(factored.flops / 1e6),
      figure(factored.gflops),
      figure(ceilings.gemmGflops),
      percent(factored.gemmCeilingShare),
      `${figure(stepGemm.milliseconds.median)} (${stepGemm.m}×${stepGemm.n}×${stepGemm.k})`,
      figure(factored.stepOverGemm),
      figure(ceilings.copyGigabytesPerSecond),
      grouped(denseRecomputed.medianMs),
      figure(initializationSeconds),
    ],
  );
  return [
    `${machineLine(first.machine)}; ${first.options.loss}`,
    markdownTable(
      [
        'backend',
        'threads',
        'sizes',
        'form',
        'factored ms (quartiles)',
        'examples/s',
        'dense ms',
        'log-softmax ms',
        'speedup',
      ],
      steps,
    ),
    markdownTable(
      [
        'backend',
        'threads',
        'm',
        'MFLOP',
        'GFLOP/s',
        '512³ GFLOP/s',
        'share',
        'm·d·d product ms',
        'step over it',
        'copy GB/s',
        'dense recomputing ms',
        'created in s',
      ],
      limits,
    ),
    `Dense times are scaled from ${grouped(first.dense.scaledFrom ?? first.options.classes)} classes.`,
  ].join('\n\n');
}

function profiles(measurements: Measurements): string[] {
  return reportsOf(measurements, 'output-layer').flatMap(({ backend, options, factored, profile }) =>
    profile === null
      ? []
      : [
          `${backend.name}, threads: ${backend.threads}, d = ${options.features}, m = ${options.batch}, ${factored.form} form:`,
          profileTable(profile),
        ],
  );
}
