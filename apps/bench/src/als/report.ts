import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, grouped, withSpread } from '../reporting/numbers.ts';
import { backendLines, machineLine } from '../reporting/print-report.ts';
import type { AlsReport } from './measure.ts';

export function alsTables({ machine, backend, sizes, gemm, results }: AlsReport): string {
  const { examples, classes, features, entries } = sizes;
  return [
    machineLine(machine),
    `Milliseconds, median (quartiles): ${grouped(examples)} examples, ${grouped(classes)} classes, ${grouped(entries)} entries, d = ${features}. A product of 4,096 rows ` +
      `by d×d takes ${withSpread(gemm.milliseconds)} ms, ${figure(gemm.gflops)} GFLOP/s. "Usual" counts a d×d system by Cholesky for each row.`,
    markdownTable(
      ['', 'time', 'GFLOP/s', 'over gemm', 'usual GFLOP/s', 'over gemm'],
      results.map(({ what, milliseconds, gflops, share, equivalentGflops, equivalentShare }) => [
        what,
        withSpread(milliseconds),
        figure(gflops),
        figure(share),
        figure(equivalentGflops),
        figure(equivalentShare),
      ]),
    ),
    backendLines([backend], []),
  ].join('\n\n');
}
