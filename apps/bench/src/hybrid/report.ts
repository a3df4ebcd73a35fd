/** What `bench hybrid` prints: the report as data, and its tables. */
import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, grouped, withSpread } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { HybridReport } from './measure.ts';

export function hybridTables({
  machine,
  backend,
  options,
  targets,
  reference,
  rows,
  flatness,
  unavailable,
}: HybridReport): string {
  const { features, batch, head } = options;
  return [
    machineLine(machine),
    `${backend.detail}; threads: ${backend.threads}. Head of ${grouped(head)} classes, d = ${features}, m = ${batch}; targets by ${targets}.`,
    markdownTable(
      [
        'classes',
        'layer',
        'ms, median (quartiles)',
        `times the hybrid of ${grouped(reference.classes)}`,
        'scaled from',
        'created in s',
        'group',
      ],
      rows.map((row) => [
        grouped(row.classes),
        row.layer,
        withSpread(row.milliseconds),
        figure(row.medianMs / row.referenceMs),
        row.scaledFrom === null ? '' : grouped(row.scaledFrom),
        figure(row.initializationSeconds),
        String(row.group + 1),
      ]),
    ),
    ...unavailable.map(({ layer, classes, reason }) => `Not timed: ${layer} at ${grouped(classes)} classes: ${reason}`),
    `Flatness, the slowest hybrid over the fastest: ${figure(flatness)}.`,
  ].join('\n\n');
}
