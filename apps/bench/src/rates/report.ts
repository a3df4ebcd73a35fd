import { markdownTable } from '../reporting/markdown-table.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { LabelRatesReport, LabelRatesRow } from './measure.ts';

export function labelRatesTables({ machine, seed, rows }: LabelRatesReport): string {
  return [
    machineLine(machine),
    `Seed ${seed}. P@1 on the test points with the default rates, and with those of the tries that were best on a part of the training points.`,
    markdownTable(
      ['job', 'layer', 'rule', 'default rates', 'P@1', 'best rates', 'P@1 of these', 'ratio', 'tried'],
      rows.map((row) => [
        row.job,
        row.layer,
        row.outputRule,
        ratesOf(row.default),
        precision(row.default),
        row.best === null ? '' : ratesOf(row.best),
        row.best === null ? '' : precision(row.best),
        row.ratio === null ? '' : row.ratio.toFixed(3),
        row.tried.map((each) => `${ratesOf(each)}: ${precision(each)}`).join('; '),
      ]),
    ),
  ].join('\n\n');
}

type Measured = LabelRatesRow['default'];
const ratesOf = ({ outputRate, bodyRate }: Measured): string =>
  `${Number(outputRate.toPrecision(3))}, ${Number(bodyRate.toPrecision(3))}`;
const precision = ({ precisionAt1 }: Measured): string => precisionAt1?.toFixed(3) ?? 'diverged';
