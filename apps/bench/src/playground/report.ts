import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, grouped, withSpread } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { PlaygroundReport } from './measure.ts';

export function playgroundTables(report: PlaygroundReport): string {
  const { machine, backend, secondsToFirstStep, compressedBytes, examplesPerSecond, nodeExamplesPerSecond } = report;
  return [
    machineLine(machine),
    `In the page: ${backend}.`,
    markdownTable(
      ['', ''],
      [
        ['to the first step', `${figure(secondsToFirstStep)} s`],
        ['JavaScript, compressed', `${figure(compressedBytes / 1000)} kB`],
        ['examples/s in the page', grouped(examplesPerSecond)],
        ['examples/s in Node', grouped(nodeExamplesPerSecond)],
        ['page over Node', figure(examplesPerSecond / nodeExamplesPerSecond)],
      ],
    ),
    markdownTable(
      ['classes', 'ms a step (quartiles)'],
      report.rows.map(({ classes, milliseconds }) => [grouped(classes), withSpread(milliseconds)]),
    ),
  ].join('\n\n');
}
