/**
 * Work in call order when some of it has to wait for the device: a table in host memory gets its new rows from a read,
 * and whatever is called meanwhile may need them. So while such a job is under way, later ones queue up here; without
 * one, they run when they are given. A job must have copied what its caller may change, and holds buffers, not handles.
 */
export type Job = () => Promise<void> | undefined;

export class OrderedWork {
  readonly #waiting: Job[] = [];
  readonly #fail: (error: unknown) => void;
  #pending: Promise<void> | undefined;

  /** @param fail takes what a job that had to wait throws, because its caller is gone */
  constructor(fail: (error: unknown) => void) {
    this.#fail = fail;
  }

  /** True while jobs queue up: then a job that is given has to keep its values. */
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
