/** What `bench rivals` prints: the report as data, and its tables. */
import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, grouped, missing, withSpread } from '../reporting/numbers.ts';
import { ceilingsLine, machineLine } from '../reporting/print-report.ts';
import type { RivalsReport } from './measure.ts';

export function rivalsTables({
  machine,
  backend,
  options,
  targets,
  rows,
  ratios,
  unavailable,
  breakEven,
  breakEvenTimings,
  ceilings,
}: RivalsReport): string {
  const { features, batch } = options;
  return [
    machineLine(machine),
    `${backend.detail}; threads: ${backend.threads}. d = ${features}, m = ${batch}; targets by ${targets}. The factored layer has the Z-loss.`,
    markdownTable(
      ['classes', 'layer', 'ms, median (quartiles)', 'times the factored step', 'scaled from', 'created in s', 'group'],
      rows.map((row) => [
        grouped(row.classes),
        row.layer,
        withSpread(row.milliseconds),
        figure(ratios.find(({ classes }) => classes === row.classes)?.[`${row.layer}OverFactored`] ?? 1),
        row.scaledFrom === null ? '' : grouped(row.scaledFrom),
        figure(row.initializationSeconds),
        String(row.group + 1),
      ]),
    ),
    ...unavailable.map(({ layer, classes, reason }) => `Not timed: ${layer} at ${grouped(classes)} classes: ${reason}`),
    ...(breakEvenTimings.length === 0
      ? []
      : [
          markdownTable(
            ['classes', 'full ms', 'factored ms', 'full over factored'],
            breakEvenTimings.map(({ classes, fullMs, factoredMs }) => [
              grouped(classes),
              figure(fullMs),
              figure(factoredMs),
              figure(fullMs / factoredMs),
            ]),
          ),
          `The full softmax costs as much as the factored layer at ${breakEven === null ? missing : grouped(breakEven)} classes.`,
        ]),
    ceilingsLine(ceilings),
  ].join('\n\n');
}
