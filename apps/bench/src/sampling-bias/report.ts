/** What `bench sampling-bias` prints: the report as data, and its tables. */
import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, grouped, missing } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { LogarithmicFit } from './draw-time.ts';
import type { SamplingBiasReport, SamplingBiasRow } from './measure.ts';

export function samplingBiasTables({
  machine,
  backend,
  training,
  temperature,
  queries,
  rows,
  drawTime,
  fit,
  comparison,
}: SamplingBiasReport): string {
  const counts = [...new Set(rows.map(({ samples }) => samples))];
  const names = [...new Set(rows.map(nameOf))];
  const find = (name: string, samples: number): SamplingBiasRow | undefined =>
    rows.find((row) => nameOf(row) === name && row.samples === samples);
  const biases = names.map((name) => [
    name,
    ...counts.flatMap((samples) => {
      const row = find(name, samples);
      return row === undefined
        ? [missing, missing]
        : [`${row.relativeBias.toFixed(3)} ± ${row.standardError.toFixed(3)}`, row.relativeError.toFixed(2)];
    }),
    drawTimeOf(find(name, counts[counts.length - 1] ?? 0)),
  ]);
  const { classes, width, text, examples, steps, seconds, perplexity, unigramPerplexity } = training;
  return [
    machineLine(machine),
    `Backend ${backend.detail}. ${grouped(classes)} class vectors of width ${width}, trained on ${text}: ${grouped(examples)} examples in ${steps} steps, ` +
      `${seconds.toFixed(0)} s; held-out perplexity ${perplexity.toFixed(0)} (unigram: ${unigramPerplexity.toFixed(0)}). τ = ${figure(temperature)}, ${queries} held-out queries.`,
    '### ‖E ĝ − g‖/‖g‖ with respect to the hidden vector (± standard error), and √E‖ĝ − g‖²/‖g‖ of a single estimate',
    markdownTable(
      [
        'proposal',
        ...counts.flatMap((samples) => [`bias, n = ${samples}`, `error, n = ${samples}`]),
        `µs a draw, n = ${counts[counts.length - 1] ?? 0}`,
      ],
      biases,
    ),
    ...comparison.map(
      ({ samples, features, nu, randomFourier, uniform, quadratic, isBelowUniform, isBelowQuadratic }) =>
        `n = ${samples}: random Fourier at best (R = ${String(features)}, ν = ${String(nu)}) ${randomFourier.toFixed(3)}, ` +
        `uniform ${uniform.toFixed(3)} (${isBelowUniform ? 'above' : 'NOT above'} it), quadratic ${quadratic.toFixed(3)} (${isBelowQuadratic ? 'above' : 'NOT above'} it).`,
    ),
    '### A random Fourier draw against the number of classes',
    markdownTable(
      ['classes', 'nodes a draw', 'µs, one draw a query', 'µs, one of 100'],
      drawTime.map((row) => [
        grouped(row.classes),
        row.nodesPerDraw.toFixed(1),
        row.microsecondsPerDraw.toFixed(2),
        row.microsecondsPerDrawOf100.toFixed(2),
      ]),
    ),
    `Fits: µs = ${fitText(fit.microseconds)}; nodes = ${fitText(fit.nodes)}`,
  ].join('\n\n');
}

function nameOf({ proposal, features, nu }: SamplingBiasRow): string {
  return proposal === 'random-fourier' ? `${proposal}, R = ${String(features)}, ν = ${String(nu)}` : proposal;
}

function drawTimeOf(row: SamplingBiasRow | undefined): string {
  return row?.drawMicroseconds == null ? missing : row.drawMicroseconds.toFixed(2);
}

function fitText({ intercept, slope, rSquared }: LogarithmicFit): string {
  return `${intercept.toFixed(2)} + ${slope.toFixed(3)}·log₂ D (R² = ${rSquared.toFixed(4)})`;
}
