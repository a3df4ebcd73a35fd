/**
 * The output of the command: numbers and tables, warnings, progress. Progress is printed to standard error, on a terminal as a bar and elsewhere as a plain line at intervals, so that standard output
 * has only results.
 */
import { SingleBar } from 'cli-progress';
import type { RankingMetrics } from '@vastmax/lm-models/metrics';

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

/** A word of a command line, quoted when a shell needs that. */
export function shellWord(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Rows of cells as aligned columns: the first column to the left, the others to the right. */
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

/**
 * Prints a line to standard error while a progress bar may be shown: on a terminal it replaces the bar, which is drawn
 * again below it.
 */
export function printNotice(text: string): void {
  process.stderr.write(`${process.stderr.isTTY ? '\r\u001B[K' : ''}${text}\n`);
}

/** Prints a warning: a problem that does not end the command. */
export function warn(text: string): void {
  printNotice(`vastmax: warning: ${text}`);
}

/** The first plain line is printed early, to show that there is progress; the others at this interval. */
const secondsBetweenLines = 10;
const secondsToFirstLine = 2;
const barWidth = 12;

export class Progress implements Disposable {
  readonly #label: string;
  readonly #stream: NodeJS.WriteStream;
  readonly #bar: SingleBar | undefined;
  #nextLine = performance.now() + 1000 * secondsToFirstLine;
  /** The bar hides the cursor, so it must be removed however the process ends. */
  readonly #stop = (): void => {
    this.#bar?.stop();
  };

  constructor(label: string, stream: NodeJS.WriteStream = process.stderr) {
    this.#label = label;
    this.#stream = stream;
    if (!stream.isTTY || process.env['TERM'] === 'dumb') return;
    this.#bar = new SingleBar({
      format: `${label} {bar} {percentage} %{details}`,
      stream,
      barsize: barWidth,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      clearOnComplete: true,
      linewrap: true,
      gracefulExit: false,
    });
    this.#bar.start(1000, 0, { details: '' });
    process.once('exit', this.#stop);
  }

  /**
   * @param share fraction done, in [0, 1].
   * @param details the most important first; a narrow terminal shows as many as fit.
   */
  update(share: number, details: readonly string[], secondsLeft?: number): void {
    const parts = [...(secondsLeft === undefined ? [] : [`${duration(secondsLeft)} left`]), ...details].map(
      (part) => ` · ${part}`,
    );
    if (this.#bar !== undefined) {
      const width = this.#stream.columns - `${this.#label}  100 % `.length - barWidth;
      this.#bar.update(Math.round(1000 * Math.min(1, share)), { details: joinWhile(parts, width) });
      return;
    }
    const now = performance.now();
    if (now < this.#nextLine) return;
    this.#nextLine = now + 1000 * secondsBetweenLines;
    this.#stream.write(`${this.#label}: ${Math.floor(100 * Math.min(1, share))} %${parts.join('')}\n`);
  }

  /** Removes the bar from the screen. */
  [Symbol.dispose](): void {
    this.#stop();
    process.off('exit', this.#stop);
  }
}

/** As many of the first parts as fit. */
function joinWhile(parts: readonly string[], width: number): string {
  let text = '';
  for (const part of parts) {
    if (text.length + part.length > width) break;
    text += part;
  }
  return text;
}
