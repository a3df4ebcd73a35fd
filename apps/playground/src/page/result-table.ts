/** What a run came to, a row for each output layer; in the page, as JSON and as part of a picture. */
import type { Curve, RunDescription } from '../messages.ts';
import { create } from './elements.ts';
import { bytes, count, digits, percent } from './numbers.ts';

export interface Result {
  readonly layer: string;
  readonly seconds: number;
  readonly examples: number;
  readonly examplesPerSecond: number;
  readonly medianStepMs: number;
  readonly loss: number | null;
  readonly top1: number | null;
  readonly top10: number | null;
  readonly meanReciprocalRank: number | null;
  readonly perplexity: number | null;
  readonly bytes: number;
}

export function resultsOf(run: RunDescription, curves: readonly Curve[]): readonly Result[] {
  return run.contenders.map(({ name, bytes: size }, index) => {
    const { progress = [], evaluations = [] } = curves[index] ?? {};
    const [last, evaluated] = [progress.at(-1), evaluations.at(-1)];
    // The steps after the last point are in the evaluation at the end.
    const { seconds, examples } = latest(last, evaluated);
    return {
      layer: name,
      seconds,
      examples,
      examplesPerSecond: seconds === 0 ? 0 : examples / seconds,
      medianStepMs: medianOf(progress.map(({ stepMs }) => stepMs)),
      loss: last?.loss ?? null,
      top1: evaluated?.top1 ?? null,
      top10: evaluated?.top10 ?? null,
      meanReciprocalRank: evaluated?.meanReciprocalRank ?? null,
      perplexity: evaluated?.perplexity ?? null,
      bytes: size,
    };
  });
}

export const columns = [
  'Output layer',
  'Top 1',
  'Top 10',
  'Mean 1/rank',
  'Perplexity',
  'Examples',
  'Examples/s',
  'Step, ms',
  'Memory',
] as const;

/** The cells of a row, as texts. */
export function cellsOf(result: Result): readonly string[] {
  const or = (value: number | null, format: (value: number) => string): string =>
    value === null ? '–' : format(value);
  return [
    result.layer,
    or(result.top1, percent),
    or(result.top10, percent),
    or(result.meanReciprocalRank, digits),
    or(result.perplexity, digits),
    count(result.examples),
    count(result.examplesPerSecond),
    digits(result.medianStepMs),
    bytes(result.bytes),
  ];
}

export function fillTable(table: HTMLTableElement, results: readonly Result[]): void {
  const head = create('tr', {}, ...columns.map((name) => create('th', { scope: 'col' }, name)));
  const rows = results.map((result) => {
    const [name = '', ...cells] = cellsOf(result);
    return create('tr', {}, create('th', { scope: 'row' }, name), ...cells.map((cell) => create('td', {}, cell)));
  });
  table.replaceChildren(
    create(
      'caption',
      {},
      `Held-out examples after ${digits(Math.max(...results.map(({ seconds }) => seconds)))} s each`,
    ),
    create('thead', {}, head),
    create('tbody', {}, ...rows),
  );
}

function latest(...points: readonly ({ readonly seconds: number; readonly examples: number } | undefined)[]): {
  readonly seconds: number;
  readonly examples: number;
} {
  return points.reduce<{ readonly seconds: number; readonly examples: number }>(
    (best, point) => (point !== undefined && point.seconds > best.seconds ? point : best),
    { seconds: 0, examples: 0 },
  );
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
