/**
 * Progress on standard error: a bar on a terminal, else a plain line now and then. Results go to standard output and
 * stay clean.
 */
import { SingleBar } from 'cli-progress';
import { duration } from './display.ts';

/** The first plain line comes early, to show that there is progress; the others are this far apart. */
const secondsBetweenLines = 10;
const secondsToFirstLine = 2;
const barWidth = 12;

export class Progress implements Disposable {
  readonly #label: string;
  readonly #stream: NodeJS.WriteStream;
  readonly #bar: SingleBar | undefined;
  #nextLine = performance.now() + 1000 * secondsToFirstLine;
  /** The bar hides the cursor, so it must go however the process ends. */
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
   * @param share done, in [0, 1].
   * @param details the most important first; a narrow terminal shows as many as fit.
   */
  update(share: number, details: readonly string[], secondsLeft?: number): void {
    const parts = [...(secondsLeft === undefined ? [] : [`${duration(secondsLeft)} left`]), ...details].map(
      (part) => ` · ${part}`,
    );
    if (this.#bar !== undefined) {
      const room = this.#stream.columns - `${this.#label}  100 % `.length - barWidth;
      this.#bar.update(Math.round(1000 * Math.min(1, share)), { details: joinWhile(parts, room) });
      return;
    }
    const now = performance.now();
    if (now < this.#nextLine) return;
    this.#nextLine = now + 1000 * secondsBetweenLines;
    this.#stream.write(`${this.#label}: ${Math.floor(100 * Math.min(1, share))} %${parts.join('')}\n`);
  }

  /** Take the bar off the screen. */
  [Symbol.dispose](): void {
    this.#stop();
    process.off('exit', this.#stop);
  }
}

/** The first parts, as many as have room. */
function joinWhile(parts: readonly string[], room: number): string {
  let text = '';
  for (const part of parts) {
    if (text.length + part.length > room) break;
    text += part;
  }
  return text;
}
