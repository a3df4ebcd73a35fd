/**
 * Runs jobs in call order when some must wait for the device: a table in host memory gets its new rows from a read, and
 * later calls may need them. While such a job is pending, later jobs are queued; otherwise they run at once. A job must
 * have copied all data that its caller may change, and refers to buffers, not handles.
 */
export type Job = () => Promise<void> | undefined;

export class OrderedWork {
  readonly #waiting: Job[] = [];
  readonly #fail: (error: unknown) => void;
  #pending: Promise<void> | undefined;

  /** @param fail receives the error of a queued job, whose caller has returned already */
  constructor(fail: (error: unknown) => void) {
    this.#fail = fail;
  }

  /** True while jobs are queued: a new job must then copy its values. */
  get blocked(): boolean {
    return this.#pending !== undefined;
  }

  /** @param job returns a promise, which never rejects, when later jobs must wait for it */
  do(job: Job): void {
    if (this.#pending === undefined) this.#start(job);
    else this.#waiting.push(job);
  }

  /** Resolves when no job is left. */
  async drained(): Promise<void> {
    while (this.#pending !== undefined) await this.#pending;
  }

  #start(job: Job): void {
    const pending = job();
    if (pending === undefined) return;
    this.#pending = pending.then(() => {
      this.#pending = undefined;
      this.#resume();
    });
  }

  #resume(): void {
    let started = 0;
    while (started < this.#waiting.length && this.#pending === undefined) {
      try {
        this.#start(this.#waiting[started++]!);
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#waiting.splice(0, started);
  }
}
