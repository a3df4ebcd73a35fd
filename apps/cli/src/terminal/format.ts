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

/** `2.3 s`, `41 s`, `8 min 17 s`, `2 h 14 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'an unknown time';
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A word of a command line, quoted where a shell needs it. */
export function shellWord(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Rows of cells as aligned columns, the first to the left and the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
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
