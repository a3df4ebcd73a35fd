import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, grouped, percent } from '../reporting/numbers.ts';
import { ceilingsLine, machineLine } from '../reporting/print-report.ts';
import type { SteadyStateReport } from './measure.ts';

export function steadyStateTables({ machine, backend, options, rows, ceilings }: SteadyStateReport): string {
  const { classes, features, batch, steps, warmup } = options;
  return [
    machineLine(machine),
    `${backend.detail}; threads: ${backend.threads}. D = ${grouped(classes)}, d = ${features}, m = ${batch}; ${grouped(steps)} steps after ${grouped(warmup)}.`,
    markdownTable(
      [
        'loss',
        'rate',
        'handles created',
        'heap growth kB',
        'rebases',
        'maps a step',
        'ms a step',
        'of them for stability',
        'share',
      ],
      rows.map((row) => [
        row.loss,
        String(row.learningRate),
        String(row.handlesCreated),
        figure(row.heapGrowthBytes / 1000),
        String(row.rebases),
        figure(row.mapsAppliedPerStep),
        figure(row.stepMs),
        figure(row.stabilizationMs),
        percent(row.stabilizationShare),
      ]),
    ),
    ceilingsLine(ceilings),
  ].join('\n\n');
}
