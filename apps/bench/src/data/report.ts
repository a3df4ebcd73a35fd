/** The table of `bench data`. */
import { markdownTable } from '../reporting/markdown-table.ts';
import { grouped, percent } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { DataReport } from './measure.ts';

export function dataTables({
  machine,
  backend,
  file,
  tokens,
  classes,
  model,
  tokensPerTurn,
  turns,
  countingSeconds,
  encodingSeconds,
  rows,
  peakMemoryBytes,
}: DataReport): string {
  const { layer, order, embedding, hidden, batch } = model;
  return [
    machineLine(machine),
    `${backend.detail}; threads: ${backend.threads}. ${file}: ${grouped(tokens)} tokens, ${grouped(classes)} classes; counted in ${countingSeconds.toFixed(1)} s, encoded in ${encodingSeconds.toFixed(1)} s. ` +
      `${order} words of ${embedding}, tanh layers of ${hidden.join(', ')}, ${layer}, minibatches of ${batch}; ${grouped(tokensPerTurn)} tokens a turn, ${turns} turns. ` +
      `Largest resident memory ${(peakMemoryBytes / 1e9).toFixed(2)} GB.`,
    markdownTable(
      [
        'minibatches from',
        'tokens/s of training',
        'least',
        'waiting for data',
        'of it for the first, s',
        'tokens/s from the file to the weights, one epoch',
      ],
      rows.map((row) => [
        row.mode,
        grouped(row.tokensPerSecond),
        grouped(row.spread.minimum),
        percent(row.waitingShare),
        row.firstSeconds.toFixed(2),
        grouped(row.wholePathTokensPerSecond),
      ]),
    ),
  ].join('\n\n');
}
