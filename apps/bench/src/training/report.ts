import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, grouped, percent } from '../reporting/numbers.ts';
import { backendLines, machineLine } from '../reporting/print-report.ts';
import type { TrainingReport } from './measure.ts';

export function trainingTables({ machine, backends, unavailable, options, corpus, rows }: TrainingReport): string {
  return [
    machineLine(machine),
    `${corpus.name}: ${grouped(corpus.tokens)} words, D = ${grouped(corpus.classes)}; ${options.loss}, minibatches of ${options.batch}.`,
    markdownTable(
      ['backend', 'threads', 'examples/s', 'quartiles', 'output layer', 'body', 'data', '512³ GFLOP/s'],
      rows.map(({ backend, threads, examplesPerSecond, spread, shares, ceilings }) => [
        backend,
        String(threads),
        grouped(examplesPerSecond),
        `${grouped(spread.lowerQuartile)} … ${grouped(spread.upperQuartile)}`,
        percent(shares.output),
        percent(shares.body),
        percent(shares.data),
        figure(ceilings.gemmGflops),
      ]),
    ),
    backendLines(backends, unavailable),
  ].join('\n\n');
}
