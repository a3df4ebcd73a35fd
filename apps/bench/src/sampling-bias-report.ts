/** What `bench sampling-bias` prints: the report as data, and its tables. */
import type { BackendInUse } from './measurement/backend-choice.ts';
import { machineLine } from './report/bench-output.ts';
import type { Machine } from './report/machine.ts';
import { markdownTable } from './report/markdown-table.ts';
import { figure, grouped, missing } from './report/numbers.ts';
import type { BiasEstimate } from './sampling-bias-estimate.ts';
import type { DrawTimeRow, LogarithmicFit } from './sampling-bias-draw-time.ts';
import type { TrainingSummary } from './sampling-bias-model.ts';

export interface SamplingBiasRow extends BiasEstimate {
  readonly proposal: string;
  /** n, draws for an example. */
  readonly samples: number;
  /**
   * R for random Fourier features (φ has 2R numbers), the numbers in φ for the quadratic kernel, null without features.
   */
  readonly features: number | null;
  /** ν of random Fourier features. */
  readonly nu: number | null;
  /** Of one of n draws for a new query, everything included; null for the softmax itself. */
  readonly drawMicroseconds: number | null;
}

export interface SamplingBiasReport {
  readonly bench: 'sampling-bias';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly training: TrainingSummary;
  readonly temperature: number;
  readonly queries: number;
  readonly rows: readonly SamplingBiasRow[];
  readonly drawTime: readonly DrawTimeRow[];
  /** Microseconds of one draw, and nodes visited, against log₂ D. */
  readonly fit: { readonly microseconds: LogarithmicFit; readonly nodes: LogarithmicFit };
  /** The random Fourier row of the least bias at each n against uniform and quadratic. */
  readonly comparison: readonly BiasComparison[];
}

export interface BiasComparison {
  readonly samples: number;
  /** Of the random Fourier row. */
  readonly features: number | null;
  readonly nu: number | null;
  readonly randomFourier: number;
  readonly uniform: number;
  readonly quadratic: number;
  /** By more than the standard errors of the two. */
  readonly isBelowUniform: boolean;
  readonly isBelowQuadratic: boolean;
}

export function compareBiases(rows: readonly SamplingBiasRow[]): BiasComparison[] {
  const comparisons: BiasComparison[] = [];
  for (const samples of new Set(rows.map((row) => row.samples))) {
    const find = (proposal: string): SamplingBiasRow | undefined =>
      rows.find((row) => row.proposal === proposal && row.samples === samples);
    const uniform = find('uniform');
    const quadratic = find('quadratic');
    const [best] = rows
      .filter((row) => row.proposal === 'random-fourier' && row.samples === samples)
      .sort((a, b) => highest(a) - highest(b));
    if (uniform === undefined || quadratic === undefined || best === undefined) continue;
    comparisons.push({
      samples,
      features: best.features,
      nu: best.nu,
      randomFourier: best.relativeBias,
      uniform: uniform.relativeBias,
      quadratic: quadratic.relativeBias,
      isBelowUniform: highest(best) < uniform.relativeBias - uniform.standardError,
      isBelowQuadratic: highest(best) < quadratic.relativeBias - quadratic.standardError,
    });
  }
  return comparisons;
}

function highest({ relativeBias, standardError }: SamplingBiasRow): number {
  return relativeBias + standardError;
}

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
