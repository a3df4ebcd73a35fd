/** How results and numbers look on a terminal. */
import type { RankingMetrics } from '@vastmax/lm-models';

const grouped = new Intl.NumberFormat('en-US');

export function count(value: number): string {
  return grouped.format(Math.round(value));
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(unit === 0 ? 0 : 1)} ${units[unit] ?? 'B'}`;
}

/** `1:05`, `2:03:04`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** Rows of cells as aligned columns, the first to the left and the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** One line for each named result. */
export function metricsTable(results: readonly (readonly [string, RankingMetrics])[]): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return table([
    ['', 'top-1', 'top-10', 'top-100', 'MRR', 'perplexity'],
    ...results.map(([name, metrics]) => [
      name,
      percent(metrics.topAccuracy[1]),
      percent(metrics.topAccuracy[10]),
      percent(metrics.topAccuracy[100]),
      metrics.meanReciprocalRank.toFixed(3),
      metrics.perplexity === undefined ? '-' : metrics.perplexity.toFixed(1),
    ]),
  ]);
}
