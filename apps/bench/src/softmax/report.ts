import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, grouped, withSpread } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { SoftmaxReport } from './measure.ts';

export function softmaxTables({ machine, backend, options, rows }: SoftmaxReport): string {
  const { features, batch } = options;
  return [
    machineLine(machine),
    `${backend.detail}; threads: ${backend.threads}. d = ${features}, m = ${batch}; plain SGD; targets by Zipf's law.`,
    markdownTable(
      ['layer', 'classes', 'step ms, median (quartiles)', 'its products ms', 'step / products', 'cutoffs'],
      rows.map(({ layer, classes, milliseconds, productMs, overProducts, cutoffs }) => [
        layer,
        grouped(classes),
        withSpread(milliseconds),
        withSpread(productMs),
        figure(overProducts),
        cutoffs === null ? '' : cutoffs.join(' '),
      ]),
    ),
  ].join('\n\n');
}
