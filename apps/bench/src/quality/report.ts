/** The tables of `bench quality`: a line for each layer, the mean of its seeds. */
import { markdownTable } from '../reporting/markdown-table.ts';
import { grouped, missing } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import { type Comparison, metricNames, type Metrics } from './outcomes.ts';
import type { QualitySetting } from './run.ts';
import type { QualityReport, QualityRow } from './summarize-runs.ts';

const headings: Readonly<Record<QualitySetting, string>> = {
  'equal-examples': 'At equal examples',
  'equal-time': 'At equal time',
  tuning: 'Tuning',
};

export function qualityTables(report: QualityReport): string {
  const { machine, backend, corpus, model, budgetSeconds, rows } = report;
  const settings = [...new Set(rows.map(({ setting }) => setting))];
  return [
    machineLine(machine),
    `Backend ${backend.name}, threads: ${backend.threads}. ${corpus.name}, ${grouped(corpus.heldOutWords)} held-out words ranked. ` +
      `${describeModel(model)}, rates decayed linearly to 5 %. ` +
      'Accuracies in per cent; ± is one standard error of the held-out sample.',
    ...settings.flatMap((setting) => [
      `### ${headings[setting]}${setting === 'equal-time' && budgetSeconds !== null ? `: ${budgetSeconds} s` : ''}`,
      overallTable(report, setting),
      ...differencesTable(report, setting),
      ...bandTables(report, setting),
    ]),
  ].join('\n\n');
}

function describeModel(model: QualityReport['model']): string {
  const { embedding, hidden, batch } = model;
  return 'order' in model
    ? `${model.order} words of ${embedding}, tanh layers of ${hidden.join(', ')}, minibatches of ${batch}, plain SGD`
    : `words of ${embedding}, ${model.cell} layers of ${hidden.join(', ')}, ${model.steps} steps of ${Math.round(batch / model.steps)} streams, Adam for the body`;
}

function overallTable({ rates, rows }: QualityReport, setting: QualitySetting): string {
  return markdownTable(
    [
      'layer',
      'rates',
      'top-1',
      'top-5',
      'top-10',
      'top-50',
      'top-100',
      'MRR',
      'perplexity',
      'seconds',
      'examples',
      'seeds',
    ],
    namesOf(rows, setting).map((name) => {
      const own = rows.filter((row) => row.name === name && row.setting === setting);
      const metrics = own.flatMap((row) => (row.metrics === null ? [] : [row.metrics]));
      const rate = rates.find((each) => each.name === name);
      return [
        name,
        rate === undefined ? missing : `${rate.outputRate}, ${rate.bodyRate}`,
        ...(metrics.length === 0
          ? ['diverged', ...metricNames.slice(1).map(() => missing), missing]
          : cellsOf(metrics)),
        mean(own.map(({ seconds }) => seconds)).toFixed(0) + (own.some(({ isCut }) => isCut) ? ', cut' : ''),
        grouped(mean(own.map(({ examples }) => examples))),
        String(own.length),
      ];
    }),
  );
}

function differencesTable({ againstFull }: QualityReport, setting: QualitySetting): string[] {
  const own = againstFull.filter((each) => each.setting === setting);
  if (own.length === 0) return [];
  return [
    'Less the full softmax, word by word:',
    markdownTable(
      ['layer', 'top-1', 'top-10', 'top-100', 'MRR', 'perplexity ratio', 'seeds'],
      own.map(({ name, all, seeds }) => [name, ...differenceCells(all), String(seeds.length)]),
    ),
  ];
}

function bandTables({ rows, againstFull }: QualityReport, setting: QualitySetting): string[] {
  const names = namesOf(rows, setting);
  const bands = rows.find((row) => row.setting === setting && row.bands.length > 0)?.bands ?? [];
  if (bands.length < 2) return [];
  return bands.flatMap(({ firstClass, lastClass, examples }, band) => [
    `Targets among classes ${grouped(firstClass)} to ${lastClass === null ? 'the last' : grouped(lastClass)}, ${grouped(examples)} words:`,
    markdownTable(
      ['layer', 'top-1', 'top-5', 'top-10', 'top-50', 'top-100', 'MRR', 'perplexity', 'top-100 less full'],
      names.flatMap((name) => {
        const own = rows
          .filter((row) => row.name === name && row.setting === setting)
          .flatMap((row) => row.bands[band]?.metrics ?? []);
        if (own.length === 0) return [];
        const comparison = againstFull.find((each) => each.name === name && each.setting === setting)?.bands[band];
        const difference =
          comparison === undefined
            ? missing
            : signed(100 * comparison.differences.top100, 100 * comparison.standardErrors.top100, 2);
        return [[name, ...cellsOf(own), difference]];
      }),
    ),
  ]);
}

function cellsOf(metrics: readonly Metrics[]): string[] {
  const losses = metrics.flatMap(({ perplexity }) => (perplexity === null ? [] : [Math.log(perplexity)]));
  return metricNames
    .map((name) => mean(metrics.map((each) => each[name])))
    .map((value, i) => (metricNames[i] === 'mrr' ? value.toFixed(4) : (100 * value).toFixed(2)))
    .concat(losses.length === 0 ? missing : Math.exp(mean(losses)).toFixed(1));
}

function differenceCells({ differences, perplexityRatio, standardErrors }: Comparison): string[] {
  return [
    ...(['top1', 'top10', 'top100'] as const).map((name) =>
      signed(100 * differences[name], 100 * standardErrors[name], 2),
    ),
    signed(differences.mrr, standardErrors.mrr, 4),
    perplexityRatio === null || standardErrors.perplexityRatio === null
      ? missing
      : `${perplexityRatio.toFixed(3)} ± ${standardErrors.perplexityRatio.toFixed(3)}`,
  ];
}

function signed(value: number, error: number, digits: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)} ± ${error.toFixed(digits)}`;
}

function namesOf(rows: readonly QualityRow[], setting: QualitySetting): string[] {
  return [...new Set(rows.filter((row) => row.setting === setting).map(({ name }) => name))];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
