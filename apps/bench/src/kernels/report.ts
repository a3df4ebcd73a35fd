import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, figureOr, withSpread } from '../reporting/numbers.ts';
import { backendLines, machineLine } from '../reporting/print-report.ts';
import type { KernelsReport } from './measure.ts';

export function kernelsTables({
  machine,
  backends,
  unavailable,
  results,
  ratios,
  copyGigabytesPerSecond,
}: KernelsReport): string {
  const shapes = [...new Set(results.map(({ m, n, k }) => `${m}×${n}×${k}`))];
  const lines = backends.map(({ name, threads }) => [
    name,
    String(threads),
    ...shapes.map((shape) => {
      const row = results.find(
        ({ backend, threads: count, m, n, k }) => backend === name && count === threads && `${m}×${n}×${k}` === shape,
      );
      return figureOr(row?.gflops ?? null);
    }),
  ]);
  return [
    machineLine(machine),
    'GFLOP/s of a product m×n with k in between, the median of all rounds:',
    markdownTable(['backend', 'threads', ...shapes], lines),
    'Milliseconds of one product, median (quartiles):',
    markdownTable(
      ['backend', 'threads', ...shapes],
      backends.map(({ name, threads }) => [
        name,
        String(threads),
        ...results
          .filter((row) => row.backend === name && row.threads === threads)
          .map(({ milliseconds }) => withSpread(milliseconds)),
      ]),
    ),
    'Ratios at 512×512×512:',
    markdownTable(
      ['ratio', 'value'],
      [
        ['wasm, one thread, to openblas, one thread', figureOr(ratios.wasmOneThreadToOpenblasOneThread)],
        ['wasm, two threads to one', figureOr(ratios.wasmTwoThreadsToOne)],
        ['openblas, two threads to one', figureOr(ratios.openblasTwoThreadsToOne)],
      ],
    ),
    `A copy of memory by one thread: ${figure(copyGigabytesPerSecond)} GB/s, read and written.`,
    backendLines(backends, unavailable),
  ].join('\n\n');
}
