import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, withSpread } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { ReadingReport } from './measure.ts';

export function readingTables({ machine, megabytes, rounds, rows, peakMemoryBytes }: ReadingReport): string {
  return [
    machineLine(machine),
    `Files of ${megabytes} MB, ${rounds} rounds; MB for a second of processor time, median (quartiles). ` +
      `Largest resident memory ${(peakMemoryBytes / 1e9).toFixed(2)} GB.`,
    markdownTable(
      ['', 'MB/s', 'time / pass over the bytes'],
      rows.map(({ what, megabytesPerSecond, timesPass }) => [what, withSpread(megabytesPerSecond), figure(timesPass)]),
    ),
  ].join('\n\n');
}
