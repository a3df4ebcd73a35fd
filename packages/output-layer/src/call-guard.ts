/**
 * One call of a layer at a time. A call that is started while another runs is rejected as `busy` and has changed
 * nothing, or it gives what it gives after the other: there is nothing in between.
 *
 * The rule: each public asynchronous call is one `run`, from its first line until its promise settles, each synchronous
 * one begins with `check`, and what a layer calls of itself is below the guard. The guard is released in the microtask
 * just before the one that goes on after `await`, so that nobody comes between a call and the reading of its result.
 */
import type { ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import { OutputLayerError } from './errors.ts';
import type { PreparedStep, StepResult } from './output-layer.ts';

/** A step that a layer has computed, to be applied or discarded. */
export interface PendingStep {
  apply(): StepResult | Promise<StepResult>;
  discard?(): void;
}

/** Microtasks between the end of the last call of a disposed layer and the release of its storage. */
const turnsToRead = 8;

/** Marks the tensors of a guard's own state. */
const source = Symbol('vastmax.callGuard');

/** Keeps calls of a layer from overlapping: one that is started while another runs is rejected as `busy`. */
export class CallGuard {
  readonly #kind: string;
  /** The call that runs, or the prepared step that is to be applied. */
  #running: string | undefined;
  /** Between the two halves of a step nothing runs, and yet the layer is busy. */
  #isHeld = false;
  /** Calls that only read weights, and run together. */
  #readers = 0;
  #reading = '';
  /** Counts the calls that change weights. */
  #changes = 0;
  /** Whether the running call restores the layer's own state. */
  #restoresItself = false;
  #isClosed = false;
  #release: (() => void) | undefined;
  /** Over ranks: calls that this rank refuses, and about which it still has to tell the others. */
  #refused: (() => void)[] = [];

  /** @param kind the layer's kind, for messages. */
  constructor(kind: string) {
    this.#kind = kind;
  }

  /** A synchronous call that changes no weight begins with it. @throws OutputLayerError `disposed`, `busy`. */
  check(operation: string): void {
    // The layer is disposed of after the calls that read it.
    const refusal = this.#readers > 0 ? undefined : this.#refusal(operation);
    if (refusal !== undefined) throw refusal;
  }

  /** A synchronous call that changes weights begins with it. @throws OutputLayerError `disposed`, `busy`. */
  checkChange(operation: string): void {
    const refusal = this.#refusal(operation);
    if (refusal !== undefined) throw refusal;
    this.willChange();
  }

  /**
   * Runs an asynchronous call. The promise must be returned as it is: `await`ing it on the way would let others in.
   * @throws OutputLayerError `disposed`, `busy`, as a rejection.
   */
  run<Result>(operation: string, action: () => Promise<Result>): Promise<Result> {
    const refusal = this.#refusal(operation);
    if (refusal !== undefined) return Promise.reject(refusal);
    this.#running = operation;
    return this.#settled(action(), this.#end);
  }

  /**
   * As `run`, for a call that all ranks make. Ranks do not run at the same pace: where one is still busy another may be
   * done already, and would wait for it forever. So a rank that refuses tells the others as soon as its own call has
   * ended, and all refuse.
   * @param action begins, before it waits for anything, with the preflight, which throws when it gets an error.
   */
  runCollectively<Result>(
    operation: string,
    action: (localError?: OutputLayerError) => Promise<Result>,
  ): Promise<Result> {
    const refusal = this.#refusal(operation);
    if (refusal === undefined) return this.run(operation, action);
    if (this.#isClosed || this.#running === undefined || this.#isHeld) return action(refusal);
    return new Promise((resolve, reject) => {
      this.#refused.push(() => void action(refusal).then(resolve, reject));
    });
  }

  /** Runs several calls that only read weights; until it is done, calls that change weights are rejected as `busy`. */
  read<Result>(operation: string, action: () => Promise<Result>): Promise<Result> {
    const refusal = this.#running === undefined && !this.#isClosed ? undefined : this.#refusal(operation);
    if (refusal !== undefined) return Promise.reject(refusal);
    this.#readers++;
    this.#reading = operation;
    return this.#settled(action(), this.#endReading);
  }

  /** As `run`, for a step in two halves: until it is applied or discarded, or its first half has failed. */
  hold(operation: string, prepare: () => Promise<PendingStep>): Promise<PreparedStep> {
    const refusal = this.#refusal(operation);
    return refusal === undefined ? this.#hold(operation, prepare) : Promise.reject(refusal);
  }

  /** See `hold` and `runCollectively`. */
  holdCollectively(
    operation: string,
    prepare: (localError?: OutputLayerError) => Promise<PendingStep>,
  ): Promise<PreparedStep> {
    if (this.#refusal(operation) === undefined) return this.#hold(operation, prepare);
    // It is refused, so there is no step.
    return this.runCollectively(operation, (localError) => prepare(localError) as Promise<never>);
  }

  /** To be called by a call that runs, before it changes the first weight. */
  willChange(): void {
    this.#changes++;
  }

  /** The same before weights are replaced by those of `state`, which may be the layer's own. */
  willRestore({ tensors }: ModuleState): void {
    this.#restoresItself = tensors.some((tensor: Sourced) => tensor[source] === this);
    if (!this.#restoresItself) this.willChange();
  }

  /** The state that `state()` returns: it can be read until a call begins that changes weights. */
  stateAsOfNow({ configuration, tensors }: ModuleState): ModuleState {
    const changes = this.#changes;
    const checked = (tensor: TensorSource): Sourced => ({
      ...tensor,
      [source]: this,
      read: async (first, count) => {
        if (changes !== this.#changes) {
          throw new OutputLayerError(
            'busy',
            `${this.#kind} state: the layer has changed since state() was called, and tensor '${tensor.name}' was not read before; ` +
              'write a checkpoint to its end before the next step, or call state() again',
          );
        }
        return tensor.read(first, count);
      },
    });
    return { configuration, tensors: tensors.map(checked) };
  }

  /**
   * The layer's disposal; every later call is rejected as `disposed`. A call that is running ends as if it were alone,
   * and the storage is released after it.
   * @param release called once, at once where no call is running.
   */
  close(release: () => void): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#release = release;
    if (this.#readers === 0 && (this.#running === undefined || this.#isHeld)) this.#releaseNow();
  }

  #refusal(operation: string): OutputLayerError | undefined {
    if (this.#isClosed) return new OutputLayerError('disposed', `${this.#kind} ${operation}: the layer was disposed`);
    const earlier = this.#running ?? (this.#readers > 0 ? this.#reading : undefined);
    if (earlier === undefined) return undefined;
    return new OutputLayerError(
      'busy',
      this.#isHeld
        ? `${this.#kind} ${operation}: a prepared step is neither applied nor discarded yet`
        : `${this.#kind} ${operation}: an earlier call, ${earlier}, is still running; await it first`,
    );
  }

  #hold(operation: string, prepare: () => Promise<PendingStep>): Promise<PreparedStep> {
    this.#running = operation;
    let isPrepared = false;
    const prepared = async (): Promise<PreparedStep> => {
      const step = await prepare();
      isPrepared = true;
      return this.#prepared(operation, step);
    };
    return this.#settled(prepared(), () => {
      if (isPrepared) this.#suspend();
      else this.#end();
    });
  }

  #prepared(operation: string, step: PendingStep): PreparedStep {
    let isOpen = true;
    return {
      apply: () => {
        if (!isOpen || this.#isClosed) {
          const why = isOpen ? 'the layer was disposed' : 'the prepared step was applied or discarded before';
          return Promise.reject(new OutputLayerError('disposed', `${this.#kind} ${operation}: ${why}`));
        }
        isOpen = false;
        this.#isHeld = false;
        return this.#settled((async () => step.apply())(), this.#end);
      },
      discard: () => {
        if (!isOpen || this.#isClosed) return;
        isOpen = false;
        step.discard?.();
        this.#end();
      },
    };
  }

  /** What `call` resolves or rejects with; `end` is called just before those who wait for it go on. */
  #settled<Result>(call: Promise<Result>, end: () => void): Promise<Result> {
    return new Promise((resolve, reject) => {
      const endSoon = (): void => void Promise.resolve().then(end);
      call.then(
        (result) => {
          endSoon();
          resolve(result);
        },
        (error: unknown) => {
          endSoon();
          reject(error as Error);
        },
      );
    });
  }

  readonly #end = (): void => {
    this.#running = undefined;
    this.#isHeld = false;
    this.#restoresItself = false;
    this.#tellRefused();
    this.#releaseLater();
  };

  readonly #endReading = (): void => {
    this.#readers--;
    this.#releaseLater();
  };

  #suspend(): void {
    this.#isHeld = true;
    this.#tellRefused();
    if (this.#isClosed) this.#releaseLater();
  }

  #tellRefused(): void {
    if (this.#refused.length === 0) return;
    const refused = this.#refused;
    this.#refused = [];
    for (const tell of refused) tell();
  }

  /** After those who wait for the call, also through a function of their own, have read its result. */
  #releaseLater(): void {
    if (!this.#isClosed || this.#readers > 0) return;
    let last = Promise.resolve();
    for (let turn = 0; turn < turnsToRead; turn++) last = last.then(() => undefined);
    void last.then(() => {
      this.#releaseNow();
    });
  }

  #releaseNow(): void {
    this.#release?.();
    this.#release = undefined;
  }
}

interface Sourced extends TensorSource {
  readonly [source]?: CallGuard;
}
