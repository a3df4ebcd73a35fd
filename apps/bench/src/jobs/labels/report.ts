/** The table of `bench jobs --job labels`. */
import { markdownTable } from '../../reporting/markdown-table.ts';
import { figure, grouped, percent } from '../../reporting/numbers.ts';
import { machineLine } from '../../reporting/print-report.ts';
import type { LabelsReport } from './measure.ts';

export function labelsTables({ machine, settings, fasttext, rows }: LabelsReport): string {
  const { lines, embedding, epochs, batch, backend, threads, turns } = settings;
  return [
    machineLine(machine),
    `## Labels of lines\n\n${grouped(lines.lines)} lines of ${lines.wordsPerLine} words from ${grouped(lines.words)}, ${grouped(lines.labels)} labels; ` +
      `width ${embedding}, epochs: ${epochs}, minibatches of ${batch}, ${backend}, threads: ${threads}, turns: ${turns}. ` +
      `Seconds are from the opening of the file to the trained model; the memory is the largest resident one by then. fastText: ${fasttext}.`,
    markdownTable(
      ['layer', 'seconds', 'of them reading', 'examples/s', 'P@1', 'P@5', 'MiB', 'output rate', 'body rate'],
      rows.map((row) => [
        row.layer,
        figure(row.trainSeconds),
        figure(row.readSeconds),
        grouped(row.examplesPerSecond),
        percent(row.precisionAt1),
        percent(row.precisionAt5),
        grouped(row.peakMiB),
        String(row.rates.output),
        `${row.rates.body} (${row.rates.optimizer})`,
      ]),
    ),
  ].join('\n\n');
}
