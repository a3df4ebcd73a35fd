import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, withSpread } from '../reporting/numbers.ts';
import { backendLines, machineLine } from '../reporting/print-report.ts';
import type { AttentionReport } from './measure.ts';

export function attentionTables({ machine, backends, rows }: AttentionReport): string {
  return [
    machineLine(machine),
    'Forward and backward through a transformer body, and the share of the 512³ product of the same rounds:',
    markdownTable(
      ['backend', 'threads', 'sequences', 'length', 'd', 'layers', 'heads', 'ms, median (quartiles)', 'share'],
      rows.map((row) => [
        row.backend,
        String(row.threads),
        String(row.batch),
        String(row.length),
        String(row.width),
        String(row.layers),
        String(row.heads),
        withSpread(row.milliseconds),
        figure(row.gemmCeilingShare),
      ]),
    ),
    backendLines(backends, []),
  ].join('\n\n');
}
