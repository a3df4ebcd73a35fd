import { markdownTable } from '../reporting/markdown-table.ts';
import { grouped, missing } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { RatesReport } from './measure.ts';

export function ratesTables({ machine, backend, corpus, heldOutWords, examples, rows }: RatesReport): string {
  return [
    machineLine(machine),
    `Backend ${backend.detail}, threads: ${backend.threads}. ${corpus}: ${grouped(examples)} examples, ${grouped(heldOutWords)} words ranked; the best of each layer is marked: by mean reciprocal rank, and by perplexity within one standard error of it.`,
    markdownTable(
      ['layer', 'output rate', 'body rate', 'top-1 %', 'top-10 %', 'top-100 %', 'MRR', 'perplexity', 'seconds', ''],
      rows.map(({ name, outputRate, bodyRate, metrics, seconds, isBest }) => [
        name,
        String(outputRate),
        String(bodyRate),
        ...(metrics === null
          ? ['diverged', '', '', '', '']
          : [
              ...[metrics.top1, metrics.top10, metrics.top100].map((share) => (100 * share).toFixed(1)),
              metrics.mrr.toFixed(4),
              metrics.perplexity === null ? missing : metrics.perplexity.toFixed(1),
            ]),
        seconds.toFixed(0),
        isBest ? '←' : '',
      ]),
    ),
  ].join('\n\n');
}
