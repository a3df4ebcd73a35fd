/**
 * The shared memory of a job of threads: a few words for the barrier and for aborting the job, a header for each rank's
 * call, and a window of bytes for each rank. Parts that are larger than a window are sent in several rounds. Ranks wait
 * with Atomics.wait, which yields the core, so there may be more ranks than cores.
 */
import { CommunicatorError } from '../communicator-error.ts';

export interface SharedBoard {
  readonly size: number;
  readonly timeoutMs: number;
  readonly windowBytes: number;
  readonly words: SharedArrayBuffer;
  readonly message: SharedArrayBuffer;
  /** A row for each rank: its call, and how many bytes go to each rank. */
  readonly headers: SharedArrayBuffer;
  /** One window for each rank. */
  readonly windows: SharedArrayBuffer;
}

const arrived = 0;
const epoch = 1;
const ended = 2;
const messageLength = 3;
const firstBarrierCount = 4;
const messageCapacity = 4096;

export function createSharedBoard(size: number, timeoutMs: number, windowBytes: number): SharedBoard {
  return {
    size,
    timeoutMs,
    windowBytes,
    words: new SharedArrayBuffer(4 * (firstBarrierCount + size)),
    message: new SharedArrayBuffer(messageCapacity),
    headers: new SharedArrayBuffer(8 * size * headerWords(size)),
    windows: new SharedArrayBuffer(size * windowBytes),
  };
}

/** The call's number, its root, the total bytes that the rank sends, and the bytes for each rank. */
export function headerWords(size: number): number {
  return 3 + size;
}

/** Aborts the job and wakes all waiting ranks. The first call's message is kept. */
export function endJob({ words, message }: SharedBoard, text: string): void {
  const control = new Int32Array(words);
  if (Atomics.compareExchange(control, ended, 0, 1) === 0) {
    const bytes = new TextEncoder().encode(text).subarray(0, messageCapacity);
    new Uint8Array(message).set(bytes);
    Atomics.store(control, messageLength, bytes.length);
    Atomics.store(control, ended, 2);
  }
  Atomics.add(control, epoch, 1);
  Atomics.notify(control, epoch);
}

/** Undefined while the job runs. */
export function endOfJob({ words, message }: SharedBoard): string | undefined {
  const control = new Int32Array(words);
  if (Atomics.load(control, ended) === 0) return undefined;
  // 1 means that another thread is currently writing the message.
  while (Atomics.load(control, ended) === 1) continue;
  return new TextDecoder().decode(new Uint8Array(message).slice(0, Atomics.load(control, messageLength)));
}

/** The barrier of all ranks, as one rank uses it. */
export class BoardBarrier {
  readonly #board: SharedBoard;
  readonly #rank: number;
  readonly #control: Int32Array;
  #barriers = 0;

  constructor(board: SharedBoard, rank: number) {
    this.#board = board;
    this.#rank = rank;
    this.#control = new Int32Array(board.words);
  }

  /** @throws CommunicatorError `aborted`, `timeout`. */
  wait(call: string): void {
    const control = this.#control;
    const { size, timeoutMs } = this.#board;
    this.#throwIfEnded(call);
    const before = Atomics.load(control, epoch);
    Atomics.store(control, firstBarrierCount + this.#rank, ++this.#barriers);
    if (Atomics.add(control, arrived, 1) === size - 1) {
      Atomics.store(control, arrived, 0);
      Atomics.add(control, epoch, 1);
      Atomics.notify(control, epoch);
      return;
    }
    const deadline = performance.now() + timeoutMs;
    while (Atomics.load(control, epoch) === before) {
      const left = deadline - performance.now();
      if (left <= 0) this.#throwTimeout(call);
      else Atomics.wait(control, epoch, before, left);
    }
    this.#throwIfEnded(call);
  }

  #throwIfEnded(call: string): void {
    const text = endOfJob(this.#board);
    if (text !== undefined) throw new CommunicatorError('aborted', `${call}: the job was ended: ${text}`, { call });
  }

  /** Throws the timeout, naming the ranks whose count of barriers is behind. */
  #throwTimeout(call: string): never {
    const missing: number[] = [];
    for (let rank = 0; rank < this.#board.size; rank++) {
      if (Atomics.load(this.#control, firstBarrierCount + rank) < this.#barriers) missing.push(rank);
    }
    const text = `rank ${missing.join(', ')} did not reach ${call} within ${this.#board.timeoutMs / 1000} s, rank ${this.#rank} waits there`;
    endJob(this.#board, text);
    throw new CommunicatorError('timeout', text, { call, rank: missing[0] });
  }
}
