import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, grouped, scientific } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { SoakReport } from './measure.ts';

export function soakTables(report: SoakReport): string {
  const { machine, backend, steps, seconds, rows } = report;
  const { handles, firstHandles, residentBytes, firstResidentBytes } = report;
  return [
    machineLine(machine),
    `${backend.detail}. ${grouped(steps)} steps in ${grouped(seconds)} s; ${handles} handles and ${figure(residentBytes / 1e6)} MB resident at the end, ${firstHandles} and ${figure(firstResidentBytes / 1e6)} MB after a tenth of the steps.`,
    markdownTable(
      ['loss', 'steps', 'largest drift', 'largest error to dense SGD', 'generations', 'restarts', 'classes'],
      rows.map((row) => [
        row.loss,
        grouped(row.steps),
        scientific(row.largestDrift),
        scientific(row.largestDenseError),
        grouped(row.generations),
        grouped(row.restarts),
        grouped(row.classes),
      ]),
    ),
  ].join('\n\n');
}
