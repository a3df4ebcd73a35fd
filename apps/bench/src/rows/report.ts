import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, withSpread } from '../reporting/numbers.ts';
import { backendLines, machineLine } from '../reporting/print-report.ts';
import type { RowsReport } from './measure.ts';

export function rowsTables({ machine, backend, sizes, results }: RowsReport): string {
  return [
    machineLine(machine),
    `Milliseconds, median (quartiles), with a table of ${sizes.tableRows}×${sizes.columns}:`,
    markdownTable(
      ['', 'composed', 'fused', 'composed / fused'],
      results.map(({ what, composed, fused, speedup }) => [
        what,
        withSpread(composed),
        withSpread(fused),
        figure(speedup),
      ]),
    ),
    backendLines([backend], []),
  ].join('\n\n');
}
