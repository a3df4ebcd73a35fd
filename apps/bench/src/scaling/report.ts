import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, grouped, withSpread } from '../reporting/numbers.ts';
import { ceilingsLine, machineLine } from '../reporting/print-report.ts';
import type { ScalingReport } from './measure.ts';

export function scalingTables({
  machine,
  backend,
  options,
  targets,
  rows,
  flatness,
  dense,
  ceilings,
}: ScalingReport): string {
  return [
    machineLine(machine),
    `${backend.detail}; threads: ${backend.threads}. ${options.loss}, d = ${options.features}, m = ${options.batch}; targets ${targets}.`,
    markdownTable(
      ['classes', 'factored ms, median (quartiles)', 'dense ms', 'table GB', 'resident GB', 'created in s'],
      rows.map((row) => [
        grouped(row.classes),
        withSpread(row.milliseconds),
        figure(row.denseMs),
        figure(row.tableBytes / 1e9),
        figure(row.residentBytes / 1e9),
        figure(row.initializationSeconds),
      ]),
    ),
    `Flatness, the slowest over the fastest: ${figure(flatness)}. Dense times are scaled from ${grouped(dense.rows)} classes, ${withSpread(dense.milliseconds)} ms.`,
    ceilingsLine(ceilings),
  ].join('\n\n');
}
