/** Any stream of minibatches as a trainer wants it, with a clock around what the trainer waits for. */
import type { BatchSource } from '@vastmax/lm-models';
import type { NgramBatch } from '@vastmax/sparse-data';

export class TimedBatches implements BatchSource<NgramBatch> {
  readonly examplesPerEpoch: number;
  readonly #batches: AsyncIterator<NgramBatch, unknown> | Iterator<NgramBatch, unknown>;
  #waitedMs = 0;
  #firstMs: number | undefined;

  /** @param examplesPerEpoch as many as the stream has at least. */
  constructor(batches: AsyncIterator<NgramBatch, unknown> | Iterator<NgramBatch, unknown>, examplesPerEpoch: number) {
    this.#batches = batches;
    this.examplesPerEpoch = examplesPerEpoch;
  }

  /** In milliseconds: from asking for a minibatch to having it, whether that was computing or waiting. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /** Until the first minibatch was there; in milliseconds, and a part of `waitedMs`. */
  get firstMs(): number {
    return this.#firstMs ?? 0;
  }

  async next(): Promise<NgramBatch> {
    const start = performance.now();
    const { done, value } = await this.#batches.next();
    const waited = performance.now() - start;
    this.#firstMs ??= waited;
    this.#waitedMs += waited;
    if (done === true) throw new RangeError(`the stream ended before its ${this.examplesPerEpoch} examples`);
    return value;
  }

  /** Ends the stream, and the worker that makes it. */
  async close(): Promise<void> {
    await this.#batches.return?.();
  }

  cursor(): object {
    return {};
  }

  seek(): void {
    throw new RangeError('a stream of minibatches cannot be sought');
  }
}
