/** The table of `bench hostile`. */
import { markdownTable } from '../reporting/markdown-table.ts';
import { grouped } from '../reporting/numbers.ts';
import type { HostileReport } from './measure.ts';

export function hostileTables(report: HostileReport): string {
  const { mutations, opened, refused, untyped, hung, overrun, largestResidentBytes, seed, seconds, findings } = report;
  return [
    markdownTable(
      [
        'mutations',
        'opened',
        'refused',
        'untyped',
        'hung',
        'beyond the bound',
        'largest resident memory above idle, MB',
        's',
      ],
      [
        [mutations, opened, refused, untyped, hung, overrun]
          .map(grouped)
          .concat([(largestResidentBytes / 1e6).toFixed(1), seconds.toFixed(0)]),
      ],
    ),
    ...findings.map(({ number, kind, detail }) => `--seed ${seed} --first ${number} --mutations 1: ${kind} ${detail}`),
  ].join('\n\n');
}
