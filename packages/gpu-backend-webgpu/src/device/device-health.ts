/**
 * The first failure of a device. WebGPU reports loss, exhaustion and misuse through promises, after the call. Numbers
 * computed after a failure are invalid, so every later `read` and `synchronize` rejects with it.
 */
import { LinalgError } from '@vastmax/linalg-core';

export class DeviceHealth {
  readonly #examinations = new Set<Promise<void>>();
  /** Callers that await the device; they are rejected when it is lost. */
  readonly #waiting = new Set<(loss: LinalgError) => void>();
  #failure: LinalgError | undefined;
  #loss: LinalgError | undefined;

  constructor(device: GPUDevice) {
    void device.lost.then(({ reason, message }) => {
      const loss = lossOf(`${reason}${message === '' ? '' : `: ${message}`}`);
      this.#loss = loss;
      this.fail(loss);
      for (const reject of this.#waiting) reject(loss);
    });
  }

  get failure(): LinalgError | undefined {
    return this.#failure;
  }

  /** Only the first failure is kept. */
  fail(failure: LinalgError): void {
    this.#failure ??= failure;
  }

  /** @throws LinalgError the failure, if there was one */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Records what an error scope has caught, once that is known.
   * @param explain turns the device's message into the failure
   */
  examine(scope: Promise<GPUError | null>, explain: (words: string) => LinalgError): void {
    const examination = scope.then(
      (error) => {
        if (error !== null) this.fail(explain(error.message));
        this.#examinations.delete(examination);
      },
      // The promise of a lost device rejects; `lost` reports the loss.
      () => void this.#examinations.delete(examination),
    );
    this.#examinations.add(examination);
  }

  /**
   * Awaits a promise of the device, which may never settle when the device is lost.
   * @throws LinalgError the failure known by then; a rejection of the promise counts as a device loss
   */
  async awaitPromise<T>(promise: Promise<T>): Promise<T> {
    try {
      return await this.#rejectOnLoss(promise);
    } catch (rejection) {
      await this.examined();
      this.fail(lossOf(rejection instanceof Error ? rejection.message : String(rejection), rejection));
      throw this.#failure ?? rejection;
    }
  }

  /** Resolves when all error scopes so far have been examined, or the device is lost. */
  async examined(): Promise<void> {
    await this.#rejectOnLoss(Promise.all(this.#examinations)).catch(() => undefined);
  }

  /** Not Promise.race with `device.lost`: that would keep every raced promise alive. */
  #rejectOnLoss<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#loss !== undefined) reject(this.#loss);
      this.#waiting.add(reject);
      promise.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }
}

function lossOf(words: string, cause?: unknown): LinalgError {
  const message = `webgpu: the device was lost (${words}); what it held is gone: create a new backend and resume from the last checkpoint`;
  return new LinalgError('device-lost', message, cause === undefined ? undefined : { cause });
}
