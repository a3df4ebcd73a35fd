import { markdownTable } from '../reporting/markdown-table.ts';
import { figure } from '../reporting/numbers.ts';
import { backendLines, machineLine } from '../reporting/print-report.ts';
import type { TopKReport } from './measure.ts';

export function topKTables({ machine, backend, k, rows, notes }: TopKReport): string {
  return [
    machineLine(machine),
    `The ${k} best, milliseconds a query, medians; scored: scores computed in full for a query:`,
    markdownTable(
      ['data', 'vectors', 'width', 'method', 'queries', 'ms', 'over the scan', 'recall', 'scored'],
      rows.map(({ data, vectors, width, method, queries, medianMs, scanMs, recall, scored }) => [
        data,
        String(vectors),
        String(width),
        method,
        String(queries),
        figure(medianMs),
        figure(medianMs / scanMs),
        recall === 0 ? '' : figure(recall),
        scored === undefined ? '' : figure(scored),
      ]),
    ),
    backendLines([backend], []),
    ...notes.map((note) => `- ${note}`),
  ].join('\n\n');
}
