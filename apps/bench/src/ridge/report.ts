import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, withSpread } from '../reporting/numbers.ts';
import { backendLines, machineLine } from '../reporting/print-report.ts';
import type { RidgeReport } from './measure.ts';

export function ridgeTables({ machine, backend, sizes, results }: RidgeReport): string {
  const { examples, labels, features, targets } = sizes;
  return [
    machineLine(machine),
    `Milliseconds, median (quartiles): ${examples} examples with ${targets} of ${labels} labels, ${features} features:`,
    markdownTable(
      ['', 'time', 'over the products'],
      results.map(({ what, milliseconds, ratio }) => [what, withSpread(milliseconds), figure(ratio)]),
    ),
    backendLines([backend], []),
  ].join('\n\n');
}
