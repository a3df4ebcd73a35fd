/**
 * A rank of a job of threads. A call consists of rounds with two barriers each: every rank writes its header and the
 * next piece of its data into its own window; then every rank copies the data sent to it from the windows of the
 * others. The headers are compared, so that ranks that make different calls get an error instead of wrong numbers.
 */
import { CommunicatorError } from '../communicator-error.ts';
import type { PartSizes, Transport } from '../transport-communicator.ts';
import { BoardBarrier, endJob, headerWords, type SharedBoard } from './shared-board.ts';

const calls = ['allReduce', 'allGather', 'allToAll', 'broadcast', 'barrier'];
const callWord = 0;
const rootWord = 1;
const totalWord = 2;
const firstRank = 3;
const nothing = new Uint8Array(0);

/** Bytes `begin` … `end` of a rank's data are copied to offset `at`. */
interface Range {
  readonly begin: number;
  readonly end: number;
  readonly at: number;
}

export class ThreadTransport implements Transport {
  readonly kind = 'threads';
  readonly description: string;
  readonly rank: number;
  readonly size: number;
  readonly #board: SharedBoard;
  readonly #barrier: BoardBarrier;
  readonly #headers: Float64Array;
  readonly #windows: readonly Uint8Array[];

  constructor(board: SharedBoard, rank: number) {
    this.#board = board;
    this.rank = rank;
    this.size = board.size;
    this.description = `${board.size} threads of one process`;
    this.#barrier = new BoardBarrier(board, rank);
    this.#headers = new Float64Array(board.headers);
    this.#windows = Array.from(
      { length: board.size },
      (_, other) => new Uint8Array(board.windows, other * board.windowBytes, board.windowBytes),
    );
  }

  gather(call: string, part: Uint8Array, counts: Int32Array, offsets: Int32Array, out: Uint8Array): void {
    this.#run(
      call,
      0,
      part,
      () => part.length,
      out,
      (from) => {
        const bytes = counts[from]!;
        this.#expect(call, from, bytes);
        return { begin: 0, end: bytes, at: offsets[from]! };
      },
    );
  }

  exchange(call: string, send: Uint8Array, sending: PartSizes, receive: Uint8Array, receiving: PartSizes): void {
    const last = this.size - 1;
    const used = send.subarray(0, sending.offsets[last]! + sending.counts[last]!);
    this.#run(
      call,
      0,
      used,
      (to) => sending.counts[to]!,
      receive,
      (from) => {
        const bytes = receiving.counts[from]!;
        this.#expect(call, from, bytes);
        let begin = 0;
        for (let to = 0; to < this.rank; to++) begin += this.#header(from, firstRank + to);
        return { begin, end: begin + bytes, at: receiving.offsets[from]! };
      },
    );
  }

  broadcast(call: string, bytes: Uint8Array, root: number): void {
    const isRoot = this.rank === root;
    this.#run(
      call,
      root,
      isRoot ? bytes : nothing,
      () => bytes.length,
      bytes,
      (from) => {
        this.#expect(call, from, bytes.length);
        return { begin: 0, end: from === root && !isRoot ? bytes.length : 0, at: 0 };
      },
    );
  }

  barrier(call: string): void {
    this.#run(
      call,
      0,
      nothing,
      () => 0,
      nothing,
      () => ({ begin: 0, end: 0, at: 0 }),
    );
  }

  abort(message: string): never {
    const text = `rank ${this.rank} of ${this.size}: ${message}`;
    endJob(this.#board, text);
    throw new CommunicatorError('aborted', `the job was ended: ${text}`, { rank: this.rank });
  }

  close(): void {
    // Nothing to release: the memory belongs to the job.
  }

  #run(
    call: string,
    root: number,
    send: Uint8Array,
    bytesFor: (rank: number) => number,
    out: Uint8Array,
    rangeFrom: (rank: number) => Range,
  ): void {
    const place = this.rank * headerWords(this.size);
    this.#headers[place + callWord] = calls.indexOf(call);
    this.#headers[place + rootWord] = root;
    this.#headers[place + totalWord] = send.length;
    for (let to = 0; to < this.size; to++) this.#headers[place + firstRank + to] = bytesFor(to);

    const { windowBytes } = this.#board;
    const own = this.#windows[this.rank] ?? nothing;
    let ranges: Range[] = [];
    let rounds = 1;
    for (let round = 0; round < rounds; round++) {
      const first = round * windowBytes;
      own.set(send.subarray(first, first + windowBytes));
      this.#barrier.wait(call);
      if (round === 0) {
        this.#compareCalls(call);
        ranges = this.#windows.map((_, from) => rangeFrom(from));
        const longest = this.#windows.reduce((most, _, from) => Math.max(most, this.#header(from, totalWord)), 0);
        rounds = Math.max(1, Math.ceil(longest / windowBytes));
      }
      for (const [from, { begin, end, at }] of ranges.entries()) {
        const low = Math.max(begin, first);
        const high = Math.min(end, first + windowBytes);
        const window = this.#windows[from];
        if (low < high && window !== undefined) out.set(window.subarray(low - first, high - first), at + low - begin);
      }
      this.#barrier.wait(call);
    }
  }

  #compareCalls(call: string): void {
    for (let other = 0; other < this.size; other++) {
      const theirs = this.#header(other, callWord);
      if (theirs !== this.#header(this.rank, callWord)) {
        this.#throwMismatch(
          call,
          other,
          `rank ${other} called ${calls[theirs] ?? 'nothing'} where rank ${this.rank} called ${call}; all ranks must make the same calls`,
        );
      }
      const root = this.#header(other, rootWord);
      if (root !== this.#header(this.rank, rootWord)) {
        this.#throwMismatch(
          call,
          other,
          `${call}: the root is ${root} on rank ${other}, ${this.#header(this.rank, rootWord)} on rank ${this.rank}`,
        );
      }
    }
  }

  #expect(call: string, from: number, bytes: number): void {
    const sent = this.#header(from, firstRank + this.rank);
    if (sent !== bytes)
      this.#throwMismatch(
        call,
        from,
        `${call}: rank ${this.rank} expects ${bytes} bytes from rank ${from}, which sends ${sent}`,
      );
  }

  /** Aborts the job with a mismatch: the other ranks may be waiting already. */
  #throwMismatch(call: string, other: number, text: string): never {
    endJob(this.#board, text);
    throw new CommunicatorError('mismatch', text, { call, rank: other });
  }

  #header(rank: number, word: number): number {
    return this.#headers[rank * headerWords(this.size) + word]!;
  }
}
