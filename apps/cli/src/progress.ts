/** Progress on standard error: a bar on a terminal, else a plain line now and then. Results go to standard output and stay clean. */
import { SingleBar } from 'cli-progress';
import { duration } from './display.ts';

/** Seconds between two plain lines. */
const secondsBetweenLines = 10;

export class Progress implements Disposable {
  readonly #label: string;
  readonly #bar: SingleBar | undefined;
  #lastLine = performance.now();

  constructor(label: string) {
    this.#label = label;
    if (!process.stderr.isTTY) return;
    this.#bar = new SingleBar({
      format: `${label} {bar} {percentage} %{details}`,
      stream: process.stderr,
      barsize: 20,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      clearOnComplete: true,
      linewrap: false,
      gracefulExit: false,
    });
    this.#bar.start(1000, 0, { details: '' });
  }

  /** @param share done, in [0, 1]. */
  update(share: number, details: string, secondsLeft?: number): void {
    const left = secondsLeft === undefined ? '' : ` · ${duration(secondsLeft)} left`;
    const text = `${details === '' ? '' : ` · ${details}`}${left}`;
    if (this.#bar !== undefined) {
      this.#bar.update(Math.round(1000 * Math.min(1, share)), { details: text });
      return;
    }
    const now = performance.now();
    if (now - this.#lastLine < 1000 * secondsBetweenLines) return;
    this.#lastLine = now;
    process.stderr.write(`${this.#label}: ${Math.floor(100 * Math.min(1, share))} %${text}\n`);
  }

  /** Take the bar off the screen. */
  [Symbol.dispose](): void {
    this.#bar?.stop();
  }
}
